//! Groups of command lines with the same template.
//!
//! Masked command lines are counted first. Then those that differ in one token alone are joined, if that token has many
//! values and looks like a value: a path, a file, an assignment. Words and switches are never joined: `net user` and
//! `net view` are different things to do, however many there are.

use std::collections::{HashMap, HashSet};

use crate::value::is_value;
use crate::words::Numbers;
use crate::{Started, mask, tokens};

/// The longest template in bytes.
const LONGEST: usize = 512;

/// How many tokens of a template may become `<*>`, one after the other.
const ROUNDS: usize = 3;

/// What stands for a value of which there are many.
const ANY: &str = "<*>";

/// All command lines, by template.
#[derive(Clone, Debug)]
pub struct Clusters<'a> {
    groups: Vec<Group<'a>>,
    /// Row and group, in the rows' order.
    members: Vec<(u32, usize)>,
    of_program: HashMap<String, i64>,
    has_hosts: bool,
}

/// What has the same template.
#[derive(Clone, Debug, PartialEq)]
pub struct Group<'a> {
    /// The template.
    pub template: String,
    /// The program's file name.
    pub program: String,
    /// How many rows.
    pub rows: i64,
    /// How many hosts; 0 where none are known.
    pub hosts: i64,
    /// How many different command lines.
    pub variants: i64,
    /// The first row.
    pub first: u32,
    /// That row's command line.
    pub example: &'a str,
}

/// A command line: its number, and its shape's.
#[derive(Clone, Copy)]
struct Line {
    number: usize,
    shape: usize,
}

/// Command lines as they are grouped.
struct Shape {
    program: String,
    /// Its masked tokens, as numbers.
    tokens: Vec<u32>,
}

impl<'a> Clusters<'a> {
    /// Groups rows. A token becomes `<*>` where it has at least `variants` values. A row with an empty command line has
    /// none, and one with an empty host does not say it: text of KQL's is never null.
    pub fn of(rows: impl Iterator<Item = (u32, Started<'a>)>, variants: usize) -> Self {
        let mut words = Numbers::default();
        let mut lines: HashMap<&'a str, Line> = HashMap::new();
        let mut places: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut shapes: Vec<Shape> = Vec::new();
        let mut started: Vec<(u32, Line, Started<'a>)> = Vec::new();
        for (row, process) in rows {
            if process.command_line.trim().is_empty() {
                continue;
            }
            let number = lines.len();
            let line = *lines.entry(process.command_line).or_insert_with(|| {
                let made = shape(process.command_line, &mut words);
                let shape = *places.entry(made.tokens.clone()).or_insert(shapes.len());
                if shape == shapes.len() {
                    shapes.push(made);
                }
                Line { number, shape }
            });
            started.push((row, line, process));
        }
        let any = words.of(ANY.into());
        let values: Vec<bool> = words.texts().map(is_value).collect();
        let is_value = |word: u32| values.get(word as usize).copied().unwrap_or(false);
        for _ in 0..ROUNDS {
            if !generalise(&mut shapes, variants, any, is_value) {
                break;
            }
        }
        Self::gather(&started, &shapes, &words)
    }

    fn gather(started: &[(u32, Line, Started<'a>)], shapes: &[Shape], words: &Numbers) -> Self {
        let mut places: HashMap<&[u32], usize> = HashMap::new();
        let mut groups: Vec<Group<'a>> = Vec::new();
        let mut members = Vec::with_capacity(started.len());
        let mut of_program: HashMap<String, i64> = HashMap::new();
        let mut lines: HashSet<usize> = HashSet::new();
        let mut hosts: HashSet<(usize, &str)> = HashSet::new();
        for (row, line, process) in started {
            let Some(shape) = shapes.get(line.shape) else {
                continue;
            };
            let place = *places.entry(&shape.tokens).or_insert_with(|| {
                groups.push(Group {
                    template: template(shape, words),
                    program: shape.program.clone(),
                    rows: 0,
                    hosts: 0,
                    variants: 0,
                    first: *row,
                    example: process.command_line,
                });
                groups.len() - 1
            });
            members.push((*row, place));
            match of_program.get_mut(&shape.program) {
                Some(count) => *count += 1,
                None => drop(of_program.insert(shape.program.clone(), 1)),
            }
            if let Some(group) = groups.get_mut(place) {
                group.rows += 1;
                group.variants += i64::from(lines.insert(line.number));
                let host = process.host.filter(|host| !host.is_empty());
                let new = host.is_some_and(|host| hosts.insert((place, host)));
                group.hosts += i64::from(new);
            }
        }
        Clusters {
            groups,
            members,
            of_program,
            has_hosts: !hosts.is_empty(),
        }
    }

    /// How many rows have a command line.
    pub fn rows(&self) -> i64 {
        self.members.len() as i64
    }

    /// How many rows have a program.
    pub fn rows_of(&self, program: &str) -> i64 {
        self.of_program.get(program).copied().unwrap_or(0)
    }

    /// Whether any row says its host.
    pub fn has_hosts(&self) -> bool {
        self.has_hosts
    }

    /// The groups, in the order of their first rows.
    pub fn groups(&self) -> impl Iterator<Item = &Group<'a>> {
        self.groups.iter()
    }

    /// Each row with its group.
    pub fn members(&self) -> impl Iterator<Item = (u32, &Group<'a>)> {
        let group = |(row, at): &(u32, usize)| Some((*row, self.groups.get(*at)?));
        self.members.iter().filter_map(group)
    }
}

fn shape(line: &str, words: &mut Numbers) -> Shape {
    let tokens = tokens::split(line);
    let masked: Vec<String> = tokens.iter().map(|token| mask::mask(token)).collect();
    Shape {
        program: masked
            .first()
            .map_or(String::new(), |path| tokens::program(path)),
        tokens: masked.into_iter().map(|text| words.of(text)).collect(),
    }
}

/// Puts `any` where shapes that are otherwise the same have `variants` values or more. Whether any changed.
fn generalise(
    shapes: &mut [Shape],
    variants: usize,
    any: u32,
    is_value: impl Fn(u32) -> bool,
) -> bool {
    // For a shape without one of its tokens: which tokens stand there.
    let mut holes: HashMap<(usize, u64), HashSet<u32>> = HashMap::new();
    for shape in &*shapes {
        for (at, rest, token) in without_each(&shape.tokens) {
            if is_value(token) {
                holes.entry((at, rest)).or_default().insert(token);
            }
        }
    }
    let mut changed = false;
    for shape in shapes {
        let values = |(at, rest, token): (usize, u64, u32)| {
            let found = holes.get(&(at, rest)).map_or(0, HashSet::len);
            (is_value(token) && found >= variants).then_some((found, at))
        };
        // The hole with the most values; of several the last.
        let widest = without_each(&shape.tokens).filter_map(values).max();
        let token = widest.and_then(|(_, at)| shape.tokens.get_mut(at));
        if let Some(token) = token.filter(|token| **token != any) {
            *token = any;
            changed = true;
        }
    }
    changed
}

/// For each token but the first: its place, a sum of all others and their places, and the token.
fn without_each(tokens: &[u32]) -> impl Iterator<Item = (usize, u64, u32)> {
    let all: u64 = tokens
        .iter()
        .enumerate()
        .fold(tokens.len() as u64, |sum, (at, token)| {
            sum.wrapping_add(scattered(at, *token))
        });
    tokens
        .iter()
        .enumerate()
        .skip(1)
        .map(move |(at, token)| (at, all.wrapping_sub(scattered(at, *token)), *token))
}

/// A number that looks random, of a token and its place (the finaliser of SplitMix64).
fn scattered(at: usize, token: u32) -> u64 {
    let mut bits = ((at as u64) << 32 | u64::from(token)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// The words of a shape, put together.
fn template(shape: &Shape, words: &Numbers) -> String {
    let mut template = String::new();
    for token in &shape.tokens {
        if !template.is_empty() {
            template.push(' ');
        }
        template.push_str(words.text(*token));
        if template.len() > LONGEST {
            let end = template.floor_char_boundary(LONGEST - '\u{2026}'.len_utf8());
            template.truncate(end);
            template.push('\u{2026}');
            break;
        }
    }
    template
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn groups(lines: &[&str], variants: usize) -> Vec<(String, i64)> {
        let rows = lines.iter().zip(0..).map(|(line, row)| {
            let process = Started {
                command_line: line,
                host: None,
            };
            (row, process)
        });
        let clusters = Clusters::of(rows, variants);
        let groups = clusters.groups();
        groups
            .map(|group| (group.template.clone(), group.rows))
            .collect()
    }

    #[test]
    fn masked_lines_are_one() {
        let found = groups(&["ping 1.2.3.4", "PING 5.6.7.8", "ping host"], 5);
        assert_eq!(found, [("ping <ip>".into(), 2), ("ping host".into(), 1)]);
    }

    #[test]
    fn many_values_are_one() {
        let lines = ["cat a.txt", "cat b.txt", "cat c.txt", "cat d.log e.log"];
        let joined = [("cat <*>".into(), 3), ("cat d.log e.log".into(), 1)];
        assert_eq!(groups(&lines, 3), joined);
        assert_eq!(groups(&lines, 4).len(), 4);
    }

    #[test]
    fn words_and_switches_stay() {
        let lines = [
            "net user",
            "net view",
            "net use",
            "net /x",
            "net -y",
            "net -z:a.b",
        ];
        assert_eq!(groups(&lines, 2).len(), 6);
    }

    #[test]
    fn commands_in_a_token_stay_and_paths_do_not() {
        let lines = [
            r#"cmd /c "echo a.txt""#,
            r#"cmd /c "type b.txt""#,
            r#"cmd /c "a.exe&&b.exe""#,
            r#"cmd /c "C:\a b.txt""#,
            r#"cmd /c "C:\a c.txt""#,
        ];
        let found = groups(&lines, 2);
        assert_eq!(found.len(), 4);
        assert_eq!(found.last(), Some(&("cmd /c <*>".into(), 2)));
    }

    #[test]
    fn the_program_stays() {
        assert_eq!(groups(&["a.exe", "b.exe", "c.exe"], 2).len(), 3);
    }

    #[test]
    fn two_values_are_masked_one_after_the_other() {
        let lines: Vec<String> = (0..6)
            .flat_map(|one| {
                (0..6).map(move |two| format!("cp {0}.x {1}.y", letter(one), letter(two)))
            })
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(groups(&lines, 5), [("cp <*> <*>".into(), 36)]);
    }

    fn letter(of: u8) -> char {
        char::from(b'a' + of)
    }

    #[test]
    fn the_order_of_rows_does_not_matter() {
        let mut lines = vec![
            "cat a.txt",
            "cat b.txt",
            "ls",
            "cat c.txt x",
            "cat d.txt x",
            "cat e.txt",
        ];
        let mut forward = groups(&lines, 2);
        lines.reverse();
        let mut backward = groups(&lines, 2);
        forward.sort();
        backward.sort();
        assert_eq!(forward, backward);
    }

    #[test]
    fn empty_text_is_none() {
        let started = |command_line, host| Started { command_line, host };
        let rows = [
            started("", Some("a")),
            started("  ", Some("a")),
            started("ls", Some("")),
            started("ls", None),
        ];
        let clusters = Clusters::of((0..).zip(rows), 5);
        assert_eq!((clusters.rows(), clusters.has_hosts()), (2, false));
        assert!(clusters.groups().all(|group| group.template == "ls"));
        let known = [started("ls", Some("")), started("ls", Some("a"))];
        let clusters = Clusters::of((0..).zip(known), 5);
        assert_eq!(clusters.groups().map(|group| group.hosts).max(), Some(1));
    }

    #[test]
    fn hostile_lines_have_templates() {
        let long = "x\u{20ac} ".repeat(10_000);
        let found = groups(&["", " ", "\"", "/", "\u{0}", &long], 2);
        assert!(found.iter().all(|(template, _)| template.len() <= LONGEST));
        assert_eq!(found.iter().map(|(_, rows)| rows).sum::<i64>(), 4);
    }
}
