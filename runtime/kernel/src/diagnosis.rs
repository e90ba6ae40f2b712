//! What is wrong with a source and what its words are: `diagnose_reply`, a message of Spoor's own.
//!
//! Nothing is run or loaded for it. Python is not read here: whether it is sound, only the guest knows, which is asked where it
//! is here (see `Ask::Diagnose`).

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value, json};
use spoor_kql::bind;
use spoor_kql_syntax::{Diagnostic, Fix, Severity, parse};
use spoor_table::Value as Scalar;

use crate::catalogue::Catalogue;
use crate::cell::{self, Cell, KqlCell};
use crate::job;
use crate::output::object;
use crate::workspaces::{Reading, Workspaces};

/// The reply's content. `language` is what the asker knows of it beyond the source, `values` are Python's that it may use.
pub(crate) fn reply(
    code: &str,
    language: Option<&str>,
    catalogue: &Catalogue,
    workspaces: &Workspaces,
    values: BTreeMap<String, Scalar>,
) -> Map<String, Value> {
    let places = Places::of(code);
    let read = match cell::read(code) {
        Ok(Cell::Python | Cell::Blank) if language == Some("kql") => {
            Ok(Cell::Kql(cell::bare(code)))
        }
        read => read,
    };
    match read {
        Ok(Cell::Kql(kql)) => {
            let reading = workspaces.reading(&kql.wanted, &kql.query, catalogue);
            let mut names = catalogue.for_names();
            names.values = values;
            of_query(code, &kql, names, reading, &places)
        }
        Ok(Cell::Python | Cell::Blank) => of_python(),
        Err(problem) => content(
            "kql",
            vec![places.diagnostic(&problem)],
            vec![places.token(&cell::magic(code), "keyword")],
        ),
    }
}

/// The reply on a Python source of which nothing is known.
pub(crate) fn of_python() -> Map<String, Value> {
    content("python", Vec::new(), Vec::new())
}

fn of_query(
    code: &str,
    kql: &KqlCell,
    names: bind::Catalogue,
    reading: Option<Result<Reading, Diagnostic>>,
    places: &Places,
) -> Map<String, Value> {
    let diagnose = |query: &str, names: &bind::Catalogue| bind::diagnose(query, names, job::now());
    // Parts that go elsewhere are in colours as well.
    let found = diagnose(&kql.query, &names);
    let magic = cell::is_kql(code).then(|| places.token(&cell::magic(code), "keyword"));
    // Whoever runs a query elsewhere knows its tables, and more of the language: what cannot be read is told alone.
    let problems = match reading {
        None if kql.query.trim_start().starts_with('.') => Vec::new(),
        None => parse(&kql.query).diagnostics,
        Some(Err(problem)) => vec![problem],
        Some(Ok(reading)) if reading.query == kql.query => found.diagnostics,
        Some(Ok(mut reading)) => {
            reading.tables.values = names.values;
            diagnose(&reading.query, &reading.tables).diagnostics
        }
    };
    let tokens = found.tokens.iter();
    let tokens = tokens.map(|(span, sense)| places.token(span, sense.name()));
    content(
        "kql",
        problems.iter().map(|d| places.diagnostic(d)).collect(),
        magic.into_iter().chain(tokens).collect(),
    )
}

fn content(language: &str, diagnostics: Vec<Value>, tokens: Vec<Value>) -> Map<String, Value> {
    object(json!({
        "status": "ok",
        "language": language,
        "diagnostics": diagnostics,
        "tokens": tokens,
    }))
}

/// Places in a source as Jupyter counts them, in Unicode code points.
struct Places {
    /// Where each code point begins, in bytes.
    starts: Vec<usize>,
}

impl Places {
    fn of(code: &str) -> Self {
        let starts = code.char_indices().map(|(at, _)| at).collect();
        Self { starts }
    }

    /// The code point at which a byte is.
    fn at(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start < byte)
    }

    fn token(&self, span: &Range<usize>, kind: &str) -> Value {
        json!([self.at(span.start), self.at(span.end), kind])
    }

    fn diagnostic(&self, diagnostic: &Diagnostic) -> Value {
        let severity = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let fixes: Vec<Value> = diagnostic.fixes.iter().map(|fix| self.fix(fix)).collect();
        let mut value = object(json!({
            "start": self.at(diagnostic.span.start),
            "end": self.at(diagnostic.span.end),
            "severity": severity,
            "message": diagnostic.message,
            "fixes": fixes,
        }));
        if let Some(hint) = &diagnostic.hint {
            value.insert("hint".into(), hint.clone().into());
        }
        Value::Object(value)
    }

    fn fix(&self, fix: &Fix) -> Value {
        let edit = |(range, text): &(Range<usize>, String)| json!({ "start": self.at(range.start), "end": self.at(range.end), "text": text });
        let edits: Vec<Value> = fix.edits.iter().map(edit).collect();
        json!({ "title": fix.title, "safe": fix.safe, "edits": edits })
    }
}
