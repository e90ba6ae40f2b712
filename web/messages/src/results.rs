//! What the page and the worker that holds results say to each other.
//!
//! Each message is a [`Request`] or a [`Reply`] as JSON text, beside at most one buffer: the stream of an
//! [`Ask::Open`], the bytes of a [`Answer::Exported`]. Every request is answered exactly once, under its own number.
//! Kusto's 64-bit integers are in it as text or as JSON numbers; neither side may read them as floats.

use serde::{Deserialize, Serialize};

/// The page's name for a result, unique among those that are open.
pub type ResultId = u32;

/// A question of the page's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Its number.
    pub request: u32,
    /// What is asked.
    pub ask: Ask,
}

/// An answer to the request of the same number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The request's number.
    pub request: u32,
    /// What is answered.
    pub answer: Answer,
}

/// What the page can ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// Take the Arrow IPC stream in the buffer as a result. Answered by [`Answer::Opened`].
    Open {
        /// Its name from now on; a result of the same name is closed.
        result: ResultId,
    },
    /// Forget a result. Answered by [`Answer::Closed`].
    Close {
        /// Which.
        result: ResultId,
    },
    /// Find a view's rows. A newer view of the same result takes the place of one that is not ready. Answered by
    /// [`Answer::Viewed`].
    View {
        /// The result.
        result: ResultId,
        /// The view.
        view: View,
    },
    /// Rows of a view as text. Answered by [`Answer::Rows`].
    Rows {
        /// The result.
        result: ResultId,
        /// The view.
        view: View,
        /// The first row of the view.
        from: u32,
        /// The row behind the last; past the end is no mistake.
        to: u32,
    },
    /// A cell's text, whole. Answered by [`Answer::Value`].
    Value {
        /// The result.
        result: ResultId,
        /// The row's id, as [`Row::id`] gives it.
        row: u32,
        /// The column.
        column: u32,
    },
    /// Figures of a column over a view's rows. Answered by [`Answer::Stats`].
    Stats {
        /// The result.
        result: ResultId,
        /// The view.
        view: View,
        /// The column.
        column: u32,
    },
    /// A view's rows in a format for other tools. Answered by [`Answer::Exported`] with a buffer.
    Export {
        /// The result.
        result: ResultId,
        /// The view.
        view: View,
        /// Which rows and columns of it.
        selection: Selection,
        /// The format.
        format: ExportFormat,
    },
    /// A view's rows as events on lanes. Answered by [`Answer::Timeline`].
    Timeline {
        /// The result.
        result: ResultId,
        /// The view.
        view: View,
        /// Which columns, and what part of time.
        spec: TimelineSpec,
    },
    /// A view's rows as trees of processes. Answered by [`Answer::Processes`].
    Processes {
        /// The result.
        result: ResultId,
        /// The view.
        view: View,
    },
    /// Give up a request that is not answered yet, which is then answered by [`Answer::Cancelled`]. Answered by
    /// [`Answer::Closed`].
    Cancel {
        /// Its number.
        target: u32,
    },
}

/// What the worker answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The result is open.
    Opened(Info),
    /// Done, with nothing to tell.
    Closed,
    /// The view is ready.
    Viewed {
        /// Its rows.
        rows: u32,
    },
    /// Rows.
    Rows(Rows),
    /// A cell's text.
    Value {
        /// The text; a null's is empty.
        text: String,
        /// Whether the cell is null.
        null: bool,
    },
    /// A column's figures.
    Stats(Stats),
    /// The export's text is in the buffer, as UTF-8.
    Exported {
        /// Rows in it.
        rows: u32,
    },
    /// Events on lanes.
    Timeline(Timeline),
    /// Trees of processes.
    Processes(Processes),
    /// A newer request took its place, or it was cancelled.
    Cancelled,
    /// It could not be done.
    Failed {
        /// Why, and what to do.
        message: String,
    },
}

/// An open result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// Its rows.
    pub rows: u32,
    /// Its columns.
    pub columns: Vec<ColumnInfo>,
    /// Whether a process tree can be made of it.
    pub processes: bool,
    /// What a timeline of it would show first; none without a datetime column.
    pub timeline: Option<TimelineSpec>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its Kusto type: `string`, `datetime` ...
    #[serde(rename = "type")]
    pub ty: String,
    /// Characters of the longest of its first values, to choose a width by.
    pub width: u32,
}

/// Which rows of a result, in which order. The default is all of them as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// The columns that rows are ordered by, the first first.
    pub sorts: Vec<Sort>,
    /// What rows must all fulfil.
    pub filters: Vec<Filter>,
    /// Text that some column of a row must contain, without regard to case; empty for any.
    pub search: String,
}

/// One column of an order, as Kusto's `sort by` has it: upwards nulls are first, downwards last.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sort {
    /// The column.
    pub column: u32,
    /// Upwards.
    pub ascending: bool,
}

/// What a column's values must fulfil.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Filter {
    /// The column.
    pub column: u32,
    /// The condition.
    pub test: Test,
}

/// A condition. Its values are text as the table shows them, read as the column's type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "op", content = "value", rename_all = "snake_case")]
pub enum Test {
    /// The shown text contains this, without regard to case.
    Contains(String),
    /// It does not.
    NotContains(String),
    /// The value is this one.
    Equals(String),
    /// It is another, or null.
    NotEquals(String),
    /// It is greater.
    Greater(String),
    /// It is greater or equal.
    AtLeast(String),
    /// It is less.
    Less(String),
    /// It is less or equal.
    AtMost(String),
    /// It lies between two, both included.
    Between(String, String),
    /// It is null, or the empty string.
    Empty,
    /// It is neither.
    NotEmpty,
    /// The shown text is one of these.
    OneOf(Vec<String>),
}

/// Rows of a view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// The first row's place in the view.
    pub from: u32,
    /// The view's rows in all.
    pub total: u32,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its place in the result, whatever the view.
    pub id: u32,
    /// A text for each column, null for a null. Long ones are cut and end in `…`.
    pub cells: Vec<Option<String>>,
    /// The columns whose text was cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<u32>,
}

/// Figures of a column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The column.
    pub column: u32,
    /// Rows of the view.
    pub rows: u32,
    /// Rows with a null, or with an empty string.
    pub empty: u32,
    /// Different values, nulls apart.
    pub distinct: u32,
    /// The least value in Kusto's order.
    pub min: Option<String>,
    /// The greatest.
    pub max: Option<String>,
    /// The mean of numbers, timespans and datetimes.
    pub mean: Option<String>,
    /// The most frequent values, with how often they come.
    pub top: Vec<(String, u32)>,
    /// How numbers, timespans and datetimes are spread.
    pub histogram: Option<Histogram>,
}

/// Counts of values in bins of equal width.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Values in each bin; at most 40 bins.
    pub counts: Vec<u32>,
    /// The bounds of the bins as text: one more than bins.
    pub bounds: Vec<String>,
}

/// Which part of a view is exported.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// From this row of the view to before that one; all where there is none.
    pub rows: Option<(u32, u32)>,
    /// These columns; all where there are none.
    pub columns: Option<Vec<u32>>,
}

/// A format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Comma-separated values.
    Csv,
    /// A Markdown table.
    Markdown,
    /// JSON as `spoor query --format json` writes it.
    Json,
    /// A KQL literal, `datatable (...) [...]`.
    Datatable,
}

impl ExportFormat {
    /// Every format, with what a menu calls it and the ending of its files.
    pub const ALL: [(ExportFormat, &'static str, &'static str); 4] = [
        (ExportFormat::Csv, "CSV", "csv"),
        (ExportFormat::Markdown, "Markdown", "md"),
        (ExportFormat::Json, "JSON", "json"),
        (ExportFormat::Datatable, "KQL datatable", "kql"),
    ];
}

/// What a timeline shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimelineSpec {
    /// The datetime column.
    pub time: u32,
    /// The column that events are labelled by.
    pub label: Option<u32>,
    /// The column whose values are the lanes; one lane without it.
    pub lane: Option<u32>,
    /// From this instant to that, in ticks of 100 ns since 0001-01-01; all where there is none.
    #[serde(default)]
    pub range: Option<(i64, i64)>,
}

/// Events on lanes, or counts of them where they are too many to be told apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// The first and the last instant shown, in ticks; equal where there is no event.
    pub range: (i64, i64),
    /// Ticks on the axis: a place from 0 to 1 and what stands there.
    pub axis: Vec<(f64, String)>,
    /// The lanes, the busiest first; past a number the last lane is of all others.
    pub lanes: Vec<Lane>,
    /// The events, in order of time; empty where they are counted.
    pub events: Vec<Event>,
    /// How many events lie in the range.
    pub total: u32,
    /// Rows of the view that have no time.
    pub timeless: u32,
}

/// A lane of a timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// Its value.
    pub name: String,
    /// Its events.
    pub count: u32,
    /// How many levels its events are put on, so that they do not cover each other.
    pub levels: u32,
    /// Counts in bins of equal width over the range; empty where events are listed.
    pub bins: Vec<u32>,
}

/// An event of a timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its row's id.
    pub row: u32,
    /// The lane, as its place in [`Timeline::lanes`].
    pub lane: u32,
    /// The level in its lane.
    pub level: u32,
    /// Where it is in the range, from 0 to 1.
    pub at: f64,
    /// When it was.
    pub time: String,
    /// Its label.
    pub label: String,
}

/// Processes as trees, flat: each node is followed by its children.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Processes {
    /// What kind of events they were made of, as people call it.
    pub source: String,
    /// The nodes, at most some thousands.
    pub nodes: Vec<Process>,
    /// How many nodes there are in all.
    pub total: u32,
    /// Rows of the view that tell of no process.
    pub others: u32,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// The id of the row that tells of its start; none for a parent that is only named by its children.
    pub row: Option<u32>,
    /// How deep it is; roots are at 0.
    pub depth: u32,
    /// Its children.
    pub children: u32,
    /// Its program.
    pub name: String,
    /// Its id, as the data has it.
    pub id: String,
    /// Its host.
    pub host: String,
    /// When it began.
    pub time: String,
    /// Its command line, cut where it is long.
    pub command: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn messages_survive_as_json() {
        let view = View {
            sorts: vec![Sort {
                column: 1,
                ascending: false,
            }],
            filters: vec![
                Filter {
                    column: 0,
                    test: Test::Between("1".into(), "2".into()),
                },
                Filter {
                    column: 2,
                    test: Test::Empty,
                },
            ],
            search: "x".into(),
        };
        let range = Some((638_000_000_000_000_001, 638_000_000_000_000_003));
        let spec = TimelineSpec {
            time: 0,
            label: None,
            lane: Some(1),
            range,
        };
        let request = Request {
            request: 7,
            ask: Ask::Timeline {
                result: 3,
                view,
                spec,
            },
        };
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request);
    }
}
