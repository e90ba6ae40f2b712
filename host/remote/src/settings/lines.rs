//! On which lines of a configuration its mistakes are.

use spoor_providers::config::Mistake;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Note;

/// The line of a place in bytes, from 1.
pub(super) fn line_of(text: &[u8], at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Mistakes with their lines, in the order of those.
pub(super) fn placed(text: &str, mistakes: Vec<Mistake>) -> Vec<Note> {
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
