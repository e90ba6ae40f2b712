//! A rule's text with its wildcards: `*` any letters, `?` one letter, `\` before either or before itself makes it plain.

use crate::fold::fold;

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// This text.
    Plain(String),
    /// One letter.
    One,
    /// Any letters, or none.
    Any,
}

/// Text with wildcards. No two plain parts and no two `Any` follow each other, and no plain part is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(Vec<Part>);

/// Where plain text has to stand in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stands {
    /// It is all of it.
    Whole,
    /// Anywhere.
    Inside,
    /// At the start.
    First,
    /// At the end.
    Last,
}

/// What a pattern comes down to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape<'p> {
    /// No text at all.
    Empty,
    /// Any text.
    Anything,
    /// Plain text at a place.
    Plain(&'p str, Stands),
    /// More than that; the longest plain part, if there is one.
    Mixed(Option<&'p str>),
}

impl Pattern {
    /// Reads a rule's text.
    pub fn parse(text: &str) -> Self {
        let mut pattern = Pattern::default();
        let mut plain = String::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => plain.push(
                    letters
                        .next_if(|next| matches!(next, '*' | '?' | '\\'))
                        .unwrap_or('\\'),
                ),
                '*' | '?' => {
                    pattern.push(Part::Plain(std::mem::take(&mut plain)));
                    pattern.push(if letter == '*' { Part::Any } else { Part::One });
                }
                _ => plain.push(letter),
            }
        }
        pattern.push(Part::Plain(plain));
        pattern
    }

    /// Text without wildcards.
    pub fn plain(text: impl Into<String>) -> Self {
        Pattern::of(vec![Part::Plain(text.into())])
    }

    /// Of parts.
    pub fn of(parts: Vec<Part>) -> Self {
        let mut pattern = Pattern::default();
        parts.into_iter().for_each(|part| pattern.push(part));
        pattern
    }

    fn push(&mut self, part: Part) {
        match (self.0.last_mut(), part) {
            (_, Part::Plain(text)) if text.is_empty() => {}
            (Some(Part::Plain(before)), Part::Plain(text)) => before.push_str(&text),
            (Some(Part::Any), Part::Any) => {}
            (_, part) => self.0.push(part),
        }
    }

    /// The parts.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Bytes of its plain parts.
    pub fn length(&self) -> usize {
        let plain = self.0.iter().map(|part| match part {
            Part::Plain(text) => text.len(),
            _ => 0,
        });
        plain.sum()
    }

    /// The same with any letters before it, after it, or both.
    pub fn with_any(self, before: bool, after: bool) -> Self {
        let mut pattern = Pattern::default();
        if before {
            pattern.push(Part::Any);
        }
        self.0.into_iter().for_each(|part| pattern.push(part));
        if after {
            pattern.push(Part::Any);
        }
        pattern
    }

    /// The text of a pattern without wildcards.
    pub fn as_plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Plain(text)] => Some(text),
            _ => None,
        }
    }

    /// The same in lower case.
    pub fn folded(&self) -> Self {
        let parts = self.0.iter().map(|part| match part {
            Part::Plain(text) => Part::Plain(fold(text)),
            other => other.clone(),
        });
        Pattern(parts.collect())
    }

    /// What it comes down to.
    pub fn shape(&self) -> Shape<'_> {
        match self.0.as_slice() {
            [] => Shape::Empty,
            [Part::Any] => Shape::Anything,
            [Part::Plain(text)] => Shape::Plain(text, Stands::Whole),
            [Part::Plain(text), Part::Any] => Shape::Plain(text, Stands::First),
            [Part::Any, Part::Plain(text)] => Shape::Plain(text, Stands::Last),
            [Part::Any, Part::Plain(text), Part::Any] => Shape::Plain(text, Stands::Inside),
            parts => Shape::Mixed(
                parts
                    .iter()
                    .filter_map(|part| match part {
                        Part::Plain(text) => Some(text.as_str()),
                        _ => None,
                    })
                    .max_by_key(|text| text.len()),
            ),
        }
    }

    /// Whether all of a text is like this. At most text times pattern steps.
    pub fn matches(&self, text: &str) -> bool {
        let mut runs = self.0.split(|part| *part == Part::Any);
        let Some(first) = runs.next() else {
            return text.is_empty();
        };
        let Some(mut rest) = after(first, text) else {
            return false;
        };
        let mut runs: Vec<&[Part]> = runs.collect();
        let Some(last) = runs.pop() else {
            return rest.is_empty();
        };
        for run in runs {
            match find(run, rest) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        ends(last, rest)
    }
}

/// What follows a run of plain parts and single letters at the start of a text.
fn after<'t>(run: &[Part], mut text: &'t str) -> Option<&'t str> {
    for part in run {
        text = match part {
            Part::Plain(plain) => text.strip_prefix(plain.as_str())?,
            _ => {
                let mut letters = text.chars();
                letters.next()?;
                letters.as_str()
            }
        };
    }
    Some(text)
}

/// What follows the first place where a run is found.
fn find<'t>(run: &[Part], text: &'t str) -> Option<&'t str> {
    if let [Part::Plain(plain)] = run {
        return text.split_once(plain.as_str()).map(|(_, after)| after);
    }
    text.char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .find_map(|at| after(run, text.get(at..)?))
}

/// Whether a text ends with a run.
fn ends(run: &[Part], text: &str) -> bool {
    let mut rest = text;
    for part in run.iter().rev() {
        let before = match part {
            Part::Plain(plain) => rest.strip_suffix(plain.as_str()),
            _ => {
                let mut letters = rest.chars();
                letters.next_back().map(|_| letters.as_str())
            }
        };
        match before {
            Some(before) => rest = before,
            None => return false,
        }
    }
    true
}
