//! Stale marks: which cells show what is no longer so.
//!
//! Each run of a cell reads names and writes names. A cell remembers, for each name that it read,
//! which run of which cell had written it. When that writer runs again, the reader is stale until
//! it runs too; so is whoever read what a stale cell wrote. A first run from top to bottom leaves
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
        let sources = reads
            .iter()
            .filter_map(|name| self.writers.get(name))
            .filter(|run| run.0 != cell);
        let sources = sources.cloned().collect();
        self.cells.insert(cell.to_string(), (self.runs, sources));
        for name in writes {
            self.writers
                .insert(name.clone(), (cell.to_string(), self.runs));
        }
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
