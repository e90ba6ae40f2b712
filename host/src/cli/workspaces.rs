//! The workspaces of the configuration, for the commands that ask them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use spoor_providers::config::Workspace;
use spoor_remote::{Progress, Secret, Settings, TokenError, Tokens};
use spoor_signin::{Accounts, Store};

use super::{Exit, Failure, say};
use crate::native::Remote;
use crate::remote::{Listener, Workspaces};

/// Which configuration to read.
#[derive(Debug, Clone, clap::Args)]
pub struct Configuration {
    /// The configuration of workspaces
    /// [default: $SPOOR_CONFIG, else the nearest spoor.toml, else spoor/spoor.toml of the user's]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Configuration {
    /// What it says.
    pub fn read(&self) -> Result<Settings, Failure> {
        let settings = Settings::find(self.config.as_deref());
        settings.map_err(|error| Failure::new(Exit::Unreadable, error.to_string()))
    }

    /// What asks its workspaces.
    pub fn remote(&self) -> Result<Arc<dyn Remote>, Failure> {
        Ok(Arc::new(self.workspaces(Box::new(tell))?))
    }

    /// Its workspaces; `listener` is told of what they wait for.
    pub fn workspaces(&self, listener: Listener) -> Result<Workspaces, Failure> {
        Ok(Workspaces::new(self.read()?, Box::new(Signed), listener))
    }
}

/// The workspace of that name, or the one that is meant where none is named.
pub fn chosen<'s>(settings: &'s Settings, name: Option<&str>) -> Result<&'s Workspace, Failure> {
    let usage = |message: String| Failure::new(Exit::Usage, message);
    if settings.path.is_none() {
        let message = "there is no spoor.toml in this folder, above it, or in ~/.config/spoor: write one with a \
                       [workspaces.NAME], or name it with --config";
        return Err(Failure::new(Exit::Unreadable, message));
    }
    let workspaces = &settings.workspaces;
    match name {
        Some(name) => workspaces
            .get(name)
            .map_err(|mistake| usage(mistake.to_string())),
        None => workspaces.default_workspace().ok_or_else(|| {
            let names: Vec<&str> = workspaces
                .list()
                .iter()
                .map(|one| one.name.as_str())
                .collect();
            let names = names.join(", ");
            usage(format!(
                "the configuration has no default workspace: name one with --workspace ({names})"
            ))
        }),
    }
}

/// Says what keeps a query waiting; that it runs is to be expected.
fn tell(workspace: &str, progress: &Progress) {
    if matches!(
        progress,
        Progress::Waiting { .. } | Progress::Retrying { .. }
    ) {
        say::line(format_args!("workspace {workspace}: {progress}"));
    }
}

/// How often it is asked whether a token is still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// The tokens of those who have signed in with `spoor login`. The store is opened when a token is first wanted.
struct Signed;

impl Tokens for Signed {
    fn token(
        &self,
        workspace: &Workspace,
        force_refresh: bool,
        watch: &dyn Fn() -> bool,
    ) -> Result<Secret, TokenError> {
        let (sender, done) = channel();
        let wanted = workspace.clone();
        // It may wait for a person, another process or a server, none of which hears of the watch.
        std::thread::spawn(move || {
            let token = token(&wanted, force_refresh);
            // Nobody may wait any more.
            let _ = sender.send(token);
        });
        while !watch() {
            match done.recv_timeout(LOOK) {
                Ok(token) => return token,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(failed(workspace, "signing in broke off"));
                }
            }
        }
        Err(TokenError::Stopped)
    }
}

fn token(workspace: &Workspace, force_refresh: bool) -> Result<Secret, TokenError> {
    let store = Store::open().map_err(|error| failed(workspace, error))?;
    match Accounts::new(store).token(workspace, force_refresh) {
        Ok(token) => Ok(Secret::new(token.expose())),
        Err(spoor_signin::TokenError::NoAccount(_)) => Err(TokenError::SignedOut {
            workspace: workspace.name.clone(),
        }),
        Err(error) => Err(failed(workspace, error)),
    }
}

fn failed(workspace: &Workspace, cause: impl ToString) -> TokenError {
    TokenError::Failed {
        workspace: workspace.name.clone(),
        cause: cause.to_string(),
    }
}
