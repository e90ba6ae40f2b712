//! What stands in a rule's way, and where it stands.

use std::fmt;

/// Why a rule cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line of the rules' text, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong, in words.
    pub message: String,
}

impl Problem {
    /// A problem at a place.
    pub fn new(at: Place, message: impl Into<String>) -> Self {
        Problem {
            line: at.line,
            column: at.column,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "line {}, column {}: {}",
            self.line, self.column, self.message
        )
    }
}

/// A place in the rules' text, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Text as it may stand in a message: short, and on one line.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("`{}`", short.replace(char::is_control, " "))
}
