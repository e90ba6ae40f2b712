//! A configuration as text: TOML, and on which of its lines mistakes are.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Config, Mistake, Workspaces};

/// A mistake and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there, and what to do.
    pub mistake: Mistake,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.mistake)
    }
}

/// Why a text is no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is no TOML, or has a value of a type that its field does not have.
    #[error("line {line}: {message}; correct that line")]
    NotToml {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// It says what cannot be.
    #[error("{}", listed(.0))]
    Mistakes(Vec<Note>),
}

fn listed(notes: &[Note]) -> String {
    let each = notes.iter().map(Note::to_string);
    each.collect::<Vec<_>>().join("\n")
}

impl Workspaces {
    /// The workspaces that a text names, as `spoor.toml` on the host and the page's settings have it.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of its lines.
    pub fn read(text: &str) -> Result<Self, TextError> {
        let config: Config = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            TextError::NotToml {
                line: line_of(text.as_bytes(), at),
                message: error.message().trim_end_matches('.').to_owned(),
            }
        })?;
        let placed = |mistakes| TextError::Mistakes(placed(text, mistakes));
        config.check().map_err(placed)
    }
}

/// The line of a place in bytes, from 1.
pub fn line_of(text: &[u8], at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Mistakes with their lines, in the order of those.
fn placed(text: &str, mistakes: Vec<Mistake>) -> Vec<Note> {
    let table = DeTable::parse(text).ok();
    let line = |mistake: &Mistake| {
        let at = table.as_ref().and_then(|table| place(table, mistake));
        line_of(text.as_bytes(), at.unwrap_or(0))
    };
    let mut notes: Vec<Note> = mistakes
        .into_iter()
        .map(|mistake| Note {
            line: line(&mistake),
            mistake,
        })
        .collect();
    notes.sort_by_key(|note| note.line);
    notes
}

/// Where the field of a mistake stands; for one that is missing, the table that should have it.
fn place(table: &Spanned<DeTable<'_>>, mistake: &Mistake) -> Option<usize> {
    let outer = mistake
        .workspace
        .as_deref()
        .map(|name| ["workspaces", name]);
    let path = outer.iter().flatten().copied();
    let field = mistake.field.split('.').filter(|part| !part.is_empty());
    let (mut at, mut found) = (table.get_ref(), None);
    for part in path.chain(field) {
        let Some((key, value)) = entry(at, part) else {
            break;
        };
        found = Some(key);
        match value.as_table() {
            Some(inner) => at = inner,
            None => break,
        }
    }
    found
}

fn entry<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<(usize, &'t DeValue<'i>)> {
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
    Some((key.span().start, value.get_ref()))
}
