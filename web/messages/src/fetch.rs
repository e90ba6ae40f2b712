//! What the page and the worker that asks workspaces say to each other, both ways as JSON with a `type`.
//!
//! The worker knows the user's configuration and sends requests; the page has the people who sign in. A token goes from the page
//! to this worker and on to the workspace's server, and to nowhere else: not to the worker that has the kernel and Python.

use serde::{Deserialize, Serialize};
use spoor_protocol::{FetchError, Told};

/// From the page.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToFetcher {
    /// The configuration from now on. Answered by [`FromFetcher::Known`].
    Configure {
        /// The text, as `spoor.toml` on the host has it.
        text: String,
    },
    /// Ask a workspace. Answered by [`FromFetcher::Answered`] or [`FromFetcher::Failed`], once, unless it is stopped before.
    Query {
        /// The page's number for it.
        id: u32,
        /// The workspace's name.
        workspace: String,
        /// KQL.
        query: String,
        /// The time that it looks at.
        timespan: Option<String>,
    },
    /// Ask a workspace for its tables and columns. Answered by [`FromFetcher::Schema`] or [`FromFetcher::Failed`].
    Schema {
        /// The page's number for it.
        id: u32,
        /// The workspace's name.
        workspace: String,
    },
    /// What a [`FromFetcher::TokenWanted`] asked for.
    Token {
        /// The query's number.
        id: u32,
        /// The token, or why there is none.
        token: Result<String, FetchError>,
    },
    /// Nobody waits for a query any more.
    Stop {
        /// Its number.
        id: u32,
    },
}

/// Without what a token is.
impl std::fmt::Debug for ToFetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Configure { .. } => "Configure",
            Self::Query { .. } => "Query",
            Self::Schema { .. } => "Schema",
            Self::Token { .. } => "Token",
            Self::Stop { .. } => "Stop",
        })
    }
}

/// To the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromFetcher {
    /// What the configuration says. One with mistakes leaves the workspaces as they were.
    Known {
        /// The workspaces, by name.
        workspaces: Vec<Known>,
        /// What is wrong, with lines from 1.
        mistakes: Vec<(usize, String)>,
    },
    /// A query needs a token of its workspace.
    TokenWanted {
        /// The query's number.
        id: u32,
        /// The workspace as the query knows it: the token is for no other server, whatever the configuration says by now.
        workspace: Known,
        /// Whether the service took the last one for none of its own, or for one that is over.
        is_refused: bool,
    },
    /// What a query waits for, for people.
    Progress {
        /// The query's number.
        id: u32,
        /// A line of text.
        text: String,
    },
    /// A query's answer. Beside it a `Uint8Array` for each table, an Arrow IPC stream.
    Answered {
        /// The query's number.
        id: u32,
        /// What the service says beside the rows.
        told: Box<Told>,
    },
    /// What tables a workspace has.
    Schema {
        /// The query's number.
        id: u32,
        /// Each table's name and columns, these by name and Kusto's type.
        tables: Vec<(String, Vec<(String, String)>)>,
    },
    /// Why there is no answer.
    Failed {
        /// The query's number.
        id: u32,
        /// Why.
        error: FetchError,
    },
}

/// A workspace of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// What it is, for people: `Log Analytics`, `Kusto`.
    pub title: String,
    /// The only server that its requests go to; none for the session's own data.
    pub server: Option<String>,
    /// Who signs people in; none where requests go without a token.
    pub sign_in: Option<SignIn>,
}

/// Where people sign in to a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The authority, with Entra's the directory behind it.
    pub authority: String,
    /// The application; none where the configuration names none, and then nobody can sign in.
    pub client_id: Option<String>,
    /// The scopes of the token.
    pub scopes: Vec<String>,
    /// Of a server that no cloud lists: its origin. A sign-in for it is for no other.
    pub server: Option<String>,
    /// Whether the authority is Entra; any other is asked by OpenID Connect as it stands.
    pub is_entra: bool,
}
