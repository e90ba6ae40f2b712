//! How a query is changed: four bytes are one change.

use crate::Case;

/// The longest text that comes of changes, in bytes.
const LONGEST: usize = 4096;

/// A query of `cases`, which the first two bytes choose, changed as the rest says; with the number of its file.
pub fn changed(bytes: &[u8], cases: &[Case]) -> Option<(String, usize)> {
    let (chosen, changes) = bytes.split_first_chunk::<2>()?;
    let case = &cases[usize::from(u16::from_le_bytes(*chosen)) % cases.len()];
    let mut words = words(&case.query);
    for change in changes.chunks_exact(6) {
        let other = &cases[usize::from(u16::from_le_bytes([change[0], change[1]])) % cases.len()];
        apply(
            &mut words,
            &other.query,
            change[2],
            change[3..].try_into().ok()?,
        );
    }
    let text = words.concat();
    (text.len() <= LONGEST).then_some((text, case.file))
}

fn apply(words: &mut Vec<String>, other: &str, kind: u8, [at, from, count]: [u8; 3]) {
    let place = |at: u8, len: usize| usize::from(at) * len / 256;
    let at = place(at, words.len() + 1);
    let end = (at + usize::from(count % 8)).min(words.len());
    match kind % 6 {
        0 => drop(words.drain(at..end)),
        1 => {
            let copy = words[at..end].to_vec();
            words.splice(at..at, copy);
        }
        // Another query's words, instead of these or between them.
        2 | 3 => {
            let theirs = self::words(other);
            let from = place(from, theirs.len());
            let some = theirs
                .into_iter()
                .skip(from)
                .take(usize::from(count / 8 % 8) + 1);
            words.splice(at..if kind % 6 == 2 { end } else { at }, some);
        }
        // One of its operators, after one of these.
        4 => {
            let theirs: Vec<&str> = other.split('|').skip(1).collect();
            if let Some(operator) = theirs.get(place(from, theirs.len())) {
                let pipe = (at..words.len())
                    .find(|at| words[*at] == "|")
                    .unwrap_or(words.len());
                words.insert(pipe, format!("\n| {operator}"));
            }
        }
        _ => words.insert(at, char::from(from).to_string()),
    }
}

/// A text as its words and what is between them; together they are the text.
fn words(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut words: Vec<String> = Vec::new();
    for c in text.chars() {
        match words.last_mut() {
            Some(word) if is_part(c) && word.ends_with(is_part) => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    words
}
