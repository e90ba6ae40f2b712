//! Find and replace over all cells.
//!
//! Matches are kept by cell: typing in a cell, or a new output, searches that cell again. Offsets
//! are given as bytes and as the editor counts them.

mod pattern;

use std::collections::HashMap;
use std::ops::Range;

pub use pattern::{FindError, Pattern, Query};

use spoor_notebook::Output;

use crate::document::{CellKey, Document};
use crate::notebook::{Change, NotebookState};
use crate::text::{Cursor, byte_offset};

/// The most matches of one cell: more are of no use to a reader, and a page must draw them.
const MOST_IN_CELL: usize = 10_000;

/// Where in a cell a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// In its text.
    Source,
    /// In the text of its output with this index.
    Output(usize),
}

impl Place {
    /// Which output it is in, if it is in one.
    pub fn output(self) -> Option<usize> {
        match self {
            Self::Source => None,
            Self::Output(nth) => Some(nth),
        }
    }
}

/// A match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The cell.
    pub key: CellKey,
    /// Where in the cell.
    pub place: Place,
    /// Bytes of that text.
    pub bytes: Range<usize>,
    /// The same as the editor counts.
    pub editor: Range<usize>,
}

/// A search over a notebook, and where in it the user is.
#[derive(Debug, Clone)]
pub struct Finder {
    pattern: Pattern,
    in_outputs: bool,
    cells: HashMap<CellKey, Vec<Match>>,
    current: Option<(CellKey, usize)>,
}

impl Finder {
    /// Searches a document.
    ///
    /// # Errors
    /// Where the query is a regular expression that is none.
    pub fn new(query: &Query, document: &Document) -> Result<Self, FindError> {
        let mut finder = Self {
            pattern: Pattern::new(query)?,
            in_outputs: query.in_outputs,
            cells: HashMap::new(),
            current: None,
        };
        for key in document.keys() {
            finder.update(document, *key);
        }
        Ok(finder)
    }

    /// Searches one cell again, after its text or outputs changed or it came back.
    pub fn update(&mut self, document: &Document, key: CellKey) {
        let mut matches = self.search(document.source(key), key, Place::Source);
        if self.in_outputs {
            for (index, output) in document.outputs(key).iter().enumerate() {
                if let Some(text) = output_text(output) {
                    matches.extend(self.search(&text, key, Place::Output(index)));
                }
            }
        }
        if let Some((cell, nth)) = self.current
            && cell == key
            && nth >= matches.len()
        {
            self.current = None;
        }
        if matches.is_empty() {
            self.cells.remove(&key);
        } else {
            self.cells.insert(key, matches);
        }
    }

    /// Follows what was done to the notebook. What is typed is told with [`Finder::update`].
    pub fn follow(&mut self, document: &Document, changes: &[Change]) {
        for change in changes {
            match change {
                Change::CellRemoved { key } => self.remove(*key),
                Change::CellInserted { key, .. }
                | Change::SourceSet { key }
                | Change::KindChanged { key, .. }
                | Change::OutputsSet { key, .. } => self.update(document, *key),
                _ => {}
            }
        }
    }

    /// Forgets a cell that is gone.
    pub fn remove(&mut self, key: CellKey) {
        self.cells.remove(&key);
        self.current = self.current.filter(|(cell, _)| *cell != key);
    }

    fn search(&self, text: &str, key: CellKey, place: Place) -> Vec<Match> {
        let found = self.ranges(text).map(|(bytes, editor)| Match {
            key,
            place,
            bytes,
            editor,
        });
        found.collect()
    }

    /// The matches in a text, in bytes and as the editor counts.
    fn ranges<'t>(
        &'t self,
        text: &'t str,
    ) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + 't {
        let mut cursor = Cursor::new(text);
        let found = self.pattern.find_all(text).take(MOST_IN_CELL);
        found.map(move |bytes| {
            cursor.go_to(bytes.start);
            let start = cursor.editor;
            cursor.go_to(bytes.end);
            (bytes, start..cursor.editor)
        })
    }

    /// How many matches there are.
    pub fn len(&self) -> usize {
        self.cells.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The matches of a cell, in order, those of its outputs last.
    pub fn of(&self, key: CellKey) -> &[Match] {
        self.cells.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The match that the user is at.
    pub fn current(&self) -> Option<&Match> {
        let (key, nth) = self.current?;
        self.of(key).get(nth)
    }

    /// The matches in a text that is no cell's, as what is read of Markdown: ranges as the editor counts.
    pub fn in_text(&self, text: &str) -> Vec<Range<usize>> {
        self.ranges(text).map(|(_, editor)| editor).collect()
    }

    /// Where among those of its text or output the match is that the user is at, from 0, if it is in this cell and place.
    pub fn current_in(&self, key: CellKey, place: Place) -> Option<usize> {
        let (_, nth) = self.current.filter(|(cell, _)| *cell == key)?;
        let before = self.of(key).get(..nth)?.iter();
        let is_there = self.of(key).get(nth)?.place == place;
        is_there.then(|| before.filter(|found| found.place == place).count())
    }

    /// The number of the match that the user is at, from 1, as in "3 of 17".
    pub fn position(&self, document: &Document) -> Option<usize> {
        let (key, nth) = self.current?;
        let before = document.keys().iter().take_while(|other| **other != key);
        Some(before.map(|key| self.of(*key).len()).sum::<usize>() + nth + 1)
    }

    /// Goes to the first match at or after an editor's offset in a cell, around the end if need be.
    pub fn seek(&mut self, document: &Document, key: CellKey, offset: usize) -> Option<&Match> {
        let ahead = |found: &Match| found.place != Place::Source || found.editor.start >= offset;
        self.current = match self.of(key).iter().position(ahead) {
            Some(nth) => Some((key, nth)),
            None => self.first_of_next(document, key),
        };
        self.current()
    }

    /// Goes to the next match, from the last to the first.
    pub fn next(&mut self, document: &Document) -> Option<&Match> {
        self.current = match self.current {
            Some((key, nth)) if nth + 1 < self.of(key).len() => Some((key, nth + 1)),
            Some((key, _)) => self.first_of_next(document, key),
            None => self.first(document),
        };
        self.current()
    }

    /// Goes to the match before, from the first to the last.
    pub fn previous(&mut self, document: &Document) -> Option<&Match> {
        self.current = match self.current {
            Some((key, nth)) if nth > 0 => Some((key, nth - 1)),
            Some((key, _)) => self.last_of_previous(document, key),
            None => self.last_in(document.keys()),
        };
        self.current()
    }

    fn first(&self, document: &Document) -> Option<(CellKey, usize)> {
        let mut keys = document.keys().iter();
        let key = keys.find(|key| !self.of(**key).is_empty())?;
        Some((*key, 0))
    }

    fn first_of_next(&self, document: &Document, key: CellKey) -> Option<(CellKey, usize)> {
        let after = document.index_of(key).map_or(0, |index| index + 1);
        let (before, after) = document.keys().split_at(after);
        let mut keys = after.iter().chain(before);
        let key = keys.find(|key| !self.of(**key).is_empty())?;
        Some((*key, 0))
    }

    fn last_in(&self, keys: &[CellKey]) -> Option<(CellKey, usize)> {
        let key = keys.iter().rev().find(|key| !self.of(**key).is_empty())?;
        Some((*key, self.of(*key).len() - 1))
    }

    fn last_of_previous(&self, document: &Document, key: CellKey) -> Option<(CellKey, usize)> {
        let index = document.index_of(key).unwrap_or(0);
        let (before, after) = document.keys().split_at(index);
        self.last_in(before).or_else(|| self.last_in(after))
    }
}

/// Replacing, which the finder's matches are brought up to.
impl Finder {
    /// Replaces the current match and goes to the one after what took its place. Matches in outputs
    /// and in cells that may not be edited are passed over.
    pub fn replace(&mut self, state: &mut NotebookState, with: &str) -> Vec<Change> {
        let Some(found) = self.current().cloned() else {
            self.next(state.document());
            return Vec::new();
        };
        let key = found.key;
        if found.place != Place::Source || state.document().is_read_only(key) {
            self.next(state.document());
            return Vec::new();
        }
        let source = state.document().source(key);
        let new = self.pattern.replacement(source, &found.bytes, with);
        let end = found.bytes.start + new.len();
        let mut text = source.to_owned();
        text.replace_range(found.bytes, &new);
        let after = crate::text::editor_offset(&text, end);
        let changes = state.replace_sources(vec![(key, text)]);
        self.update(state.document(), key);
        self.seek(state.document(), key, after);
        changes
    }

    /// Replaces every match in the cells' texts, as one step of the history; says how many.
    pub fn replace_all(&mut self, state: &mut NotebookState, with: &str) -> (usize, Vec<Change>) {
        let mut count = 0;
        let mut texts = Vec::new();
        for key in state.document().keys() {
            if self.of(*key).is_empty() || state.document().is_read_only(*key) {
                continue;
            }
            let (text, replaced) = self
                .pattern
                .replace_all(state.document().source(*key), with);
            if replaced > 0 {
                count += replaced;
                texts.push((*key, text));
            }
        }
        let keys: Vec<CellKey> = texts.iter().map(|(key, _)| *key).collect();
        let changes = state.replace_sources(texts);
        for key in keys {
            self.update(state.document(), key);
        }
        (count, changes)
    }
}

/// The text of an output that is searched: streams, errors, and what is displayed as plain text.
pub fn output_text(output: &Output) -> Option<String> {
    match output {
        Output::Stream { text, .. } => Some(text.clone()),
        Output::Error { ename, evalue, .. } => Some(format!("{ename}: {evalue}")),
        other => {
            let text = other.bundle()?.data.get("text/plain")?.as_str()?;
            Some(text.to_owned())
        }
    }
}

/// Where an editor's range lies in a text, in bytes.
pub fn byte_range(text: &str, editor: &Range<usize>) -> Range<usize> {
    byte_offset(text, editor.start)..byte_offset(text, editor.end)
}

#[cfg(test)]
mod tests;
