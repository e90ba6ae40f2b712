//! The command palette: commands whose titles hold the letters that were typed, best first.

use std::ops::Range;

use crate::command::Command;

/// A command that fits, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The command.
    pub command: Command,
    /// Higher is better; comparable within one answer.
    pub score: i32,
    /// The bytes of the title that matched, for showing, in order and apart.
    pub matched: Vec<Range<usize>>,
}

/// The commands that fit what was typed, best first. All of them, in their own order, if nothing was.
pub fn filter(typed: &str) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Command::ALL
        .iter()
        .filter_map(|command| hit(*command, typed))
        .collect();
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.score));
    hits
}

fn hit(command: Command, typed: &str) -> Option<Hit> {
    if let Some((score, matched)) = fuzzy(command.title(), typed) {
        return Some(Hit {
            command,
            score,
            matched,
        });
    }
    // A category's name brings all its commands, after those whose titles fit.
    let (score, _) = fuzzy(command.category().title(), typed)?;
    Some(Hit {
        command,
        score: score - 1000,
        matched: Vec::new(),
    })
}

/// How well a text holds the letters of `typed` in their order, and where. Spaces in `typed` part
/// words, each of which may be anywhere. `None` if a letter is missing.
pub fn fuzzy(text: &str, typed: &str) -> Option<(i32, Vec<Range<usize>>)> {
    let mut score = 0;
    let mut matched: Vec<usize> = Vec::new();
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    for word in typed.split_whitespace() {
        let (points, found) = best(&letters, &fold(word))?;
        score += points;
        matched.extend(found);
    }
    matched.sort_unstable();
    matched.dedup();
    // Of two texts that fit alike the shorter one is nearer.
    score -= i32::try_from(letters.len()).unwrap_or(i32::MAX) / 8;
    Some((score, ranges(text, &matched)))
}

fn fold(word: &str) -> Vec<char> {
    word.chars().flat_map(char::to_lowercase).collect()
}

fn lower(char: char) -> char {
    char.to_lowercase().next().unwrap_or(char)
}

/// The best placement of a word's letters: dynamic programming over (letter of the word, place).
fn best(text: &[(usize, char)], word: &[char]) -> Option<(i32, Vec<usize>)> {
    // For each place, the score of the letters so far ending there, and where the one before was.
    let mut rows: Vec<Vec<Option<(i32, usize)>>> = Vec::new();
    for (nth, wanted) in word.iter().enumerate() {
        let mut row = vec![None; text.len()];
        let mut reach: Option<(i32, usize)> = None;
        for (at, (_, char)) in text.iter().enumerate() {
            if lower(*char) == *wanted {
                row[at] = if nth == 0 {
                    Some((letter(text, at), usize::MAX))
                } else {
                    join(&rows[nth - 1], at, reach)
                        .map(|(so_far, from)| (so_far + letter(text, at), from))
                };
            }
            if let Some(previous) = nth.checked_sub(1).and_then(|nth| rows[nth][at])
                && reach.is_none_or(|(score, _)| previous.0 >= score)
            {
                reach = Some((previous.0, at));
            }
        }
        rows.push(row);
    }
    trace(text, &rows)
}

/// The better of going on from the letter just before, and from the best one further back.
fn join(
    before: &[Option<(i32, usize)>],
    at: usize,
    reach: Option<(i32, usize)>,
) -> Option<(i32, usize)> {
    const RUN: i32 = 12;
    let adjacent = at
        .checked_sub(1)
        .and_then(|at| Some((before[at]?.0 + RUN, at)));
    match (adjacent, reach) {
        (Some(near), Some(far)) => Some(if near.0 >= far.0 { near } else { far }),
        (near, far) => near.or(far),
    }
}

/// What a letter at a place is worth: most at the text's beginning, then at a word's.
fn letter(text: &[(usize, char)], at: usize) -> i32 {
    let before = at.checked_sub(1).map(|at| text[at].1);
    match before {
        None => 12,
        Some(char) if !char.is_alphanumeric() => 9,
        Some(_) => 1,
    }
}

fn trace(text: &[(usize, char)], rows: &[Vec<Option<(i32, usize)>>]) -> Option<(i32, Vec<usize>)> {
    let last = rows.last()?;
    let ends = last
        .iter()
        .enumerate()
        .filter_map(|(at, cell)| Some((cell.as_ref()?.0, at)));
    // The first of the best.
    let (score, mut at) = ends.min_by_key(|(score, at)| (-score, *at))?;
    let mut places = Vec::new();
    for row in rows.iter().rev() {
        places.push(text[at].0);
        at = row[at]?.1;
    }
    places.reverse();
    Some((score, places))
}

/// Byte offsets of characters as ranges, neighbours joined.
fn ranges(text: &str, places: &[usize]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for &start in places {
        let end = start + text[start..].chars().next().map_or(0, char::len_utf8);
        match ranges.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => ranges.push(start..end),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn first(typed: &str) -> Command {
        filter(typed)[0].command
    }

    fn marked(text: &str, typed: &str) -> String {
        let (_, matched) = fuzzy(text, typed).unwrap();
        let mut out = text.to_owned();
        for range in matched.into_iter().rev() {
            out.insert(range.end, ']');
            out.insert(range.start, '[');
        }
        out
    }

    #[test]
    fn what_people_type_comes_first() {
        assert_eq!(first("run all"), Command::RunAll);
        assert_eq!(first("ra"), Command::RunAll);
        assert_eq!(first("kql"), Command::ToKql);
        assert_eq!(first("restart"), Command::Restart);
        assert_eq!(first("export html"), Command::ExportHtml);
        assert_eq!(first("HTML"), Command::ExportHtml);
        assert_eq!(first("heading 3"), Command::Heading3);
        assert_eq!(first("undo"), Command::Undo);
        assert_eq!(first("trust"), Command::Trust);
    }

    #[test]
    fn nothing_typed_shows_everything_and_nonsense_nothing() {
        let all: Vec<Command> = filter("  ").into_iter().map(|hit| hit.command).collect();
        assert_eq!(all, Command::ALL);
        assert!(filter("zzzqx").is_empty());
    }

    #[test]
    fn a_category_brings_its_commands_last() {
        let hits = filter("kernel");
        assert_eq!(hits[0].command, Command::Restart);
        assert!(
            hits.iter()
                .any(|hit| hit.command == Command::Interrupt && hit.matched.is_empty())
        );
    }

    #[test]
    fn beginnings_of_words_and_runs_are_marked() {
        assert_eq!(marked("Run all cells", "rac"), "[R]un [a]ll [c]ells");
        assert_eq!(
            marked("Restart and run all", "run"),
            "Restart and [run] all"
        );
        assert_eq!(
            marked("Clear all outputs", "out cl"),
            "[Cl]ear all [out]puts"
        );
        assert_eq!(marked("Überblick", "üb"), "[Üb]erblick");
    }
}
