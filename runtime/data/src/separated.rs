//! Separated values as rows: CSV and its cousins by the `csv` crate, all text at first; the assembly settles types over
//! the whole file. The first row names the columns. Before it a line `sep=;` may name the separator, as Excel has it.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord};

use crate::assembly::{Assembly, CHUNK_ROWS, Part};
use crate::cells::{Spans, text_part};
use crate::error::{Problem, Trouble};
use crate::facts::Facts;
use crate::line::Limited;
use crate::{Deadline, MOST_ROW_BYTES};

/// Bytes after which a chunk is closed, however few its rows.
const CHUNK_BYTES: usize = 32 << 20;

/// Rows between two looks at the clock.
const ROWS_A_LOOK: usize = 256;

/// Separators that a header is searched for. The first wins a tie.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads one CSV file.
pub(crate) struct CsvReader {
    bytes: Bytes,
    reader: Reader<Limited>,
    /// Whether the first line does nothing but name the separator.
    is_announced: bool,
    record: StringRecord,
    /// The assembly's columns, by field; empty before the header is read.
    columns: Vec<usize>,
    spans: Vec<Spans>,
    rows: usize,
    /// Bytes of these rows.
    held: usize,
}

impl CsvReader {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let bytes = Bytes::from(bytes);
        let announced = announced(&bytes);
        let separator = announced.unwrap_or_else(|| separator(&bytes));
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(Limited::new(bytes.clone()));
        CsvReader {
            bytes,
            reader,
            is_announced: announced.is_some(),
            record: StringRecord::new(),
            columns: Vec::new(),
            spans: Vec::new(),
            rows: 0,
            held: 0,
        }
    }

    /// Reads rows until the deadline; `true` at the end of the file.
    pub(crate) fn step(
        &mut self,
        assembly: &mut Assembly,
        deadline: &Deadline,
    ) -> Result<bool, Trouble> {
        if self.columns.is_empty() {
            self.header(assembly)?;
        }
        loop {
            for _ in 0..ROWS_A_LOOK {
                let last = self.record.position().cloned();
                if !self.read()? {
                    let line = last.as_ref().map(Position::line);
                    self.check_end(last)?;
                    self.close(assembly, line)?;
                    return Ok(true);
                }
                self.row()?;
                if self.rows >= CHUNK_ROWS || self.held > CHUNK_BYTES {
                    let line = self.record.position().map(Position::line);
                    self.close(assembly, line)?;
                }
            }
            if deadline.passed() {
                return Ok(false);
            }
        }
    }

    fn read(&mut self) -> Result<bool, Trouble> {
        let start = self.reader.position().clone();
        self.reader.get_mut().allow_from(start.byte());
        let read = self.reader.read_record(&mut self.record);
        read.map_err(|error| match error.kind() {
            // Nothing else can go wrong with bytes in memory.
            ErrorKind::Io(_) => Problem::RowTooLong {
                limit: MOST_ROW_BYTES,
            }
            .on_line(start.line()),
            _ => explain(&error),
        })
    }

    /// Refuses a file whose last record begins a quotation that nothing closes: the parser takes all that follows for
    /// its field. Such a record has several lines and an odd number of quotation marks.
    fn check_end(&self, last: Option<Position>) -> Result<(), Trouble> {
        let Some(position) = last else { return Ok(()) };
        let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let record = self.bytes.get(start..).unwrap_or_default().trim_ascii();
        let marks = record.iter().filter(|b| **b == b'"').count();
        if marks % 2 == 1 && record.contains(&b'\n') {
            return Err(Problem::CsvOpen.on_line(position.line()));
        }
        Ok(())
    }

    fn header(&mut self, assembly: &mut Assembly) -> Result<(), Trouble> {
        if self.is_announced {
            self.read()?;
        }
        if !self.read()? {
            return Err(Problem::NoColumns.whole());
        }
        let mut names = Names::default();
        for field in &self.record {
            let name = names.unique(field.trim());
            self.columns.push(assembly.column(&name)?);
        }
        self.spans.resize_with(self.columns.len(), Spans::default);
        Ok(())
    }

    fn row(&mut self) -> Result<(), Trouble> {
        let line = self.record.position().map_or(0, Position::line);
        let (found, wanted) = (self.record.len(), self.columns.len());
        if found != wanted {
            return Err(Problem::CsvFields { found, wanted }.on_line(line));
        }
        for (spans, field) in self.spans.iter_mut().zip(&self.record) {
            spans
                .push(field.as_bytes())
                .map_err(|problem| problem.on_line(line))?;
        }
        self.rows += 1;
        self.held += self.record.as_slice().len();
        Ok(())
    }

    /// Hands the rows over, the last of which begins on `line`.
    fn close(&mut self, assembly: &mut Assembly, line: Option<u64>) -> Result<(), Trouble> {
        let rows = std::mem::take(&mut self.rows);
        self.held = 0;
        if rows == 0 {
            return Ok(());
        }
        let mut parts: Vec<(usize, Part)> = Vec::with_capacity(self.columns.len());
        for (column, spans) in self.columns.iter().zip(&mut self.spans) {
            let part = text_part(std::mem::take(spans), Facts::UNTYPED)?;
            parts.push((*column, part));
        }
        assembly
            .push(rows, parts)
            .map_err(|problem| on_line(problem, line))
    }
}

/// The separator that a first line `sep=;` names.
fn announced(bytes: &[u8]) -> Option<u8> {
    let line = bytes
        .get(..16)
        .unwrap_or(bytes)
        .split(|b| *b == b'\n')
        .next()?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    match line {
        [s, e, p, b'=', separator] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => {
            (separator.is_ascii_punctuation() || *separator == b'\t').then_some(*separator)
        }
        _ => None,
    }
}

/// The separator that the first line has most of, outside quotation marks.
fn separator(bytes: &[u8]) -> u8 {
    let mut counts = [0_usize; SEPARATORS.len()];
    let mut quoted = false;
    for byte in bytes.iter().take(1 << 16) {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            byte if !quoted => {
                if let Some(at) = SEPARATORS.iter().position(|s| s == byte) {
                    counts[at] += 1;
                }
            }
            _ => {}
        }
    }
    let best = (0..SEPARATORS.len())
        .rev()
        .max_by_key(|at| counts[*at])
        .unwrap_or(0);
    SEPARATORS[best]
}

/// The names of the columns so far.
#[derive(Default)]
struct Names {
    taken: HashSet<String>,
    /// The number to try next for a name that was given again: a header may repeat one ten thousand times.
    next: HashMap<String, usize>,
}

impl Names {
    /// A name that no column before it has: `Column3` for the unnamed third, `name1` for a second `name`.
    fn unique(&mut self, given: &str) -> String {
        let name = match given {
            "" => format!("Column{}", self.taken.len() + 1),
            given => given.to_owned(),
        };
        if self.taken.insert(name.clone()) {
            return name;
        }
        let next = self.next.entry(name.clone()).or_insert(1);
        loop {
            let candidate = format!("{name}{next}");
            *next += 1;
            if self.taken.insert(candidate.clone()) {
                return candidate;
            }
        }
    }
}

fn explain(error: &csv::Error) -> Trouble {
    let line = error.position().map(Position::line);
    let problem = match error.kind() {
        ErrorKind::Utf8 { .. } => Problem::Encoding,
        _ => Problem::Csv {
            cause: error.to_string(),
        },
    };
    on_line(problem, line)
}

fn on_line(problem: Problem, line: Option<u64>) -> Trouble {
    match line {
        Some(line) => problem.on_line(line),
        None => problem.whole(),
    }
}
