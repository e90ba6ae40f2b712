//! What can go wrong while a file becomes a table, and how it is told: file, place, cause, and what to do.

use std::fmt;

use crate::format::Format;

/// Where in a file something was found. Lines and columns count from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The member of a zip archive.
    pub member: Option<String>,
    /// The line.
    pub line: Option<u64>,
    /// The column, in bytes.
    pub column: Option<u64>,
    /// The line on which the value that was being read begins, where that is another line.
    pub since: Option<u64>,
}

/// Why a file could not be read. Displays as one line: what, where, why, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataError {
    /// What people call the file.
    pub label: String,
    /// Where in it.
    pub place: Box<Place>,
    /// What is wrong.
    pub problem: Problem,
}

impl std::error::Error for DataError {}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)?;
        if let Some(member) = &self.place.member {
            write!(f, ", file {member} in it")?;
        }
        if let Some(line) = self.place.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.place.column {
            write!(f, ", column {column}")?;
        }
        if let Some(since) = self.place.since {
            write!(f, " (in the object that begins on line {since})")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// What is wrong with a file. Each message ends with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No bytes, or nothing but space.
    #[error("the file is empty; there is no table in it")]
    Empty,
    /// A header or brackets, and no row.
    #[error("there are no rows and no column names in it; check that the export finished")]
    NoColumns,
    /// A format that is known and not read.
    #[error("this is {what}, which is not read here; {advice}")]
    Unsupported {
        /// The format's name, with its article.
        what: &'static str,
        /// What to do instead.
        advice: &'static str,
    },
    /// Bytes that are none of the formats.
    #[error(
        "these bytes are neither CSV, JSON, Parquet nor Arrow IPC; export the data in one of those formats"
    )]
    Unknown,
    /// A compressed stream that does not decompress.
    #[error(
        "the {method} data does not decompress ({cause}); the file is damaged or cut short, so fetch it again"
    )]
    Compression {
        /// gzip, zstd or zip.
        method: &'static str,
        /// The decompressor's word for it.
        cause: String,
    },
    /// A zip member that cannot be read.
    #[error("{cause}; unpack the archive and load the file itself")]
    Member {
        /// Why.
        cause: String,
    },
    /// Members of one archive that are not of one kind.
    #[error(
        "the archive mixes {} ({first}) and {} ({second}); unpack it and load the files one by one",
        first_format.name(), second_format.name()
    )]
    MixedMembers {
        /// The first member's format.
        first_format: Format,
        /// The first member.
        first: String,
        /// The format that differs.
        second_format: Format,
        /// The member that differs.
        second: String,
    },
    /// More output than the limit allows.
    #[error(
        "it unpacks to more than {limit} bytes, the most that is read; split it or filter it first"
    )]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// More table than the limit allows.
    #[error(
        "the table comes to more than {limit} bytes (at {rows} rows and {columns} columns), the most that one file may fill; load fewer rows or columns, and where keys are data put them into an array of name and value"
    )]
    TableTooLarge {
        /// The limit in bytes.
        limit: u64,
        /// Rows so far.
        rows: u64,
        /// Columns so far.
        columns: usize,
    },
    /// A row that would take too much memory at once.
    #[error(
        "a row is longer than {limit} bytes, the most that is read; make rows of its parts, or leave its largest value out"
    )]
    RowTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// More output for its input than honest data has.
    #[error(
        "it unpacks to more than {ratio} times its size, as a decompression bomb does; unpack it yourself if you trust it"
    )]
    Bomb {
        /// The limit, output bytes per input byte.
        ratio: u64,
    },
    /// Text in no encoding that is read.
    #[error("the text is not valid UTF-8; save the file as UTF-8")]
    Encoding,
    /// A JSON syntax error.
    #[error("not valid JSON: {cause}; correct or remove it")]
    Json {
        /// The parser's word for it, without its position.
        cause: String,
    },
    /// JSON that ends inside a value.
    #[error(
        "the JSON ends in the middle of a value; the file is probably cut short, so remove its last line or fetch it again"
    )]
    JsonCut,
    /// A JSON value where a row is wanted.
    #[error("a row must be a JSON object, and this is {found}; wrap it as {{\"value\": ...}}")]
    JsonRow {
        /// What was there, with its article.
        found: &'static str,
    },
    /// A CSV row whose fields do not match the header.
    #[error(
        "{found} fields where the header has {wanted}; correct the row, or look for a quotation mark that is not closed"
    )]
    CsvFields {
        /// How many fields the row has.
        found: usize,
        /// How many columns the header names.
        wanted: usize,
    },
    /// A quotation that runs to the end of the file.
    #[error(
        "a quotation mark in this row is never closed, so the row runs to the end of the file; close it, or double it if it is part of the text"
    )]
    CsvOpen,
    /// Any other CSV error.
    #[error("not valid CSV: {cause}")]
    Csv {
        /// The parser's word for it.
        cause: String,
    },
    /// A Parquet or Arrow file that its reader refuses.
    #[error("not a readable {} file: {cause}; write it again, or export it as CSV or JSON", format.name())]
    Columnar {
        /// Parquet or Arrow.
        format: Format,
        /// The reader's word for it.
        cause: String,
    },
    /// A column that has no Kusto type.
    #[error(
        "column `{column}` has type {found}, which has no counterpart in KQL; cast it before export"
    )]
    ColumnType {
        /// The column.
        column: String,
        /// Its Arrow type.
        found: String,
    },
    /// More columns than a table can use.
    #[error(
        "more than {limit} different columns; keys seem to be data, so put them into an array of name and value"
    )]
    TooManyColumns {
        /// The limit.
        limit: usize,
    },
    /// A value beyond what one Arrow array can hold.
    #[error("a value of {bytes} bytes is too long for a table; shorten it or leave it out")]
    ValueTooLong {
        /// Its length.
        bytes: usize,
    },
    /// The finished columns do not form a table.
    #[error("the columns do not form a table: {cause}")]
    Table {
        /// Why.
        cause: String,
    },
}

impl Problem {
    /// The problem with no place but the file itself.
    pub(crate) fn whole(self) -> Trouble {
        self.at(Place::default())
    }

    /// The problem at a line.
    pub(crate) fn on_line(self, line: u64) -> Trouble {
        self.at(Place {
            line: Some(line),
            ..Place::default()
        })
    }

    pub(crate) fn at(self, place: Place) -> Trouble {
        Trouble {
            place: Box::new(place),
            problem: self,
        }
    }
}

/// A problem and its place, before the loader puts the file's name to it.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) place: Box<Place>,
    pub(crate) problem: Problem,
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        problem.whole()
    }
}

impl Trouble {
    pub(crate) fn labelled(mut self, label: &str, member: Option<&str>) -> DataError {
        self.place.member = self.place.member.or_else(|| member.map(str::to_owned));
        DataError {
            label: label.to_owned(),
            place: self.place,
            problem: self.problem,
        }
    }
}
