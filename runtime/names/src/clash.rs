//! The names of many files' tables at once, where some would be the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::{file_name, named, stem, table_name};

/// The names of the files' tables, in the files' order, each name once.
///
/// A file is called what [`table_name`] says of it, unless others would be called the same. Then all of those have the
/// folders that they lie in put in front, as few as tell their folders apart: `2024-01-01/events.json` and
/// `2024-01-02/events.json` are `_2024_01_01_events` and `_2024_01_02_events`. Files that lie in one folder keep their
/// extensions too: `x.csv` and `x.csv.gz` are `x_csv` and `x_csv_gz`. What is still the same has a number behind it.
pub fn table_names(paths: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = paths.iter().map(|path| table_name(path)).collect();
    let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, name) in names.iter().enumerate() {
        alike.entry(name.clone()).or_default().push(at);
    }
    let alone = |files: &Vec<usize>| files.len() == 1;
    let mut taken: BTreeSet<String> = alike
        .iter()
        .filter(|(_, files)| alone(files))
        .map(|(name, _)| name.clone())
        .collect();
    for files in alike.values().filter(|files| !alone(files)) {
        let group: Vec<&str> = files
            .iter()
            .filter_map(|at| paths.get(*at).copied())
            .collect();
        for (at, name) in files.iter().zip(told_apart(&group)) {
            let name = free(name, &taken);
            taken.insert(name.clone());
            if let Some(slot) = names.get_mut(*at) {
                *slot = name;
            }
        }
    }
    names
}

/// Names for files that would all be called the same.
fn told_apart(paths: &[&str]) -> Vec<String> {
    let folders: Vec<Vec<&str>> = paths.iter().map(|path| folders(path)).collect();
    let depth = telling_depth(&folders);
    let with = |rest: fn(&str) -> &str| -> Vec<String> {
        let name = |(path, folders): (&&str, &Vec<&str>)| prefixed(folders, depth, rest(path));
        paths.iter().zip(&folders).map(name).collect()
    };
    let short = with(|path| stem(file_name(path)));
    let long = with(file_name);
    let count = |name: &String| short.iter().filter(|other| *other == name).count();
    let chosen = |(short, long): (&String, String)| match count(short) {
        1 => short.clone(),
        _ => long,
    };
    short.iter().zip(long).map(chosen).collect()
}

/// The folders of a path, the innermost first.
fn folders(path: &str) -> Vec<&str> {
    let mut parts = path.rsplit(['/', '\\']);
    parts.next();
    parts
        .filter(|part| !matches!(*part, "" | "." | ".."))
        .collect()
}

/// How many of the innermost folders tell all the folders apart.
fn telling_depth(folders: &[Vec<&str>]) -> usize {
    let deepest = folders.iter().map(Vec::len).max().unwrap_or(0);
    let kinds = |depth: usize| {
        let inner = folders.iter().map(|path| path.get(..depth).unwrap_or(path));
        inner.collect::<BTreeSet<_>>().len()
    };
    let all = kinds(deepest);
    (0..=deepest)
        .find(|depth| kinds(*depth) == all)
        .unwrap_or(deepest)
}

fn prefixed(folders: &[&str], depth: usize, rest: &str) -> String {
    let mut words: Vec<&str> = folders.iter().take(depth).rev().copied().collect();
    words.push(rest);
    named(&words.join("_"))
}

/// `name`, or the first of `name_2`, `name_3`, ... that is free.
fn free(name: String, taken: &BTreeSet<String>) -> String {
    if !taken.contains(&name) {
        return name;
    }
    (2_u64..)
        .map(|number| format!("{name}_{number}"))
        .find(|name| !taken.contains(name))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_the_same_is_told_apart() {
        let cases: [(&[&str], &[&str]); 7] = [
            (&["a/t.csv", "b/u.csv"], &["t", "u"]),
            (
                &[
                    "lg/2024-01-01/events.json",
                    "lg/2024-01-02/events.json",
                    "lg/x.csv",
                ],
                &["_2024_01_01_events", "_2024_01_02_events", "x"],
            ),
            (&["x.csv", "x.csv.gz"], &["x_csv", "x_csv_gz"]),
            (
                &["a/x.csv", "a/x.json", "b/x.csv"],
                &["a_x_csv", "a_x_json", "b_x"],
            ),
            // One folder is not enough here.
            (
                &["one/logs/t.csv", "two/logs/t.csv"],
                &["one_logs_t", "two_logs_t"],
            ),
            (&["t.csv", "a/t.csv"], &["t", "a_t"]),
            // The name that a table has by itself stays its own.
            (&["a/t.csv", "b/t.csv", "a_t.csv"], &["a_t_2", "b_t", "a_t"]),
        ];
        for (paths, wanted) in cases {
            assert_eq!(table_names(paths), wanted, "{paths:?}");
        }
    }

    #[test]
    fn no_two_names_are_the_same() {
        let paths = ["a-b/t.csv", "a_b/t.csv", "a b/t.csv", "a-b/t.csv"];
        let names: BTreeSet<String> = table_names(&paths).into_iter().collect();
        assert_eq!(names.len(), paths.len(), "{names:?}");
    }
}
