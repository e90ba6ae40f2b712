//! The workspaces of the configuration: what a session's cells and `spoor query` ask over the network.

use std::time::{Duration, Instant};

use spoor_protocol::FetchError;
use spoor_providers::config::{Service, Workspace};
use spoor_providers::response::TableSchema;
use spoor_remote::{Ask, Client, Progress, Settings, Tokens};

use crate::native::{Answered, Asked, Remote, Watch};

/// How long the end of everything waits for services to be told of queries that were stopped.
const SETTLE: Duration = Duration::from_secs(2);

/// Told, while a query runs, the workspace and how far it has come.
pub type Listener = Box<dyn Fn(&str, &Progress) + Send + Sync>;

/// Asks the workspaces of a configuration.
pub struct Workspaces {
    settings: Settings,
    client: Client,
    tokens: Box<dyn Tokens>,
    listener: Listener,
}

impl Workspaces {
    /// Asks those of `settings` with `tokens`, and tells `listener` of what it waits for.
    pub fn new(settings: Settings, tokens: Box<dyn Tokens>, listener: Listener) -> Self {
        Self {
            settings,
            client: Client::default(),
            tokens,
            listener,
        }
    }

    /// Asks a workspace with other tokens than the session's own: see [`Remote::ask`].
    ///
    /// # Errors
    /// As of [`Remote::ask`].
    pub fn ask_with(
        &self,
        asked: Asked<'_>,
        tokens: &dyn Tokens,
        watch: &Watch,
    ) -> Result<Answered, FetchError> {
        let workspace = self.find(asked.workspace)?;
        let ask = Ask {
            text: asked.text,
            timespan: asked.timespan,
        };
        let mut told = |progress: Progress| (self.listener)(asked.workspace, &progress);
        let outcome = self
            .client
            .query(workspace, &ask, tokens, watch, &mut told)?;
        let (tables, told) = outcome.told();
        Ok(Answered { tables, told })
    }

    /// The tables and columns of a workspace, asked with the session's own tokens where there are no other; none where its service
    /// does not tell them.
    ///
    /// # Errors
    /// As of [`Remote::ask`].
    pub fn tables(
        &self,
        name: &str,
        tokens: Option<&dyn Tokens>,
        watch: &Watch,
    ) -> Result<Vec<TableSchema>, FetchError> {
        let workspace = self.find(name)?;
        let tokens = tokens.unwrap_or(self.tokens.as_ref());
        let mut told = |progress: Progress| (self.listener)(name, &progress);
        self.client.schema(workspace, tokens, watch, &mut told)
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&Workspace> {
        self.settings.workspaces.get(name).ok()
    }

    /// Their names, without those of the session's own data.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let all = self.settings.workspaces.list().iter();
        let remote = all.filter(|workspace| workspace.service != Service::Local);
        remote.map(|workspace| workspace.name.clone())
    }

    fn find(&self, name: &str) -> Result<&Workspace, FetchError> {
        let found = self.settings.workspaces.get(name);
        let workspace = found.map_err(|mistake| {
            // Without the file's path: it would be kept in the notebook, which others get.
            let hint = match &self.settings.path {
                Some(_) => mistake.hint,
                None => "there is no configuration: name workspaces in spoor.toml".to_owned(),
            };
            FetchError::new(mistake.message).hint(hint)
        })?;
        match workspace.service {
            Service::Local => Err(FetchError::new(format!(
                "the workspace '{name}' is this session's own data"
            ))
            .hint("leave out the workspace, and the query runs here")),
            _ => Ok(workspace),
        }
    }
}

impl Drop for Workspaces {
    /// Services still hear of queries that were stopped, also where the program ends.
    fn drop(&mut self) {
        self.client.settle(SETTLE);
    }
}

impl Remote for Workspaces {
    fn ask(&self, asked: Asked<'_>, watch: &Watch) -> Result<Answered, FetchError> {
        self.ask_with(asked, self.tokens.as_ref(), watch)
    }

    fn local(&self) -> Vec<String> {
        let all = self.settings.workspaces.list().iter();
        let local = all.filter(|workspace| workspace.service == Service::Local);
        local.map(|workspace| workspace.name.clone()).collect()
    }
}

impl spoor_remote::Watch for Watch {
    fn is_stopped(&self) -> bool {
        self.stop().is_some()
    }

    fn deadline(&self) -> Option<Instant> {
        self.end()
    }
}
