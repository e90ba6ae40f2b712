//! Why a provider gives no result, as drivers, `spoor serve` and the kernel tell each other.

use serde::{Deserialize, Serialize};

/// The most bytes of a fetch's result. A page, its worker and the kernel each hold it for a moment.
pub const MAX_FETCHED: usize = 512 << 20;

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

    /// Adds what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
