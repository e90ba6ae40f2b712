//! The workspaces of the configuration: what a session's cells and `spoor query` ask over the network.

use std::time::{Duration, Instant};

use spoor_protocol::{FetchError, Told};
use spoor_providers::config::{Service, Workspace};
use spoor_providers::response::{Outcome, Render};
use spoor_remote::{Ask, Client, Progress, Settings, Tokens};
use spoor_table::Table;

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
        let workspace = self.find(asked.workspace)?;
        let ask = Ask {
            text: asked.text,
            timespan: asked.timespan,
        };
        let mut told = |progress: Progress| (self.listener)(asked.workspace, &progress);
        let outcome = self
            .client
            .query(workspace, &ask, self.tokens.as_ref(), watch, &mut told)?;
        Ok(answered(outcome))
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

fn answered(outcome: Outcome) -> Answered {
    let partial = outcome.completeness.reasons().iter();
    let told = Told {
        partial: partial.map(ToString::to_string).collect(),
        render: outcome.render.map(rendered),
        statistics: outcome.statistics,
        recorded: None,
    };
    let mut tables: Vec<Table> = outcome
        .tables
        .into_iter()
        .map(|named| named.table)
        .collect();
    if tables.is_empty() {
        tables.push(Table::empty([]));
    }
    Answered { tables, told }
}

/// A service's `render` as KQL's: lists of columns are several properties of one name.
fn rendered(render: Render) -> (String, Vec<(String, String)>) {
    let mut properties = Vec::new();
    for (name, value) in render.properties {
        match value {
            serde_json::Value::Array(values) => {
                let texts = values.into_iter().map(text);
                properties.extend(texts.map(|text| (name.clone(), text)));
            }
            value => properties.push((name, text(value))),
        }
    }
    (render.visualization, properties)
}

fn text(value: serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_service_says_of_a_result_is_what_the_cell_says() {
        let render = Render {
            visualization: "timechart".into(),
            properties: vec![
                ("title".into(), json!("Failures")),
                ("ycolumns".into(), json!(["a", "b"])),
                ("legend".into(), json!(true)),
            ],
        };
        let outcome = Outcome {
            render: Some(render),
            statistics: Some(json!({ "cpu": 1 })),
            ..Outcome::default()
        };
        let answered = answered(outcome);
        let (kind, properties) = answered.told.render.unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(kind, "timechart");
        assert_eq!(
            properties,
            [
                pair("title", "Failures"),
                pair("ycolumns", "a"),
                pair("ycolumns", "b"),
                pair("legend", "true")
            ]
        );
        assert_eq!(answered.tables.len(), 1);
        assert_eq!(answered.tables[0].columns().len(), 0);
    }
}
