//! What was written becomes what was meant, or a list of all mistakes.

use serde::de::IgnoredAny;
use spoor_kql_syntax::did_you_mean;
use spoor_protocol::LOCAL_WORKSPACE;
use spoor_table::parse;

use super::fields::{FIELDS, LIMIT_FIELDS, Use};
use super::remote::remote;
use super::{Config, Entry, Limits, LimitsEntry, Mistake, Service, Unknown, Workspace, Workspaces};
use crate::cloud::Cloud;

/// The longest name of a workspace, in characters.
const MOST_NAME: usize = 100;

/// Subscriptions of one query, as Azure's page on Resource Graph's limits has it.
const MOST_SUBSCRIPTIONS: usize = 1_000;

impl Config {
    /// The workspaces that this means, or everything that is wrong with it.
    pub fn check(&self) -> Result<Workspaces, Vec<Mistake>> {
        let mut notes = Notes::default();
        notes.unknown("", &self.unknown, ["default", "workspaces"]);
        let mut made = Workspaces::default();
        for (name, entry) in &self.workspaces {
            notes.workspace = Some(name.clone());
            made.list.extend(workspace(name, entry, &mut notes));
        }
        notes.workspace = None;
        if let Some(name) = &self.default
            && !self.workspaces.contains_key(name)
        {
            let names = self.workspaces.keys().map(String::as_str);
            let hint = did_you_mean(name, names)
                .unwrap_or_else(|| format!("name one that is there, or add [workspaces.{name}]"));
            notes.add("default", format!("no workspace is called '{name}'"), hint);
        }
        made.default.clone_from(&self.default);
        if notes.mistakes.is_empty() {
            Ok(made)
        } else {
            Err(notes.mistakes)
        }
    }
}

/// The mistakes so far, and where the next one is.
#[derive(Default)]
pub(super) struct Notes {
    mistakes: Vec<Mistake>,
    workspace: Option<String>,
}

impl Notes {
    pub(super) fn add(&mut self, field: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.mistakes.push(Mistake {
            workspace: self.workspace.clone(),
            field: field.to_owned(),
            message: message.into(),
            hint: hint.into(),
        });
    }

    fn unknown<'a>(
        &mut self,
        table: &str,
        found: &Unknown,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) {
        let found: &std::collections::BTreeMap<String, IgnoredAny> = found;
        for name in found.keys() {
            let hint = did_you_mean(name, known.clone()).unwrap_or_else(|| {
                let known: Vec<&str> = known.clone().into_iter().collect();
                format!("the fields are {}", known.join(", "))
            });
            self.add(&format!("{table}{name}"), "there is no such field", hint);
        }
    }
}

fn workspace(name: &str, entry: &Entry, notes: &mut Notes) -> Option<Workspace> {
    let before = notes.mistakes.len();
    let known = std::iter::once("kind").chain(FIELDS.iter().map(|(field, _)| *field));
    notes.unknown("", &entry.unknown, known);
    check_name(name, notes);
    let kind = kind(entry, notes)?;
    if name == LOCAL_WORKSPACE && kind != "local" {
        let hint = "choose another name".to_owned();
        notes.add("", "'local' is the session's own data", hint);
    }
    // Without it, nothing that depends on it can be said.
    let cloud = cloud(kind, entry, notes)?;
    check_uses(kind, cloud, entry, notes);
    let service = service(kind, entry, notes);
    let limits = limits(entry.limits.as_ref(), notes);
    let remote = (kind != "local").then(|| remote(kind, cloud, entry, notes));
    if notes.mistakes.len() > before {
        return None;
    }
    Some(Workspace {
        name: name.to_owned(),
        service: service?,
        cloud,
        remote: match remote {
            None => None,
            Some(remote) => Some(remote?),
        },
        limits,
    })
}

fn check_name(name: &str, notes: &mut Notes) {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.chars().count() > MOST_NAME || !name.chars().all(plain) {
        notes.add(
            "",
            "the name cannot be written in a query",
            format!("use letters, digits, '-', '_' and '.', at most {MOST_NAME}"),
        );
    }
}

fn kind(entry: &Entry, notes: &mut Notes) -> Option<&'static str> {
    let all = || format!("the kinds are {}", Service::KINDS.join(", "));
    let Some(written) = &entry.kind else {
        notes.add("kind", "it is missing", all());
        return None;
    };
    let found = Service::KINDS.into_iter().find(|kind| kind == written);
    if found.is_none() {
        let hint = did_you_mean(written, Service::KINDS).unwrap_or_else(all);
        notes.add("kind", format!("there is no kind '{written}'"), hint);
    }
    found
}

fn cloud(kind: &str, entry: &Entry, notes: &mut Notes) -> Option<Cloud> {
    let Some(written) = &entry.cloud else {
        return Some(if kind == "spoor" {
            Cloud::Custom
        } else {
            Cloud::Public
        });
    };
    let found = Cloud::from_name(written);
    if found.is_none() {
        let hint = did_you_mean(written, Cloud::NAMES)
            .unwrap_or_else(|| format!("the clouds are {}", Cloud::NAMES.join(", ")));
        notes.add("cloud", format!("there is no cloud '{written}'"), hint);
    }
    found
}

fn check_uses(kind: &str, cloud: Cloud, entry: &Entry, notes: &mut Notes) {
    let Some(at) = Service::KINDS.iter().position(|name| *name == kind) else {
        return;
    };
    let custom = cloud == Cloud::Custom;
    for (field, uses) in FIELDS {
        let there = is_there(entry, field);
        match uses[at] {
            Use::Needed if !there => notes.add(field, "it is missing", needed(field)),
            Use::NeededIfCustom if custom && !there => {
                notes.add(field, "a custom cloud does not imply it", needed(field));
            }
            Use::TakenIfCustom if there && !custom => notes.add(
                field,
                format!("the cloud '{}' settles it", cloud.name()),
                "leave it out, or set cloud = \"custom\"",
            ),
            Use::Refused if there => notes.add(
                field,
                format!("workspaces of kind '{kind}' have none"),
                "leave it out",
            ),
            _ => {}
        }
    }
}

fn is_there(entry: &Entry, field: &str) -> bool {
    match field {
        "cloud" => entry.cloud.is_some(),
        "endpoint" => entry.endpoint.is_some(),
        "plain-loopback" => entry.plain_loopback.is_some(),
        "authority" => entry.authority.is_some(),
        "scope" => entry.scope.is_some(),
        "tenant" => entry.tenant.is_some(),
        "client-id" => entry.client_id.is_some(),
        "database" => entry.database.is_some(),
        "workspace-id" => entry.workspace_id.is_some(),
        "subscriptions" => entry.subscriptions.is_some(),
        "limits" => entry.limits.is_some(),
        _ => false,
    }
}

fn needed(field: &str) -> &'static str {
    match field {
        "endpoint" => "write the server's address, as https://host",
        "database" => "write the database's name",
        "workspace-id" => "write the workspace's GUID, which the portal shows in its overview",
        _ => "add it",
    }
}

fn service(kind: &str, entry: &Entry, notes: &mut Notes) -> Option<Service> {
    Some(match kind {
        "log-analytics" => Service::LogAnalytics {
            workspace_id: guid("workspace-id", entry.workspace_id.as_deref()?, notes)?,
        },
        "kusto" => Service::Kusto {
            database: database(entry.database.as_deref()?, notes)?,
        },
        "defender" => Service::Defender,
        "resource-graph" => Service::ResourceGraph {
            subscriptions: subscriptions(entry, notes),
        },
        "spoor" => Service::Spoor {
            database: match entry.database.as_deref() {
                Some(name) => database(name, notes)?,
                None => String::new(),
            },
        },
        _ => Service::Local,
    })
}

pub(super) fn guid(field: &str, text: &str, notes: &mut Notes) -> Option<String> {
    let found = parse::guid(text);
    if found.is_none() {
        let hint = "write 32 hexadecimal digits, as 00000000-0000-0000-0000-000000000000";
        notes.add(field, format!("'{text}' is no GUID"), hint);
    }
    found
}

fn database(name: &str, notes: &mut Notes) -> Option<String> {
    let good = !name.trim().is_empty() && !name.chars().any(char::is_control);
    if !good {
        notes.add("database", "it is no name", needed("database"));
    }
    good.then(|| name.to_owned())
}

fn subscriptions(entry: &Entry, notes: &mut Notes) -> Vec<String> {
    let written = || entry.subscriptions.iter().flatten();
    let count = written().count();
    if count > MOST_SUBSCRIPTIONS {
        let hint = format!("name {MOST_SUBSCRIPTIONS} at most, or none for all");
        notes.add("subscriptions", format!("there are {count}"), hint);
        return Vec::new();
    }
    written()
        .filter_map(|text| guid("subscriptions", text, notes))
        .collect()
}

fn limits(entry: Option<&LimitsEntry>, notes: &mut Notes) -> Limits {
    let base = Limits::default();
    let Some(entry) = entry else { return base };
    notes.unknown("limits.", &entry.unknown, LIMIT_FIELDS);
    let mut limit = |name: &str, written: Option<u64>, base: usize, most: usize| {
        let Some(value) = written else { return base };
        match usize::try_from(value) {
            Ok(value) if (1..=most).contains(&value) => value,
            _ => {
                let message = format!("{value} is out of range");
                notes.add(
                    &format!("limits.{name}"),
                    message,
                    format!("use 1 to {most}"),
                );
                base
            }
        }
    };
    let seconds = limit(
        "timeout-seconds",
        entry.timeout_seconds,
        base.timeout_seconds as usize,
        Limits::MOST_SECONDS as usize,
    );
    Limits {
        timeout_seconds: u32::try_from(seconds).unwrap_or(base.timeout_seconds),
        rows: limit("rows", entry.rows, base.rows, Limits::MOST_ROWS),
        bytes: limit("bytes", entry.bytes, base.bytes, Limits::MOST_BYTES),
        concurrent: limit(
            "concurrent",
            entry.concurrent,
            base.concurrent,
            Limits::MOST_CONCURRENT,
        ),
    }
}
