//! All texts that rules look for in one field, looked for at once.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::pattern::{Pattern, Shape, Stands};

/// What a needle that is found means.
#[derive(Clone, Debug)]
enum Means {
    /// The test holds, where the needle stands there.
    Stands(Stands, usize),
    /// The test holds, where this pattern matches all of the text.
    May(usize, usize),
}

/// Patterns being gathered.
#[derive(Debug, Default)]
pub struct Gathered {
    needles: BTreeMap<String, Vec<Means>>,
    patterns: Vec<Pattern>,
    /// Patterns without any plain text, and their tests.
    bare: Vec<(usize, usize)>,
}

impl Gathered {
    /// Adds a test's pattern.
    pub fn add(&mut self, test: usize, pattern: &Pattern) {
        match pattern.shape() {
            Shape::Plain(text, stands) => self.mean(text, Means::Stands(stands, test)),
            Shape::Mixed(Some(text)) => {
                let at = self.keep(pattern);
                self.mean(text, Means::May(at, test));
            }
            Shape::Mixed(None) | Shape::Empty | Shape::Anything => {
                let at = self.keep(pattern);
                self.bare.push((at, test));
            }
        }
    }

    fn keep(&mut self, pattern: &Pattern) -> usize {
        self.patterns.push(pattern.clone());
        self.patterns.len() - 1
    }

    fn mean(&mut self, text: &str, means: Means) {
        self.needles.entry(text.to_owned()).or_default().push(means);
    }

    /// Makes one search of them. The message says that they are too many.
    pub fn build(self) -> Result<Needles, String> {
        let (texts, means): (Vec<String>, Vec<Vec<Means>>) = self.needles.into_iter().unzip();
        let automaton = match texts.is_empty() {
            true => None,
            false => Some(
                AhoCorasick::builder()
                    .match_kind(MatchKind::Standard)
                    .build(&texts)
                    .map_err(|error| format!("the rules look for too much: {error}"))?,
            ),
        };
        Ok(Needles {
            automaton,
            means,
            patterns: self.patterns,
            bare: self.bare,
        })
    }
}

/// Patterns of one field, ready to be looked for.
#[derive(Debug, Default)]
pub struct Needles {
    automaton: Option<AhoCorasick>,
    means: Vec<Vec<Means>>,
    patterns: Vec<Pattern>,
    bare: Vec<(usize, usize)>,
}

impl Needles {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.automaton.is_none() && self.bare.is_empty()
    }

    /// Marks the tests that hold for a text. `tried` is room for as many flags as there are patterns.
    pub fn find(&self, text: &str, holds: &mut [Option<bool>], tried: &mut Vec<bool>) {
        tried.clear();
        tried.resize(self.patterns.len(), false);
        for (pattern, test) in &self.bare {
            self.attempt(*pattern, *test, text, holds);
        }
        let Some(automaton) = &self.automaton else {
            return;
        };
        for found in automaton.find_overlapping_iter(text) {
            let means = self.means.get(found.pattern().as_usize());
            for means in means.into_iter().flatten() {
                match means {
                    Means::Stands(stands, test) => {
                        if is_there(*stands, found.start(), found.end(), text.len()) {
                            set(holds, *test);
                        }
                    }
                    Means::May(pattern, test) => {
                        if tried
                            .get_mut(*pattern)
                            .is_some_and(|t| !std::mem::replace(t, true))
                        {
                            self.attempt(*pattern, *test, text, holds);
                        }
                    }
                }
            }
        }
    }

    fn attempt(&self, pattern: usize, test: usize, text: &str, holds: &mut [Option<bool>]) {
        let pattern = self.patterns.get(pattern);
        if pattern.is_some_and(|pattern| pattern.matches(text)) {
            set(holds, test);
        }
    }
}

fn is_there(stands: Stands, start: usize, end: usize, length: usize) -> bool {
    match stands {
        Stands::Inside => true,
        Stands::First => start == 0,
        Stands::Last => end == length,
        Stands::Whole => start == 0 && end == length,
    }
}

fn set(holds: &mut [Option<bool>], test: usize) {
    if let Some(holds) = holds.get_mut(test) {
        *holds = Some(true);
    }
}
