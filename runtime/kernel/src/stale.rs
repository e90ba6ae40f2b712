//! Stale marks: which cells show what is no longer so.
//!
//! Each run of a cell reads names and writes names. A cell remembers, for each name that it read,
//! which run of which cell had written it. When that writer runs again, the reader is stale until
//! it runs too; so is whoever read what a stale cell wrote. Data is as if a cell of its own wrote it, before
//! all others and each time that its file is replaced or taken away. A first run from top to bottom leaves
//! nothing stale, even where later cells write names that earlier ones have read.

use std::collections::{BTreeMap, BTreeSet};

/// A name as a cell reads or writes it. Python's names and KQL's tables are apart; a kept result
/// is in both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    Python(String),
    Table(String),
}

/// A run of a cell: the cell's id and the run's number in the session.
type Run = (String, u64);

/// What every cell that has run read and wrote.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    runs: u64,
    /// The last run's number and, for each other cell that wrote what it read, that cell's run.
    cells: BTreeMap<String, (u64, BTreeSet<Run>)>,
    writers: BTreeMap<Name, Run>,
}

impl Marks {
    /// Notes that `cell` has run.
    pub(crate) fn ran(&mut self, cell: &str, reads: &BTreeSet<Name>, writes: &BTreeSet<Name>) {
        self.runs += 1;
        let sources = reads.iter().filter_map(|name| self.writer(name));
        let sources = sources.filter(|run| run.0 != cell).collect();
        self.cells.insert(cell.to_string(), (self.runs, sources));
        for name in writes {
            self.writers
                .insert(name.clone(), (cell.to_string(), self.runs));
        }
    }

    /// The run that last wrote a name.
    fn writer(&self, name: &Name) -> Option<Run> {
        match (self.writers.get(name), name) {
            (Some(run), _) => Some(run.clone()),
            (None, Name::Table(table)) => Some((data(table), 0)),
            (None, Name::Python(_)) => None,
        }
    }

    /// Notes that a table's data is other than it was; whether a cell may have become stale by it.
    pub(crate) fn replaced(&mut self, table: &str) -> bool {
        self.runs += 1;
        let (data, run) = (data(table), self.runs);
        let is_read = self.cells.values();
        let is_read = { is_read }.any(|(_, sources)| sources.iter().any(|of| of.0 == data));
        self.cells.insert(data.clone(), (run, BTreeSet::new()));
        self.writers.insert(Name::Table(table.into()), (data, run));
        is_read
    }

    /// The ids of the cells that are stale, in order.
    pub(crate) fn stale(&self) -> Vec<String> {
        let mut stale = BTreeSet::new();
        loop {
            let before = stale.len();
            for (cell, (_, sources)) in &self.cells {
                let outdated = |(writer, run): &Run| {
                    stale.contains(writer)
                        || self
                            .cells
                            .get(writer)
                            .is_some_and(|(latest, _)| latest != run)
                };
                if sources.iter().any(outdated) {
                    stale.insert(cell.clone());
                }
            }
            if stale.len() == before {
                return stale.into_iter().collect();
            }
        }
    }
}

/// What stands for a table's data where a cell's id does. No id has a space.
fn data(table: &str) -> String {
    format!("data {table}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> BTreeSet<Name> {
        text.split_whitespace()
            .map(|n| Name::Python(n.into()))
            .collect()
    }

    /// Runs `cell: reads -> writes` lines and gives the cells stale at the end.
    fn stale_after(runs: &[(&str, &str, &str)]) -> String {
        let mut marks = Marks::default();
        for (cell, reads, writes) in runs {
            marks.ran(cell, &names(reads), &names(writes));
        }
        marks.stale().join(" ")
    }

    #[test]
    fn a_writer_run_again_makes_its_readers_stale() {
        let first = [
            ("a", "", "x"),
            ("b", "x", "y"),
            ("c", "y", ""),
            ("d", "", "z"),
        ];
        assert_eq!(stale_after(&first), "");
        let again = [&first[..], &[("a", "", "x")]].concat();
        assert_eq!(stale_after(&again), "b c");
        let mended = [&again[..], &[("b", "x", "y")]].concat();
        assert_eq!(stale_after(&mended), "c");
        let whole = [&mended[..], &[("c", "y", "")]].concat();
        assert_eq!(stale_after(&whole), "");
    }

    #[test]
    fn readers_of_replaced_data_are_stale_until_they_run() {
        let mut marks = Marks::default();
        let logs = BTreeSet::from([Name::Table("Logs".into())]);
        marks.ran("a", &logs, &names("x"));
        marks.ran("b", &names("x"), &BTreeSet::new());
        assert!(!marks.replaced("Others") && marks.stale().is_empty());
        assert!(marks.replaced("Logs"));
        assert_eq!(marks.stale(), ["a", "b"]);
        marks.ran("a", &logs, &names("x"));
        marks.ran("b", &names("x"), &BTreeSet::new());
        assert!(marks.stale().is_empty());
        assert!(marks.replaced("Logs"));
        assert_eq!(marks.stale(), ["a", "b"]);
    }

    #[test]
    fn a_later_writer_does_not_reach_back() {
        assert_eq!(
            stale_after(&[("a", "", "x"), ("b", "x", ""), ("c", "x", "x")]),
            ""
        );
    }

    #[test]
    fn a_cell_is_not_stale_by_itself() {
        assert_eq!(stale_after(&[("a", "x", "x"), ("a", "x", "x")]), "");
    }

    #[test]
    fn a_writer_that_no_longer_writes_still_makes_readers_stale() {
        assert_eq!(
            stale_after(&[("a", "", "x"), ("b", "x", ""), ("a", "", "")]),
            "b"
        );
    }
}
