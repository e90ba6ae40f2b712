//! What the protocols ask of an engine, and what it may answer.

use spoor_protocol::Mistake;
use spoor_table::{Column, Table};

/// What runs queries. Called on threads that may block.
pub trait Engine: Send + Sync {
    /// Runs a query to its end. Asks `stop` some times a second, and ends with [`Fault::Stopped`] when that gives a reason.
    ///
    /// # Errors
    /// Why there is no result.
    fn run(&self, asked: &Asked<'_>, stop: &dyn Fn() -> Option<Stop>) -> Result<Answer, Problem>;

    /// The tables that queries may name, with their columns.
    ///
    /// # Errors
    /// Why they cannot be told.
    fn schema(&self, stop: &dyn Fn() -> Option<Stop>) -> Result<Vec<TableSchema>, Problem>;
}

/// A query, and what it is to see.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// KQL.
    pub text: &'a str,
    /// From when to when, in ticks, both included: of tables with a column `TimeGenerated` it sees no other rows.
    pub between: Option<(i64, i64)>,
}

/// What a query gives.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The rows.
    pub table: Table,
    /// How the query asks to draw them.
    pub render: Option<Render>,
}

/// What `| render` said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Render {
    /// `timechart`, `piechart`, ...
    pub kind: String,
    /// Its properties by their names in KQL; a list is several of one name.
    pub properties: Vec<(String, String)>,
}

impl Render {
    /// A property's value; a list's with commas between. `None` where the query does not give it.
    pub(crate) fn given(&self, name: &str) -> Option<String> {
        let own = self.properties.iter();
        let own = own.filter(|(own, _)| own.eq_ignore_ascii_case(name));
        let values: Vec<&str> = own.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(","))
    }
}

/// A table that queries may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
}

/// Why a query has to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nobody waits for it any more.
    Gone,
    /// Somebody cancelled it.
    Cancelled,
    /// Its time is up.
    TimeUp,
}

/// What kind of problem it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The text is no KQL.
    Syntax,
    /// The text is KQL that makes no sense here: an unknown column, a wrong type.
    Semantic,
    /// The query was stopped.
    Stopped(Stop),
    /// The query could not be run to its end: memory, data that cannot be read.
    Failed,
    /// It is the program's own fault.
    Broken,
}

/// Why a query gives no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of problem.
    pub fault: Fault,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the query; places are its code points. The first is what `message` tells.
    pub mistakes: Vec<Mistake>,
}

impl Problem {
    /// One without a place in the query.
    pub fn new(fault: Fault, message: impl Into<String>) -> Self {
        Problem {
            fault,
            message: message.into(),
            hint: None,
            mistakes: Vec::new(),
        }
    }

    /// The message and what to do about it, in one sentence or two.
    pub(crate) fn told(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}: {hint}", self.message),
            None => self.message.clone(),
        }
    }

    /// Where the first mistake is in the query's `text`.
    pub(crate) fn place(&self, text: &str) -> Option<Place> {
        let mistake = self.mistakes.first()?;
        Some(Place::of(text, mistake.start, mistake.end))
    }
}

/// A place in a query, as services tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in code points.
    pub(crate) column: usize,
    /// What stands there.
    pub(crate) token: String,
}

/// The longest token that is repeated to a client, in code points.
const LONGEST_TOKEN: usize = 100;

impl Place {
    fn of(text: &str, start: usize, end: usize) -> Self {
        let before: String = text.chars().take(start).collect();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let length = end.saturating_sub(start).min(LONGEST_TOKEN);
        let token: String = text.chars().skip(start).take(length).collect();
        Place {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            token: if token.is_empty() {
                "<EOF>".into()
            } else {
                token
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_code_points_from_one() {
        let text = "T\n| whére x";
        let place = Place::of(text, 4, 9);
        assert_eq!((place.line, place.column), (2, 3));
        assert_eq!(place.token, "whére");
        let end = Place::of("T |", 3, 3);
        assert_eq!((end.line, end.column, end.token.as_str()), (1, 4, "<EOF>"));
    }
}
