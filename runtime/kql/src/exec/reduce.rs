//! Patterns of text, for `reduce`, after R. Vaarandi's "A Data Clustering Algorithm for Mining Patterns from Event Logs" (2003): words that
//! are frequent at their place in the text stay, and what is between them becomes `*`. Texts whose words stand together too seldom
//! lose the rarest word, one after the other, until enough of them are alike; what is left over are the others.
//!
//! Words are counted in two passes, so that those that cannot be frequent take no memory: the first counts their hashes alone.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, StringBuilder};
use async_trait::async_trait;
use datafusion::common::{Result, internal_err};

use super::whole::{Bench, Work};

/// What texts are called that are like no others.
const OTHERS: &str = "others";

/// Places at which words are counted; the words after them count as if they stood at the last.
const PLACES: usize = 256;

/// Hashes of words that are told apart in the first pass.
const HASHES: usize = 1 << 20;

/// Bytes that a word or a pattern takes in a table, besides its text.
const ENTRY: usize = 96;

/// What `reduce` looks for. The first column is the text.
#[derive(Debug, Clone)]
pub(crate) struct Patterns {
    /// The share of the rows that a word, and a pattern, has at least.
    pub(crate) threshold: f64,
    /// What is between words; where nothing is said, whatever is no letter and no digit.
    pub(crate) separators: Option<Vec<char>>,
    /// Whether the rows are kept, and each is given its pattern.
    pub(crate) beside: bool,
}

/// Texts that have some words in common.
struct Alike {
    pattern: String,
    /// One of them.
    row: usize,
    /// Which of its words they have in common.
    kept: Vec<bool>,
    count: u64,
    /// The more general pattern that they went to.
    into: Option<Home>,
}

/// Where a text belongs.
#[derive(Clone, Copy)]
enum Home {
    Pattern(usize),
    Others,
}

#[async_trait]
impl Work for Patterns {
    /// Pattern, count and a text of each group; or each row and its pattern.
    async fn of(&self, batch: &RecordBatch, bench: &mut Bench) -> Result<Vec<ArrayRef>> {
        let Some((texts, columns)) = batch.columns().split_first() else {
            return internal_err!("the text is missing");
        };
        let Some(texts) = texts.as_string_opt::<i32>() else {
            return internal_err!("what is reduced is no text");
        };
        let least = least(self.threshold, texts.len());
        let words = self.frequent(texts, least, bench).await?;
        let mut groups = Groups::default();
        let row_groups = groups.fill(self, texts, &words, bench).await?;
        groups.generalize(self, texts, &words, least, bench).await?;
        if self.beside {
            let mut columns = columns.to_vec();
            columns.push(groups.of_rows(&row_groups, bench).await);
            return Ok(columns);
        }
        Ok(groups.columns(texts))
    }
}

/// So many rows at least: one alone is like nothing.
fn least(threshold: f64, rows: usize) -> u64 {
    // A third of nine is three, whatever the last digit of a third is.
    ((threshold * rows as f64 - 1e-9).ceil() as u64).max(2)
}

/// What looking at a text costs.
fn cost(text: &str) -> usize {
    4 * text.len() + 16
}

/// The hash of a word at its place.
fn hash(at: usize, word: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    (at.min(PLACES - 1), word).hash(&mut hasher);
    hasher.finish() as usize % HASHES
}

/// How often each frequent word comes, by its place.
struct Words(Vec<HashMap<Box<str>, u64>>);

impl Words {
    /// Counts a word; gives the bytes that this takes.
    fn add(&mut self, at: usize, word: &str) -> usize {
        let at = at.min(PLACES - 1);
        if self.0.len() <= at {
            self.0.resize_with(at + 1, HashMap::new);
        }
        let Some(known) = self.0.get_mut(at) else {
            return 0;
        };
        if let Some(count) = known.get_mut(word) {
            *count += 1;
            return 0;
        }
        known.insert(word.into(), 1);
        word.len() + ENTRY
    }

    fn count(&self, at: usize, word: &str) -> u64 {
        let known = self.0.get(at.min(PLACES - 1));
        known.and_then(|of| of.get(word)).copied().unwrap_or(0)
    }
}

impl Patterns {
    fn separates(&self, letter: char) -> bool {
        match &self.separators {
            Some(separators) => separators.contains(&letter),
            None => !letter.is_alphanumeric(),
        }
    }

    /// The words of a text, each with where it begins.
    fn words<'t>(&self, text: &'t str) -> impl Iterator<Item = (usize, &'t str)> {
        let pieces = text.split(|letter| self.separates(letter));
        let start = text.as_ptr() as usize;
        let placed = pieces.map(move |word| (word.as_ptr() as usize - start, word));
        placed.filter(|(_, word)| !word.is_empty())
    }

    /// How often each hash of a word and its place comes.
    async fn hashes(&self, texts: &StringArray, bench: &mut Bench) -> Vec<u32> {
        let mut hashes = vec![0_u32; HASHES];
        for text in texts.iter().flatten() {
            for (at, (_, word)) in self.words(text).enumerate() {
                if let Some(count) = hashes.get_mut(hash(at, word)) {
                    *count = count.saturating_add(1);
                }
            }
            bench.did(cost(text)).await;
        }
        hashes
    }

    /// The words that come so often at their places.
    async fn frequent(&self, texts: &StringArray, least: u64, bench: &mut Bench) -> Result<Words> {
        bench.hold(HASHES * size_of::<u32>())?;
        let hashes = self.hashes(texts, bench).await;
        let mut words = Words(Vec::new());
        for text in texts.iter().flatten() {
            let mut grown = 0;
            for (at, (_, word)) in self.words(text).enumerate() {
                let most = hashes.get(hash(at, word)).copied().unwrap_or(0);
                if u64::from(most) >= least {
                    grown += words.add(at, word);
                }
            }
            bench.hold(grown)?;
            bench.did(cost(text)).await;
        }
        for known in &mut words.0 {
            known.retain(|_, count| *count >= least);
        }
        bench.free(HASHES * size_of::<u32>());
        Ok(words)
    }

    /// A text with `*` in place of the words that are not kept. What stands between two of those goes with them, and so does what the query
    /// calls a separator and stands beside them.
    fn pattern(&self, text: &str, kept: &[bool]) -> String {
        let (mut pattern, mut from, mut starred) = (String::new(), 0, false);
        let goes = self.separators.is_some();
        for ((start, word), kept) in self.words(text).zip(kept) {
            let between = text.get(from..start).unwrap_or("");
            from = start + word.len();
            if *kept {
                pattern += if starred && goes { "" } else { between };
                pattern += word;
            } else if !starred {
                pattern += if goes { "" } else { between };
                pattern.push('*');
            }
            starred = !kept;
        }
        pattern += match starred && goes {
            true => "",
            false => text.get(from..).unwrap_or(""),
        };
        pattern
    }
}

/// The groups, and which pattern is whose.
#[derive(Default)]
struct Groups {
    all: Vec<Alike>,
    known: HashMap<String, usize>,
    others: u64,
}

impl Groups {
    /// Puts each text to those that have the same frequent words; gives each row's group where rows are kept.
    async fn fill(
        &mut self,
        patterns: &Patterns,
        texts: &StringArray,
        words: &Words,
        bench: &mut Bench,
    ) -> Result<Vec<Home>> {
        let mut of_rows = Vec::new();
        if patterns.beside {
            bench.hold(texts.len() * size_of::<Home>())?;
            of_rows.reserve_exact(texts.len());
        }
        for row in 0..texts.len() {
            let text = texts.value(row);
            let each = patterns.words(text).enumerate();
            let kept: Vec<bool> = each
                .map(|(at, (_, word))| words.count(at, word) > 0)
                .collect();
            let group = self.add(patterns, text, (row, kept), 1, bench)?;
            if patterns.beside {
                of_rows.push(group);
            }
            bench.did(2 * cost(text)).await;
        }
        Ok(of_rows)
    }

    /// Adds texts, of which one is given, and which of its words they have in common.
    fn add(
        &mut self,
        patterns: &Patterns,
        text: &str,
        (row, kept): (usize, Vec<bool>),
        count: u64,
        bench: &Bench,
    ) -> Result<Home> {
        if !kept.contains(&true) {
            self.others += count;
            return Ok(Home::Others);
        }
        let pattern = patterns.pattern(text, &kept);
        if let Some(at) = self.known.get(&pattern) {
            if let Some(group) = self.all.get_mut(*at) {
                group.count += count;
            }
            return Ok(Home::Pattern(*at));
        }
        bench.hold(2 * pattern.len() + kept.len() + ENTRY)?;
        let at = self.all.len();
        self.known.insert(pattern.clone(), at);
        self.all.push(Alike {
            pattern,
            row,
            kept,
            count,
            into: None,
        });
        Ok(Home::Pattern(at))
    }

    /// Has groups that are too small go to more general ones, those that say most first.
    async fn generalize(
        &mut self,
        patterns: &Patterns,
        texts: &StringArray,
        words: &Words,
        least: u64,
        bench: &mut Bench,
    ) -> Result<()> {
        let said = |group: &Alike| group.kept.iter().filter(|kept| **kept).count();
        let most = self.all.iter().map(said).max().unwrap_or(0);
        let mut by_words: Vec<Vec<usize>> = vec![Vec::new(); most + 1];
        for (at, group) in self.all.iter().enumerate() {
            if let Some(list) = by_words.get_mut(said(group)) {
                list.push(at);
            }
        }
        while let Some(list) = by_words.pop() {
            for at in list {
                let Some(group) = self.all.get(at).filter(|group| group.count < least) else {
                    continue;
                };
                let (row, count) = (group.row, group.count);
                let text = texts.value(row);
                let kept = without_rarest(patterns, words, text, &group.kept);
                let before = self.all.len();
                let into = self.add(patterns, text, (row, kept), count, bench)?;
                if let Some(group) = self.all.get_mut(at) {
                    group.into = Some(into);
                }
                if let (true, Some(fewer)) = (self.all.len() > before, by_words.last_mut()) {
                    fewer.push(before);
                }
                bench.did(3 * cost(text)).await;
            }
        }
        Ok(())
    }

    /// The groups that are left: pattern, count and a text, the greatest first.
    fn columns(&self, texts: &StringArray) -> Vec<ArrayRef> {
        let mut left: Vec<&Alike> = self.all.iter().filter(|g| g.into.is_none()).collect();
        left.sort_by_key(|group| (std::cmp::Reverse(group.count), group.row));
        let (mut patterns, mut representatives) = (StringBuilder::new(), StringBuilder::new());
        let mut counts = Vec::new();
        for group in left {
            patterns.append_value(&group.pattern);
            counts.push(group.count as i64);
            representatives.append_value(texts.value(group.row));
        }
        if self.others > 0 {
            patterns.append_value(OTHERS);
            counts.push(self.others as i64);
            representatives.append_value("");
        }
        vec![
            Arc::new(patterns.finish()),
            Arc::new(Int64Array::from(counts)),
            Arc::new(representatives.finish()),
        ]
    }

    /// Each row's pattern.
    async fn of_rows(&self, rows: &[Home], bench: &mut Bench) -> ArrayRef {
        let mut patterns = StringBuilder::new();
        for group in rows {
            let mut group = *group;
            let pattern = loop {
                match group {
                    Home::Others => break OTHERS,
                    Home::Pattern(at) => match self.all.get(at).map(|g| (g.into, &g.pattern)) {
                        Some((Some(into), _)) => group = into,
                        Some((None, pattern)) => break pattern,
                        None => break OTHERS,
                    },
                }
            };
            patterns.append_value(pattern);
            bench.did(pattern.len() + 16).await;
        }
        Arc::new(patterns.finish())
    }
}

/// A text's words without the one that is the rarest; of several, the last.
fn without_rarest(patterns: &Patterns, words: &Words, text: &str, kept: &[bool]) -> Vec<bool> {
    let counted = patterns.words(text).enumerate().zip(kept);
    let rarest = counted
        .filter(|(_, kept)| **kept)
        .map(|((at, (_, word)), _)| (words.count(at, word), std::cmp::Reverse(at)))
        .min();
    let mut kept = kept.to_vec();
    if let Some((_, std::cmp::Reverse(at))) = rarest
        && let Some(is_kept) = kept.get_mut(at)
    {
        *is_kept = false;
    }
    kept
}
