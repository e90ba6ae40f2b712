//! The headings of Markdown cells, and which cells lie hidden under collapsed ones.
//!
//! Headings are kept by cell, so that typing in one cell reads one cell.

use std::collections::{HashMap, HashSet};

use crate::document::{CellKey, Document, Kind};

/// A heading of a Markdown cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    /// Its text, without marks of emphasis, code and links.
    pub text: String,
    /// The line of the cell that it begins on, from 0.
    pub line: usize,
}

/// A line of the outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The cell.
    pub key: CellKey,
    /// Which of the cell's headings it is, from 0.
    pub nth: usize,
    /// The heading.
    pub heading: &'a Heading,
}

/// The headings of every cell that has some.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    cells: HashMap<CellKey, Vec<Heading>>,
}

impl Outline {
    /// Reads a document's headings.
    pub fn new(document: &Document) -> Self {
        let mut outline = Self::default();
        for (key, cell) in document.keys().iter().zip(&document.notebook().cells) {
            if Kind::of(cell) == Kind::Markdown {
                outline.put(*key, headings(&cell.source));
            }
        }
        outline
    }

    /// Reads one cell again; whether its headings are others now.
    pub fn update(&mut self, document: &Document, key: CellKey) -> bool {
        let new = match document.kind(key) {
            Kind::Markdown => headings(document.source(key)),
            _ => Vec::new(),
        };
        let changed = self.of(key) != new;
        self.put(key, new);
        changed
    }

    /// Forgets a cell.
    pub fn remove(&mut self, key: CellKey) {
        self.cells.remove(&key);
    }

    fn put(&mut self, key: CellKey, headings: Vec<Heading>) {
        if headings.is_empty() {
            self.cells.remove(&key);
        } else {
            self.cells.insert(key, headings);
        }
    }

    /// A cell's headings.
    pub fn of(&self, key: CellKey) -> &[Heading] {
        self.cells.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The level by which a cell collapses: the highest of its headings', 1 being higher than 2.
    pub fn level(&self, key: CellKey) -> Option<u8> {
        self.of(key).iter().map(|heading| heading.level).min()
    }

    /// The outline, from the top.
    pub fn entries<'a>(&'a self, document: &'a Document) -> impl Iterator<Item = Entry<'a>> {
        document.keys().iter().flat_map(|key| {
            let headings = self.of(*key).iter().enumerate();
            headings.map(|(nth, heading)| Entry {
                key: *key,
                nth,
                heading,
            })
        })
    }

    /// The cells out of sight: those after a collapsed heading, up to the next one as high.
    pub fn hidden(&self, document: &Document) -> HashSet<CellKey> {
        let mut hidden = HashSet::new();
        let mut under: Option<u8> = None;
        for key in document.keys() {
            let level = self.level(*key);
            if let (Some(top), Some(level)) = (under, level)
                && level <= top
            {
                under = None;
            }
            if under.is_some() {
                hidden.insert(*key);
            } else if level.is_some() && document.heading_collapsed(*key) {
                under = level;
            }
        }
        hidden
    }

    /// The cell with the heading that a cell is under: the nearest above that is higher.
    pub fn parent(&self, document: &Document, key: CellKey) -> Option<CellKey> {
        let index = document.index_of(key)?;
        let own = self.level(key).unwrap_or(u8::MAX);
        let above = document.keys()[..index].iter().rev().copied();
        above
            .into_iter()
            .find(|other| self.level(*other).is_some_and(|level| level < own))
    }

    /// All the headings that a cell is under, the nearest first.
    pub fn above(&self, document: &Document, key: CellKey) -> Vec<CellKey> {
        let parents = std::iter::successors(Some(key), |key| self.parent(document, *key));
        parents.skip(1).collect()
    }
}

/// The headings of Markdown: `# ATX` and underlined ones, outside fenced and indented code.
pub fn headings(source: &str) -> Vec<Heading> {
    let mut found = Vec::new();
    let mut fence: Option<(char, usize)> = None;
    // The lines of a paragraph that an underline would make a heading, and where it begins.
    let mut paragraph: Option<(usize, String)> = None;
    for (line, text) in source.lines().enumerate() {
        let indent = text.len() - text.trim_start_matches(' ').len();
        let body = text.trim();
        if let Some(open) = fence {
            if closes(body, open) && indent < 4 {
                fence = None;
            }
            continue;
        }
        if indent >= 4 || text.starts_with('\t') {
            // Indented code, unless it goes on with a paragraph.
            if let Some((_, so_far)) = &mut paragraph {
                *so_far += " ";
                *so_far += body;
            }
            continue;
        }
        if let Some(opened) = opens(body) {
            fence = Some(opened);
            paragraph = None;
        } else if let Some((level, title)) = atx(body) {
            found.push(heading(level, title, line));
            paragraph = None;
        } else if let Some((begin, title)) = paragraph.take_if(|_| underline(body).is_some()) {
            found.push(heading(underline(body).unwrap_or(1), &title, begin));
        } else if body.is_empty() || is_block(body) {
            paragraph = None;
        } else {
            match &mut paragraph {
                Some((_, so_far)) => {
                    *so_far += " ";
                    *so_far += body;
                }
                None => paragraph = Some((line, body.to_owned())),
            }
        }
    }
    found.retain(|heading| !heading.text.is_empty());
    found
}

fn heading(level: u8, title: &str, line: usize) -> Heading {
    Heading {
        level,
        text: plain(title),
        line,
    }
}

/// `## Title ##`: its level and title.
fn atx(body: &str) -> Option<(u8, &str)> {
    let rest = body.trim_start_matches('#');
    let level = body.len() - rest.len();
    if !(1..=6).contains(&level) || !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    let rest = rest.trim();
    let without = rest.trim_end_matches('#');
    let closed = without.is_empty() || without.ends_with([' ', '\t']);
    Some((level as u8, if closed { without.trim() } else { rest }))
}

/// The level that an underline of `=` or `-` gives.
fn underline(body: &str) -> Option<u8> {
    let all = |mark| !body.is_empty() && body.chars().all(|c| c == mark);
    if all('=') {
        Some(1)
    } else if all('-') {
        Some(2)
    } else {
        None
    }
}

/// The mark and length of a fence that a line opens.
fn opens(body: &str) -> Option<(char, usize)> {
    let mark = body.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = body.trim_start_matches(mark);
    let length = body.len() - rest.len();
    (length >= 3 && !(mark == '`' && rest.contains('`'))).then_some((mark, length))
}

fn closes(body: &str, (mark, length): (char, usize)) -> bool {
    body.len() >= length && body.chars().all(|c| c == mark)
}

/// Whether a line begins a quotation, a list or a table, whose underlines make no heading.
fn is_block(body: &str) -> bool {
    let digits = body.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = digits.len() < body.len() && digits.starts_with([')', '.']);
    let marked = ["- ", "* ", "+ ", ">", "|"]
        .iter()
        .any(|mark| body.starts_with(mark));
    let rule = body.len() >= 3 && body.chars().all(|c| matches!(c, '*' | '_' | ' '));
    marked || rule || (numbered && digits[1..].starts_with(' '))
}

/// A heading's text without marks: emphasis, code, images, and links down to their words.
fn plain(title: &str) -> String {
    let mut out = String::new();
    let mut rest = title;
    while let Some(char) = rest.chars().next() {
        let after = &rest[char.len_utf8()..];
        match char {
            '\\' if after.starts_with(|c: char| c.is_ascii_punctuation()) => {
                out.push_str(&after[..1]);
                rest = &after[1..];
            }
            '*' | '`' => rest = after,
            '_' if at_word_edge(&out, after) => rest = after,
            '!' if after.starts_with('[') => rest = after,
            '[' => match link(after) {
                Some((words, beyond)) => {
                    out += &plain(words);
                    rest = beyond;
                }
                None => {
                    out.push('[');
                    rest = after;
                }
            },
            _ => {
                out.push(char);
                rest = after;
            }
        }
    }
    out.trim().to_owned()
}

/// `words](target)`: the words, and what comes after.
fn link(after: &str) -> Option<(&str, &str)> {
    let (words, target) = after.split_once("](")?;
    let (_, beyond) = target.split_once(')')?;
    (!words.contains(']')).then_some((words, beyond))
}

/// Whether `_` between these would be emphasis rather than part of a name.
fn at_word_edge(before: &str, after: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !(word(before.chars().next_back()) && word(after.chars().next()))
}

/// Markdown whose first line is a heading of this level, whatever it was before.
pub fn as_heading(source: &str, level: u8) -> String {
    let text = source.trim_start();
    let hashes = text.len() - text.trim_start_matches('#').len();
    let title = if hashes <= 6 {
        text[hashes..].trim_start_matches([' ', '\t'])
    } else {
        text
    };
    format!("{} {title}", "#".repeat(usize::from(level)))
}

#[cfg(test)]
mod tests;
