//! The configuration of workspaces, as `spoor.toml` on the host and the page's settings write it: one schema for both, read by
//! serde from whichever format. It holds no secret and never will: who signs in, and how, is the drivers'.
//!
//! Reading is in two steps. Serde makes a [`Config`], which is what was written; [`Config::check`] makes [`Workspaces`], which
//! is what was meant, or tells every mistake at once.
//!
//! ```toml
//! default = "sentinel"
//!
//! [workspaces.sentinel]
//! kind = "log-analytics"
//! workspace-id = "00000000-0000-0000-0000-000000000000"
//! tenant = "contoso.example"
//! client-id = "11111111-1111-1111-1111-111111111111"
//!
//! [workspaces.sentinel.limits]
//! timeout-seconds = 300
//! ```

mod check;
mod fields;
mod remote;
mod text;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use spoor_kql_syntax::did_you_mean;

pub use fields::{FIELDS, LIMIT_FIELDS};
pub use text::{Note, TextError, line_of};

use crate::cloud::Cloud;
use crate::endpoint::Origin;

/// Fields that nobody knows, by name.
type Unknown = BTreeMap<String, IgnoredAny>;

/// A configuration as it is written.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// The workspace that is meant where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The workspaces, by name.
    #[serde(default)]
    pub workspaces: BTreeMap<String, Entry>,
    /// What is none of these.
    #[serde(flatten, skip_serializing)]
    unknown: Unknown,
}

/// One workspace as it is written. Which fields a kind needs and takes is in [`FIELDS`].
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// `log-analytics`, `kusto`, `defender`, `resource-graph`, `spoor` or `local`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `public` (which is meant where there is none), `us-government`, `china` or `custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<String>,
    /// The server, as `https://host[:port]`, where kind and cloud do not imply it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Whether an endpoint on this machine may be plain `http`. Of custom clouds only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain_loopback: Option<bool>,
    /// Who signs people in, as `https://host[:port][/path]`. Of custom clouds only; the others imply it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// The OAuth scope to ask a token for. Of custom clouds only; the others imply it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The directory: a GUID or a domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The application that people sign in to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The Kusto database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The Log Analytics workspace's GUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// The subscriptions that Resource Graph looks at; none means all that the user can see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscriptions: Option<Vec<String>>,
    /// What a query may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsEntry>,
    /// What is none of these.
    #[serde(flatten, skip_serializing)]
    unknown: Unknown,
}

/// Limits as they are written.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LimitsEntry {
    /// Seconds that a query may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// Rows that are kept of a result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Bytes that are kept of a result's values, and bytes that an answer may have; one that is read as it comes may have sixteen
    /// times as many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Queries that run at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent: Option<u64>,
    /// What is none of these.
    #[serde(flatten, skip_serializing)]
    unknown: Unknown,
}

/// What a query of a workspace may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Seconds: 1 to [`Limits::MOST_SECONDS`].
    pub timeout_seconds: u32,
    /// Rows of a result, over all its tables.
    pub rows: usize,
    /// Bytes of a result's values, and of an answer's body; one that is read as it comes may have sixteen times as many.
    pub bytes: usize,
    /// Queries at the same time: 1 to [`Limits::MOST_CONCURRENT`].
    pub concurrent: usize,
}

impl Limits {
    /// Log Analytics lets no query run for longer, and nothing else that is asked here needs to.
    pub const MOST_SECONDS: u32 = 600;
    /// What Log Analytics allows a user.
    pub const MOST_CONCURRENT: usize = 5;
    /// What a cell can take.
    pub const MOST_BYTES: usize = spoor_protocol::MAX_FETCHED;
    /// More rows than any of the services gives.
    pub const MOST_ROWS: usize = 10_000_000;
}

impl Default for Limits {
    /// Three minutes, which is what the services take without being asked; half a million rows; a quarter of a gibibyte.
    fn default() -> Self {
        Limits {
            timeout_seconds: 180,
            rows: 500_000,
            bytes: 256 << 20,
            concurrent: Self::MOST_CONCURRENT,
        }
    }
}

/// What answers a workspace's queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// Azure Monitor Log Analytics, and with it Microsoft Sentinel.
    LogAnalytics {
        /// The workspace's GUID, in lower case.
        workspace_id: String,
    },
    /// Azure Data Explorer, or anything else that speaks Kusto's REST protocol.
    Kusto {
        /// The database.
        database: String,
    },
    /// Microsoft Defender's advanced hunting, through Microsoft Graph.
    Defender,
    /// Azure Resource Graph.
    ResourceGraph {
        /// GUIDs in lower case; none means all that the user can see.
        subscriptions: Vec<String>,
    },
    /// Another Spoor server, which speaks Kusto's protocol.
    Spoor {
        /// The database.
        database: String,
    },
    /// The session's own data. Nothing is asked over any network.
    Local,
}

impl Service {
    /// The kinds, as a configuration writes them.
    pub const KINDS: [&'static str; 6] = [
        "log-analytics",
        "kusto",
        "defender",
        "resource-graph",
        "spoor",
        "local",
    ];

    /// The kind, as a configuration writes it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Service::LogAnalytics { .. } => Self::KINDS[0],
            Service::Kusto { .. } => Self::KINDS[1],
            Service::Defender => Self::KINDS[2],
            Service::ResourceGraph { .. } => Self::KINDS[3],
            Service::Spoor { .. } => Self::KINDS[4],
            Service::Local => Self::KINDS[5],
        }
    }

    /// The service's name, for messages.
    pub const fn title(&self) -> &'static str {
        match self {
            Service::LogAnalytics { .. } => "Log Analytics",
            Service::Kusto { .. } => "Azure Data Explorer",
            Service::Defender => "Microsoft Defender",
            Service::ResourceGraph { .. } => "Azure Resource Graph",
            Service::Spoor { .. } => "the Spoor server",
            Service::Local => "this session",
        }
    }
}

/// A workspace whose configuration holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// The name that queries give.
    pub name: String,
    /// What answers.
    pub service: Service,
    /// The cloud it is in.
    pub cloud: Cloud,
    /// How to reach and sign in to it; `None` for [`Service::Local`].
    pub remote: Option<Remote>,
    /// What its queries may take.
    pub limits: Limits,
}

/// How a service is reached, and who may ask it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The only server that its requests go to.
    pub origin: Origin,
    /// Who signs people in, without the tenant; `None` for a server that takes requests without a token.
    pub authority: Option<String>,
    /// The scope to ask a token for; `None` for a server that takes requests without a token.
    pub scope: Option<String>,
    /// The directory; `None` leaves it to the account.
    pub tenant: Option<String>,
    /// The application that people sign in to; `None` leaves it to the driver.
    pub client_id: Option<String>,
}

/// All workspaces of a configuration that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workspaces {
    default: Option<String>,
    list: Vec<Workspace>,
}

impl Workspaces {
    /// The workspaces, by name.
    pub fn list(&self) -> &[Workspace] {
        &self.list
    }

    /// The workspace that is meant where none is named: the configured one, or the only one.
    pub fn default_workspace(&self) -> Option<&Workspace> {
        match (&self.default, self.list.as_slice()) {
            (Some(name), list) => list.iter().find(|workspace| workspace.name == *name),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// The workspace called `name`, exactly.
    pub fn get(&self, name: &str) -> Result<&Workspace, Mistake> {
        let found = self.list.iter().find(|workspace| workspace.name == name);
        found.ok_or_else(|| Mistake {
            workspace: None,
            field: String::new(),
            message: format!("no workspace is called '{name}'"),
            hint: self.instead(name),
        })
    }

    fn instead(&self, name: &str) -> String {
        let names = || self.list.iter().map(|workspace| workspace.name.as_str());
        did_you_mean(name, names()).unwrap_or_else(|| {
            let names: Vec<&str> = names().collect();
            match names.as_slice() {
                [] => "the configuration has none yet: add one under [workspaces.NAME]".to_owned(),
                names => format!("the configuration has {}", names.join(", ")),
            }
        })
    }
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The workspace it is in.
    pub workspace: Option<String>,
    /// The field, with the table it is in: `limits.rows`. Empty where it is the workspace as such.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(workspace) = &self.workspace {
            write!(f, "workspace '{workspace}': ")?;
        }
        if !self.field.is_empty() {
            write!(f, "'{}': ", self.field)?;
        }
        write!(f, "{}; {}", self.message, self.hint)
    }
}

impl std::error::Error for Mistake {}
