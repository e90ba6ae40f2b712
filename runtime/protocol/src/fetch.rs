//! Who runs a query in the kernel's stead, what it says of the result, and why there is none, as drivers, `spoor serve` and the
//! kernel tell each other.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most bytes of a fetch's result. A page, its worker and the kernel each hold it for a moment.
pub const MAX_FETCHED: usize = 512 << 20;

/// The most tables of a fetch's result.
pub const MAX_FETCHED_TABLES: usize = 100;

/// The workspace that is always the session's own data.
pub const LOCAL_WORKSPACE: &str = "local";

/// Who runs a query in the kernel's stead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// The machine that serves the page or runs the notebook.
    Host,
    /// A workspace of the driver's configuration, by its name there.
    Workspace(String),
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Provider::Host => f.write_str("host"),
            Provider::Workspace(name) => write!(f, "workspace '{name}'"),
        }
    }
}

/// What an answer says beside its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Why the result is not all that was asked for, a sentence each; none where it is, as far as the service says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partial: Vec<String>,
    /// How the service says that the query asks to be drawn: the kind of `render`, and its properties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub render: Option<(String, Vec<(String, String)>)>,
    /// What the query took, as the service tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Value>,
    /// When the answer was recorded, in RFC 3339; none where the service was asked just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<String>,
}

/// Why there is no result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchError {
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where the query is wrong, if it is; the first is what `message` tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<Mistake>,
}

/// One mistake in a query. Places are Unicode code points of the query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl FetchError {
    /// An error that is not of the query's text.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// Of a result that is larger than [`MAX_FETCHED`].
    pub fn too_large() -> Self {
        let most = MAX_FETCHED >> 20;
        Self::new(format!(
            "the result is larger than the {most} MiB that a cell can take"
        ))
        .hint("summarise in the query, or take fewer rows and columns")
    }

    /// Has `change` look at each text: drivers take out what nobody may see.
    pub fn change_texts(&mut self, change: &dyn Fn(&mut String)) {
        change(&mut self.message);
        self.hint.iter_mut().for_each(change);
        for mistake in &mut self.mistakes {
            change(&mut mistake.message);
            mistake.hint.iter_mut().for_each(change);
        }
    }

    /// Adds what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
