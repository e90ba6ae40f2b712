//! `spoor kql check`: what is wrong with queries, told to people or to programs, and put right where there is nothing to choose.

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use spoor_kql::{Engine, EngineOptions};
use spoor_kql_syntax::{Diagnostic, Fix, Severity, apply_fixes, line_column, parse};
use spoor_table::{Column, Table};

use super::schema;
use crate::cli::{Exit, Failure, plugin, plugins, query, say};
use crate::sources::Data;

/// Say what is wrong with queries, without running them
///
/// With --data or --schema, tables, columns and types are checked too; without them, the syntax
/// alone. Warnings are told and are no failure.
#[derive(Debug, clap::Args)]
#[command(after_long_help = SCHEMAS)]
pub struct Args {
    /// Files with a query each; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A data file, or a folder of them; each file is a table by its name
    #[arg(short, long, value_name = "DIR|FILE")]
    data: Vec<PathBuf>,
    /// A file with tables' columns, instead of data: JSON, or Kusto's `.create table` commands
    #[arg(short, long, value_name = "FILE")]
    schema: Vec<PathBuf>,
    /// How to tell what is wrong
    #[arg(short, long, value_enum, default_value = "text")]
    format: Format,
    /// Put right what can only be meant in one way, and say what was changed
    ///
    /// Files are replaced; standard input goes to standard output. What is left is told as ever.
    #[arg(long)]
    fix: bool,
}

const SCHEMAS: &str = "\
A schema as JSON:
  {\"SigninLogs\": [{\"name\": \"TimeGenerated\", \"type\": \"datetime\"},
                  {\"name\": \"ResultType\", \"type\": \"string\"}]}

A schema as commands:
  .create table SigninLogs (TimeGenerated: datetime, ResultType: string)

Exit codes: 0 nothing is wrong, 1 a query is wrong, 2 the command line is wrong, 3 a file cannot be
read, 5 a file cannot be written.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// With the line of the query, on standard error
    Text,
    /// A JSON array on standard output: file, line, column, severity, message, hint, fixes
    Json,
}

/// Rounds of fixes: one may show what another hid.
const ROUNDS: usize = 20;

/// What queries are checked against.
struct Tables {
    data: Data,
    schema: Vec<(String, Vec<Column>)>,
}

pub fn run(args: &Args) -> Result<Exit, Failure> {
    let standard = args.files.iter().any(|file| super::is_standard(file));
    if args.fix && args.format == Format::Json && standard {
        let message = "standard output cannot hold both what --fix makes of `-` and --format json";
        return Err(Failure::new(Exit::Usage, message));
    }
    let tables = Tables {
        data: Data::discover(&args.data)?,
        schema: schema::read_all(&args.schema)?,
    };
    tables.data.warnings.iter().for_each(say::warning);
    let mut wrong = false;
    let mut told = Vec::new();
    for file in &args.files {
        let mut text = super::read(file)?;
        if args.fix {
            text = fixed(file, text, &tables)?;
        }
        let diagnostics = tables.check(&text)?;
        wrong |= diagnostics.iter().any(Diagnostic::is_error);
        match args.format {
            Format::Text => super::report(file, &text, &diagnostics),
            Format::Json => told.extend(diagnostics.iter().map(|d| as_json(file, &text, d))),
        }
    }
    if args.format == Format::Json {
        writeln!(std::io::stdout(), "{:#}", Value::Array(told))?;
    }
    Ok(if wrong { Exit::Failed } else { Exit::Done })
}

impl Tables {
    fn check(&self, text: &str) -> Result<Vec<Diagnostic>, Failure> {
        if self.data.sources.is_empty() && self.schema.is_empty() {
            let parsed = parse(text);
            return Ok(parsed
                .diagnostics
                .into_iter()
                .chain(parsed.warnings)
                .collect());
        }
        Ok(self.engine(text)?.check(text, query::now()))
    }

    fn engine(&self, text: &str) -> Result<Engine, Failure> {
        let mut engine = match self.data.sources.is_empty() {
            true => Engine::new(EngineOptions::default())
                .map_err(|error| Failure::new(Exit::Unable, error.to_string()))?,
            false => query::engine_for(text, &self.data)?,
        };
        for (name, columns) in &self.schema {
            if engine.schema(name).is_none() {
                engine.register(name, Table::empty(columns.clone()));
            }
        }
        let runner = plugin::runner();
        plugins::for_query(text, &[], &runner)?.offer(&mut engine);
        Ok(engine)
    }
}

/// The text with all fixes that leave nothing to choose, which is written before it is told.
fn fixed(file: &Path, before: String, tables: &Tables) -> Result<String, Failure> {
    let mut text = before.clone();
    let mut told = Vec::new();
    for _ in 0..ROUNDS {
        let diagnostics = tables.check(&text)?;
        let safe: Vec<&Fix> = diagnostics
            .iter()
            .filter_map(|diagnostic| diagnostic.fixes.iter().find(|fix| fix.safe))
            .collect();
        let (after, applied) = apply_fixes(&text, safe);
        if applied.is_empty() {
            break;
        }
        for fix in applied {
            let at = fix.edits.first().map_or(0, |(range, _)| range.start);
            let (line, column) = line_column(&text, at);
            told.push(format!(
                "{}:{line}:{column}: {}",
                say::path(file),
                fix.title
            ));
        }
        text = after;
    }
    super::write(file, &before, &text)?;
    for line in told {
        say::line(format_args!("fixed {line}"));
    }
    Ok(text)
}

fn as_json(file: &Path, text: &str, diagnostic: &Diagnostic) -> Value {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let fixes: Vec<Value> = diagnostic
        .fixes
        .iter()
        .map(|fix| fix_as_json(text, fix))
        .collect();
    let mut value = place(text, &diagnostic.span);
    value["file"] = json!(file.to_string_lossy());
    value["severity"] = json!(severity);
    value["message"] = json!(diagnostic.message);
    value["hint"] = json!(diagnostic.hint);
    value["fixes"] = json!(fixes);
    value
}

fn fix_as_json(text: &str, fix: &Fix) -> Value {
    let edits = fix.edits.iter().map(|(range, new)| {
        let mut value = place(text, range);
        value["text"] = json!(new);
        value
    });
    json!({ "title": fix.title, "safe": fix.safe, "edits": edits.collect::<Vec<_>>() })
}

/// Lines and columns from 1, columns in characters; the end is the place after the last character.
fn place(text: &str, range: &Range<usize>) -> Value {
    let (line, column) = line_column(text, range.start);
    let (end_line, end_column) = line_column(text, range.end);
    json!({ "line": line, "column": column, "end_line": end_line, "end_column": end_column })
}
