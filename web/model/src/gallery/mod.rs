//! The gallery's entries: what they say of themselves, searching and filtering them.

mod names;
mod techniques;

use serde::{Deserialize, Serialize};
use spoor_notebook::Notebook;

pub use names::{MAX_NAME_BYTES, NameError, check_name, copy_name, notebook_name};
pub use techniques::{is_technique, technique_name};

/// A notebook of the gallery. An index of a gallery is a JSON list of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// The file, relative to the gallery.
    pub file: String,
    /// The title.
    pub title: String,
    /// One or two sentences on what it finds.
    pub description: String,
    /// Who wrote it.
    pub author: String,
    /// The tables or kinds of data that it needs.
    pub data_types: Vec<String>,
    /// Where such data comes from.
    pub data_sources: Vec<String>,
    /// Free words.
    pub tags: Vec<String>,
    /// The date of its last revision, as written.
    pub revised: Option<String>,
}

/// What the user wants to see. Empty lists and texts want everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words, each of which must be somewhere in the entry.
    pub text: String,
    /// Tags, all of which it must have.
    pub tags: Vec<String>,
    /// Tables that the user has: all that the entry needs must be among them.
    pub have: Vec<String>,
    /// Data sources, one of which must be its.
    pub data_sources: Vec<String>,
}

impl Entry {
    /// What a notebook says of itself in `metadata.spoor`; its title falls back to its first
    /// heading, then to the file's name.
    pub fn of(file: &str, notebook: &Notebook) -> Self {
        let card = notebook.card();
        let stem = file.rsplit('/').next().unwrap_or(file);
        let stem = stem.strip_suffix(".ipynb").unwrap_or(stem);
        Self {
            file: file.to_owned(),
            title: notebook.title().unwrap_or_else(|| stem.to_owned()),
            description: card.description.unwrap_or_default(),
            author: card.author.unwrap_or_default(),
            data_types: card.data_types,
            data_sources: card.data_sources,
            tags: card.tags,
            revised: card.revised,
        }
    }

    fn fits(&self, filter: &Filter) -> bool {
        let has = |list: &[String], wanted: &String| list.iter().any(|one| same(one, wanted));
        filter.tags.iter().all(|tag| has(&self.tags, tag))
            && (filter.have.is_empty()
                || self.data_types.iter().all(|table| has(&filter.have, table)))
            && (filter.data_sources.is_empty()
                || filter
                    .data_sources
                    .iter()
                    .any(|source| has(&self.data_sources, source)))
    }

    /// How well the words fit: `None` if one is nowhere. A word in the title counts most.
    fn score(&self, words: &[String]) -> Option<u32> {
        let lists = [&self.tags, &self.data_types, &self.data_sources];
        let listed: String = lists
            .into_iter()
            .flatten()
            .map(|one| fold(one) + "\n")
            .collect();
        let title = fold(&self.title);
        let rest = format!(
            "{}\n{}\n{}",
            fold(&self.description),
            fold(&self.author),
            fold(&self.file)
        );
        let mut score = 0;
        for word in words {
            score += match () {
                () if title.contains(word) => 4,
                () if listed.contains(word) => 2,
                () if rest.contains(word) => 1,
                () => return None,
            };
        }
        Some(score)
    }
}

/// The entries that fit, best first; entries that fit alike stay in their order.
pub fn search<'e>(entries: &'e [Entry], filter: &Filter) -> Vec<&'e Entry> {
    let words: Vec<String> = filter.text.split_whitespace().map(fold).collect();
    let mut found: Vec<(u32, &Entry)> = entries
        .iter()
        .filter(|entry| entry.fits(filter))
        .filter_map(|entry| Some((entry.score(&words)?, entry)))
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// The values of a list over all entries with how many have each, the most common first, for a menu:
/// `facet(entries, |entry| &entry.tags)`.
pub fn facet(entries: &[Entry], of: impl Fn(&Entry) -> &[String]) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for value in entries.iter().flat_map(&of) {
        match counts.iter_mut().find(|(known, _)| same(known, value)) {
            Some((_, count)) => *count += 1,
            None => counts.push((value.clone(), 1)),
        }
    }
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| fold(&a.0).cmp(&fold(&b.0))));
    counts
}

fn fold(text: &str) -> String {
    text.to_lowercase()
}

fn same(a: &str, b: &str) -> bool {
    a == b || fold(a) == fold(b)
}

#[cfg(test)]
mod tests;
