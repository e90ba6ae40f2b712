//! Answers of Kusto's REST protocol, version 2: an array of frames, which are read as they come.
//!
//! A table comes whole (`DataTable`), or as `TableHeader`, any number of `TableFragment` and `TableProgress`, and `TableCompletion`.
//! Errors come after the status line: between a table's rows, at its end, or in `DataSetCompletion`. Sources: Azure Data
//! Explorer's page on the response of version 2, and the answers that Microsoft's Python client is tested with.

mod frame;

use super::budget::{Budget, Cut, MOST_TABLES};
use super::rows::Filling;
use super::{Cause, Completeness, DecodeError, Named, Outcome, kusto_v1, status};
use frame::{Head, Rows};

/// Everything read so far.
pub(super) struct Reader {
    tables: Vec<Open>,
    completeness: Completeness,
    /// Whether `DataSetCompletion` came.
    ended: bool,
    /// For the results.
    budget: Budget,
    /// For the tables beside them.
    beside: Budget,
    /// Per cent of the last table that reported any.
    progress: Option<f64>,
}

/// A table that may go on.
struct Open {
    id: Option<i64>,
    kind: String,
    name: String,
    filling: Filling,
    ended: bool,
}

impl Reader {
    pub(super) fn new(budget: Budget) -> Self {
        Reader {
            tables: Vec::new(),
            completeness: Completeness::Complete,
            ended: false,
            budget,
            beside: Budget::beside(),
            progress: None,
        }
    }

    /// Takes the next frame.
    pub(super) fn frame(&mut self, body: &[u8]) -> Result<(), DecodeError> {
        if self.ended {
            return Err(DecodeError::Shape(
                "a frame stands behind the last one".to_owned(),
            ));
        }
        let mut head = frame::read(self, Head::default(), body)?;
        if head.rows == Rows::Skipped {
            head.rows = Rows::Wanted;
            head = frame::read(self, head, body)?;
        }
        self.apply(head)
    }

    /// Rows that came so far, of results.
    pub(super) fn rows(&self) -> usize {
        self.results().map(|table| table.filling.came).sum()
    }

    pub(super) fn progress(&self) -> Option<f64> {
        self.progress
    }

    fn results(&self) -> impl Iterator<Item = &Open> {
        self.tables.iter().filter(|table| table.kind == PRIMARY)
    }

    fn apply(&mut self, mut head: Head) -> Result<(), DecodeError> {
        for error in &head.errors {
            status::error(error, &mut self.completeness);
        }
        match head.frame_type.as_str() {
            "DataSetHeader" if !head.version.starts_with("v2") => {
                let told = format!("its protocol is '{}', and only v2 is known", head.version);
                return Err(DecodeError::Shape(told));
            }
            "TableHeader" => {
                self.open(&mut head)?;
            }
            "DataTable" => {
                let Some(at) = head.opened else {
                    return Err(without_rows(&head));
                };
                if let Some(table) = self.tables.get_mut(at) {
                    table.ended = true;
                }
            }
            "TableFragment" if head.rows == Rows::None => {
                return Err(without_rows(&head));
            }
            "TableProgress" => {
                self.progress = head.progress.filter(|part| (0.0..=100.0).contains(part))
            }
            "TableCompletion" => self.complete(&head)?,
            "DataSetCompletion" => self.end(&head),
            // A fragment's rows are read by now; other frames are none of ours.
            _ => {}
        }
        Ok(())
    }

    /// Opens the table that a frame describes.
    fn open(&mut self, head: &mut Head) -> Result<usize, DecodeError> {
        let columns = head.columns.take().ok_or_else(|| {
            DecodeError::Shape(format!("the table '{}' has no columns", head.table_name))
        })?;
        if self.tables.len() >= MOST_TABLES {
            return Err(DecodeError::Shape(format!(
                "it has more than {MOST_TABLES} tables"
            )));
        }
        if head.table_id.is_some() && self.tables.iter().any(|table| table.id == head.table_id) {
            return Err(DecodeError::Shape(format!(
                "the table '{}' begins twice",
                head.table_name
            )));
        }
        let primary = head.table_kind == PRIMARY;
        let budget = if primary {
            &mut self.budget
        } else {
            &mut self.beside
        };
        let filling = Filling::new(columns, budget)
            .ok_or_else(|| DecodeError::Shape("it has too many columns".to_owned()))?;
        self.tables.push(Open {
            id: head.table_id,
            kind: std::mem::take(&mut head.table_kind),
            name: std::mem::take(&mut head.table_name),
            filling,
            ended: false,
        });
        Ok(self.tables.len() - 1)
    }

    /// The open table that a fragment belongs to, ready for its rows.
    fn fragment(&mut self, head: &Head) -> Result<usize, DecodeError> {
        let at = self.find(head)?;
        let replaces = match head.fragment_type.as_str() {
            "DataAppend" => false,
            "DataReplace" => true,
            other => {
                return Err(DecodeError::Shape(format!(
                    "'{other}' is no type of fragments"
                )));
            }
        };
        let (table, budget) = self.table(at);
        if table.ended {
            return Err(DecodeError::Shape(format!(
                "rows of '{}' stand behind its end",
                table.name
            )));
        }
        if replaces {
            table.filling.clear(budget)?;
        }
        Ok(at)
    }

    fn find(&self, head: &Head) -> Result<usize, DecodeError> {
        let found = self
            .tables
            .iter()
            .position(|table| table.id.is_some() && table.id == head.table_id);
        found.ok_or_else(|| {
            DecodeError::Shape(format!(
                "a {} is of a table that never began",
                head.frame_type
            ))
        })
    }

    /// A table that is there, and the budget that it is of.
    fn table(&mut self, at: usize) -> (&mut Open, &mut Budget) {
        let table = &mut self.tables[at];
        let budget = if table.kind == PRIMARY {
            &mut self.budget
        } else {
            &mut self.beside
        };
        (table, budget)
    }

    fn complete(&mut self, head: &Head) -> Result<(), DecodeError> {
        let at = self.find(head)?;
        let table = &mut self.tables[at];
        table.ended = true;
        let came = table.filling.came as u64;
        if let Some(wanted) = head.row_count.filter(|wanted| *wanted != came) {
            let told = format!(
                "the table '{}' is said to have {wanted} rows, and {came} came",
                table.name
            );
            self.completeness.note(Cause::Broken, told);
        }
        Ok(())
    }

    fn end(&mut self, head: &Head) {
        self.ended = true;
        if head.cancelled {
            self.completeness
                .note(Cause::Cancelled, "it did not run to its end");
        }
        let all = [&self.completeness, &self.budget.errors, &self.beside.errors];
        let mut reasons = all.into_iter().flat_map(|all| all.reasons());
        // Rounded decimals are not what the service means.
        let said = reasons.any(|reason| reason.cause != Cause::Limit);
        drop(reasons);
        if head.has_errors && !said {
            self.completeness.note(
                Cause::Service,
                "the service says that there were errors, and not which",
            );
        }
    }

    /// What it all came to.
    pub(super) fn finish(mut self) -> Result<Outcome, DecodeError> {
        let mut outcome = Outcome::default();
        let mut properties = None;
        let mut told = std::mem::take(&mut self.budget.errors);
        told.take_in(&self.beside.errors);
        for table in std::mem::take(&mut self.tables) {
            if !table.ended && self.ended {
                told.note(
                    Cause::Broken,
                    format!("the table '{}' has no end", table.name),
                );
            }
            if let Some(cut) = table.filling.cut {
                self.note_cut(&table.kind, cut);
            }
            let named = Named {
                name: table.name,
                table: table.filling.finish()?,
            };
            match table.kind.as_str() {
                PRIMARY => outcome.tables.push(named),
                "QueryCompletionInformation" => {
                    let statistics = status::completion(&named.table, &mut told);
                    outcome.statistics = outcome.statistics.take().or(statistics);
                }
                "QueryProperties" => {
                    properties = properties.or_else(|| status::render(&named.table))
                }
                _ => {}
            }
        }
        outcome.render = properties;
        outcome.completeness = self.settle(told);
        kusto_v1::nothing_but_an_error(outcome)
    }

    fn note_cut(&mut self, kind: &str, cut: Cut) {
        if kind == PRIMARY {
            let told = self.budget.told(cut);
            self.completeness.note(Cause::Limit, told);
        } else {
            let told = "it says more of itself than can be taken in";
            self.completeness.note(Cause::Broken, told);
        }
    }

    /// All reasons, those of the rows first.
    fn settle(self, mut told: Completeness) -> Completeness {
        told.take_in(&self.completeness);
        if !self.ended {
            told.note(Cause::Broken, "it stops without saying that it is whole");
        }
        told
    }
}

fn without_rows(head: &Head) -> DecodeError {
    let (kind, name) = (&head.frame_type, &head.table_name);
    DecodeError::Shape(format!("a {kind} '{name}' has no rows"))
}

/// The kind of the tables that a query's text asks for.
const PRIMARY: &str = "PrimaryResult";
