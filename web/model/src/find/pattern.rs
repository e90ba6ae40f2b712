//! What is looked for: plain text or a regular expression.

use std::ops::Range;

use regex_lite::{Regex, RegexBuilder};

/// What the user asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The text or the regular expression.
    pub text: String,
    /// Whether it is a regular expression (without look-around; `\w` and `(?i)` mean ASCII).
    pub regex: bool,
    /// Whether case counts.
    pub case_sensitive: bool,
    /// Whether a match must be whole words.
    pub whole_word: bool,
    /// Whether outputs are searched as well.
    pub in_outputs: bool,
}

/// Why there can be no search.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// The regular expression is none.
    #[error("not a regular expression: {0}; turn the option off to find it as text")]
    Regex(String),
}

/// A query made ready.
#[derive(Debug, Clone)]
pub struct Pattern {
    matcher: Matcher,
    whole_word: bool,
}

#[derive(Debug, Clone)]
enum Matcher {
    /// Nothing is looked for.
    Nothing,
    Exact(String),
    /// Characters in lower case.
    Folded(Vec<char>),
    Regex(Regex),
}

impl Pattern {
    /// Makes a query ready. An empty one finds nothing.
    ///
    /// # Errors
    /// Where the regular expression is none.
    pub fn new(query: &Query) -> Result<Self, FindError> {
        let matcher = if query.text.is_empty() {
            Matcher::Nothing
        } else if query.regex {
            let mut builder = RegexBuilder::new(&query.text);
            builder
                .case_insensitive(!query.case_sensitive)
                .multi_line(true);
            let regex = builder
                .build()
                .map_err(|error| FindError::Regex(error.to_string()))?;
            Matcher::Regex(regex)
        } else if query.case_sensitive {
            Matcher::Exact(query.text.clone())
        } else {
            Matcher::Folded(query.text.chars().flat_map(char::to_lowercase).collect())
        };
        Ok(Self {
            matcher,
            whole_word: query.whole_word,
        })
    }

    /// The matches in a text, in order and apart. Empty matches are none.
    pub fn find_all<'t>(&'t self, text: &'t str) -> Box<dyn Iterator<Item = Range<usize>> + 't> {
        let all: Box<dyn Iterator<Item = Range<usize>> + 't> = match &self.matcher {
            Matcher::Nothing => Box::new(std::iter::empty()),
            Matcher::Exact(needle) => Box::new(
                text.match_indices(needle.as_str())
                    .map(|(at, part)| at..at + part.len()),
            ),
            Matcher::Folded(needle) => Box::new(Folded {
                text,
                needle,
                at: 0,
            }),
            Matcher::Regex(regex) => Box::new(regex.find_iter(text).map(|found| found.range())),
        };
        Box::new(all.filter(|range| !range.is_empty() && self.fits(text, range)))
    }

    fn fits(&self, text: &str, range: &Range<usize>) -> bool {
        !self.whole_word || is_whole_word(text, range)
    }

    /// What takes a match's place: `$1` and `${name}` are groups of a regular expression.
    pub(crate) fn replacement(&self, text: &str, range: &Range<usize>, with: &str) -> String {
        let Matcher::Regex(regex) = &self.matcher else {
            return with.to_owned();
        };
        let mut new = String::new();
        match regex.captures_at(text, range.start) {
            Some(groups) => groups.expand(with, &mut new),
            None => new.push_str(with),
        }
        new
    }

    /// The text with every match replaced, and how many there were.
    pub(crate) fn replace_all(&self, text: &str, with: &str) -> (String, usize) {
        let mut out = String::new();
        let (mut done, mut count) = (0, 0);
        for range in self.find_all(text) {
            out += &text[done..range.start];
            out += &self.replacement(text, &range, with);
            done = range.end;
            count += 1;
        }
        out += &text[done..];
        (out, count)
    }
}

fn is_whole_word(text: &str, range: &Range<usize>) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let inside = &text[range.clone()];
    let begins = word(text[..range.start].chars().next_back()) && word(inside.chars().next());
    let ends = word(inside.chars().next_back()) && word(text[range.end..].chars().next());
    !begins && !ends
}

/// Finds text whatever its case, in any script.
struct Folded<'t> {
    text: &'t str,
    needle: &'t [char],
    at: usize,
}

impl Iterator for Folded<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.text.len() {
            let start = self.at;
            let rest = &self.text[start..];
            if let Some(length) = folded_prefix(rest, self.needle) {
                self.at = start + length;
                return Some(start..self.at);
            }
            self.at += rest.chars().next().map_or(1, char::len_utf8);
        }
        None
    }
}

/// How many bytes of `text` the needle takes, if the text begins with it.
fn folded_prefix(text: &str, needle: &[char]) -> Option<usize> {
    let mut wanted = needle.iter();
    for (at, char) in text.char_indices() {
        if wanted.len() == 0 {
            return Some(at);
        }
        for folded in char.to_lowercase() {
            if wanted.next() != Some(&folded) {
                return None;
            }
        }
    }
    (wanted.len() == 0).then_some(text.len())
}

#[cfg(test)]
mod tests;
