//! `spoor query`.

use std::fs;
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use spoor_data::{DataError, KERNEL_MEMORY, Limits, Loader, Progress};
use spoor_kql::{Engine, EngineOptions, ExecutionError, QueryError, Step, bind};
use spoor_kql_syntax::{Diagnostic, line_column};
use spoor_protocol::FetchError;
use spoor_table::format::{self, GridOptions};
use spoor_table::{Table, ticks};

use super::across::{self, Gathered};
use super::places::{Places, is_stream};
use super::workspaces::Configuration;
use super::{Exit, Failure, plugin, plugins, say};
use crate::error::Error;
use crate::export;
use crate::native::{Asked, Watch};
use crate::plugins::Callable;
use crate::save::write_atomically;
use crate::sources::{Data, Source};
use crate::stored::stored;

/// Query data files with KQL
///
/// Each file that --data names is a table by its name. Runs natively on all cores, without
/// WebAssembly or Python. docs/kql.md lists what the language has, and where it differs from Kusto.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The query; `-` reads it from standard input, `@FILE` from a file
    query: String,
    /// A data file, or a folder of them; each file becomes a table by its name
    ///
    /// CSV, JSON, JSON lines, Parquet and Arrow, also gzipped, zstd-compressed or zipped.
    #[arg(short, long, value_name = "DIR|FILE")]
    data: Vec<PathBuf>,
    /// A plugin whose functions the query calls: a file, or the name of one that was added. Those that come with spoor need no naming
    #[arg(long = "plugin", value_name = "FILE|NAME")]
    plugins: Vec<PathBuf>,
    /// Have a workspace of the configuration run the query, over the data that lives there
    #[arg(short, long, value_name = "NAME", conflicts_with_all = ["data", "plugins"])]
    workspace: Option<String>,
    /// The time that the workspace looks at: P1D, PT4H, or START/END in ISO 8601
    #[arg(long, value_name = "SPAN")]
    timespan: Option<String>,
    /// Take a workspace's result that is not whole for a success
    #[arg(long)]
    allow_partial: bool,
    #[command(flatten)]
    configuration: Configuration,
    /// How to write the result [default: by the extension of --output; on standard output a table]
    #[arg(short, long, value_enum)]
    format: Option<Format>,
    /// Write the result to a file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What a query on the command line is called.
const COMMAND_LINE: &str = "the query";

const EXAMPLES: &str = "\
Examples:
  The ten users with the most failed sign-ins:
    spoor query 'SigninLogs | where ResultType != \"0\" | summarize n = count() by UserPrincipalName
                 | top 10 by n' --data logs/

  From a file, as CSV:
    spoor query @hunt.kql --data logs/ --format csv

  From one format to another:
    spoor query 'events' --data events.json.gz -o events.parquet

  With an analytic that comes with spoor:
    spoor query 'Connections | evaluate beacons(Time, Source, Target) | where Score > 0.5' --data logs/

  What a workspace of spoor.toml has:
    spoor query 'SecurityAlert | summarize count() by AlertName' --workspace sentinel --timespan P7D

  Nothing but an expression:
    spoor query 'print ago(1d)'

Rows of `summarize`, `distinct` and `join` come in an order that may differ from run to run: add `| sort by` where it matters.

Exit codes: 0 done, 1 the query was refused or failed, 2 the command line is wrong, 3 data cannot
be read, 5 the result cannot be written.";

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Aligned columns, for people
    Table,
    /// Comma-separated values
    Csv,
    /// A Markdown table
    Md,
    /// {"columns": [{"name", "type"}], "rows": [[...]]}, with Kusto's type names
    Json,
    /// Parquet
    Parquet,
    /// An Arrow IPC file
    Arrow,
}

impl Format {
    fn of_path(path: &Path) -> Option<Self> {
        Some(
            match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
                "txt" => Format::Table,
                "csv" => Format::Csv,
                "md" | "markdown" => Format::Md,
                "json" => Format::Json,
                "parquet" | "pq" => Format::Parquet,
                "arrow" | "feather" | "ipc" => Format::Arrow,
                _ => return None,
            },
        )
    }

    fn is_binary(self) -> bool {
        matches!(self, Format::Parquet | Format::Arrow)
    }
}

pub fn run(mut args: Args) -> Result<Exit, Failure> {
    args.output = args.output.filter(|output| !is_stream(output));
    let form = form(args.format, args.output.as_deref())?;
    let (text, name) = query_text(&args.query)?;
    if let Some(workspace) = &args.workspace {
        return remote(&text, workspace, form, &args);
    }
    let data = Data::discover(&args.data)?;
    data.warnings.iter().for_each(say::warning);
    let timespan = args.timespan.as_deref();
    let mut gathered = across::gather((&text, &name), &data, &args.configuration, timespan)?;
    if timespan.is_some() && gathered.tables.is_empty() {
        let message = "--timespan is of queries that a workspace runs: name one with --workspace";
        return Err(Failure::new(Exit::Usage, message));
    }
    let partial = std::mem::take(&mut gathered.partial);
    let table = answer((&text, &name), gathered, &data, &args)?;
    deliver(&table, form, args.output.as_deref())?;
    Ok(told_partial(&partial, &args))
}

/// Says what is missing of a result, which then is no success unless it was allowed.
fn told_partial(partial: &[String], args: &Args) -> Exit {
    for reason in partial {
        say::warning(format_args!("partial result: {reason}"));
    }
    match partial.is_empty() || args.allow_partial {
        true => Exit::Done,
        false => Exit::Failed,
    }
}

/// Has a workspace run the query. A result that is not whole is written all the same, and no success.
fn remote(text: &str, workspace: &str, form: Format, args: &Args) -> Result<Exit, Failure> {
    keep_apart(args, &[])?;
    let asked = Asked {
        workspace,
        text,
        timespan: args.timespan.as_deref(),
    };
    let watch = Watch::new(|| false, None);
    let answered = args.configuration.remote()?.ask(asked, &watch);
    let answered = answered.map_err(|error| refused(&error, text))?;
    let (first, others) = answered.tables.split_first().ok_or_else(nothing)?;
    if !others.is_empty() {
        let count = others.len();
        say::warning(format_args!(
            "the query has {count} more results, which are not shown"
        ));
    }
    deliver(first, form, args.output.as_deref())?;
    Ok(told_partial(&answered.told.partial, args))
}

pub(super) fn nothing() -> Failure {
    Failure::new(Exit::Failed, "the workspace answered with no table")
}

/// Why a workspace gives no result, with the places in the query.
pub(super) fn refused(error: &FetchError, text: &str) -> Failure {
    let mut told = error.message.clone();
    for mistake in &error.mistakes {
        let byte = text
            .char_indices()
            .nth(mistake.start)
            .map_or(text.len(), |(at, _)| at);
        let (line, column) = line_column(text, byte);
        told.push_str(&format!("\n  at line {line}, column {column}"));
    }
    if let Some(hint) = &error.hint {
        told.push_str(&format!("\n  {hint}"));
    }
    Failure::new(Exit::Failed, told)
}

/// The form of a result: what was asked for, else by the extension of `output`, else a table. Refuses to give a terminal
/// what is not text.
pub(super) fn form(asked: Option<Format>, output: Option<&Path>) -> Result<Format, Failure> {
    let form = match (asked, output) {
        (Some(form), _) => form,
        (None, Some(path)) if path.is_file() || !path.exists() => {
            Format::of_path(path).ok_or_else(|| unknown_extension(path))?
        }
        // A pipe's name says nothing.
        (None, _) => Format::Table,
    };
    if form.is_binary() && output.is_none() && std::io::stdout().is_terminal() {
        return Err(Failure::new(
            Exit::Usage,
            "this format is binary; say where to with --output FILE",
        ));
    }
    Ok(form)
}

fn unknown_extension(path: &Path) -> Failure {
    let message = format!(
        "the extension of {} says no format: end it in .txt (aligned columns), .csv, .md, .json, .parquet or .arrow, or say --format",
        say::path(path)
    );
    Failure::new(Exit::Usage, message)
}

/// Writes a result to a file, or to standard output.
pub(super) fn deliver(table: &Table, form: Format, output: Option<&Path>) -> Result<(), Failure> {
    let bytes = shown(table, form, output.is_none())?;
    match output {
        Some(path) => Ok(write_atomically(path, &bytes)?),
        None => print(bytes, form),
    }
}

/// Refuses a result that would replace the query's file or data that it reads.
fn keep_apart(args: &Args, read: &[&Source]) -> Result<(), Failure> {
    let mut places = Places::default();
    if let Some(file) = args.query.strip_prefix('@') {
        places.read(format!("the query {file}"), Path::new(file));
    }
    places.read_data(read.iter().copied());
    match &args.output {
        Some(output) => places.write("the result", output),
        None => Ok(()),
    }
}

/// Puts the result on standard output: as it is, but for what a terminal would obey.
fn print(bytes: Vec<u8>, form: Format) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    if stdout.is_terminal() && !form.is_binary() {
        let text = say::visible(&String::from_utf8_lossy(&bytes));
        stdout.write_all(text.as_bytes())?;
    } else {
        stdout.write_all(&bytes)?;
    }
    Ok(())
}

/// The query, and what to call its source in messages.
fn query_text(argument: &str) -> Result<(String, String), Failure> {
    if argument == "-" {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .read_to_string(&mut text)
            .map_err(Error::file("cannot read", "standard input"))?;
        return Ok((text, "standard input".into()));
    }
    match argument.strip_prefix('@') {
        Some(path) => Ok((text_of_file(Path::new(path))?, path.to_owned())),
        None => Ok((argument.to_owned(), COMMAND_LINE.into())),
    }
}

/// The query in a file, without the byte order mark that editors leave.
pub(super) fn text_of_file(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).map_err(Error::file("cannot read", path))?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Runs what is left of the query `whole`, which is called `name` in messages.
fn answer(
    (whole, name): (&str, &str),
    gathered: Gathered,
    data: &Data,
    args: &Args,
) -> Result<Table, Failure> {
    let text = gathered.rest.as_str();
    keep_apart(args, &wanted(text, data))?;
    let runner = plugin::runner();
    let plugins = plugins::for_query(text, &args.plugins, &runner)?;
    let mut engine = engine_for(text, data)?;
    for (name, table) in gathered.tables {
        engine.register(&name, table);
    }
    plugins.offer(&mut engine);
    let now = now();
    let error = match finished(&mut engine, text, now, &plugins) {
        Ok(table) => return Ok(table),
        Err(QueryError::Diagnostics(found)) => {
            QueryError::Diagnostics(explained(&mut engine, text, now, data, found))
        }
        Err(QueryError::Execution(ExecutionError::Unreadable(told))) => {
            return Err(Failure::new(Exit::Unreadable, told));
        }
        Err(error) => error,
    };
    Err(Failure::new(Exit::Failed, told(error, whole, name)))
}

/// Runs a query to its end, with the calls of plugins that it waits for.
fn finished(
    engine: &mut Engine,
    text: &str,
    now: i64,
    plugins: &Callable<'_>,
) -> Result<Table, QueryError> {
    let mut query = engine.start(text, now).map_err(QueryError::Diagnostics)?;
    loop {
        match query.step(Duration::from_secs(3600))? {
            Step::Done(result) => {
                for lack in &result.lacks {
                    say::warning(format_args!("partial result: {lack}"));
                }
                return Ok(result.table);
            }
            Step::More => {}
            // Ctrl-C ends the process, which is all that there is to stop.
            Step::Call(calls) => plugins.answer(&mut query, &calls, &|| true),
        }
    }
}

/// What is wrong with a query. It may be a table's name: then the names that there are help.
pub(super) fn explained(
    engine: &mut Engine,
    text: &str,
    now: i64,
    data: &Data,
    found: Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    name_tables(engine, data);
    engine.start(text, now).err().unwrap_or(found)
}

/// Gives the engine the names of the tables that it did not need, without their rows.
fn name_tables(engine: &mut Engine, data: &Data) {
    for source in &data.sources {
        if let Some((name, hint)) = source.other_name() {
            engine.set_hint(&name, Some(hint));
        }
        if engine.schema(&source.spec.name).is_none() {
            engine.register(&source.spec.name, Table::empty([]));
        }
    }
}

/// The sources that a query may read.
pub(super) fn wanted<'a>(text: &str, data: &'a Data) -> Vec<&'a Source> {
    let names: Vec<String> = data.sources.iter().map(|s| s.spec.name.clone()).collect();
    let wanted = bind::references(text, &names);
    let sources = data.sources.iter();
    sources.filter(|s| wanted.contains(&s.spec.name)).collect()
}

/// An engine with the tables that a query may read.
pub(super) fn engine_for(text: &str, data: &Data) -> Result<Engine, Failure> {
    let mut engine =
        Engine::new(options()).map_err(|e| Failure::new(Exit::Unable, e.to_string()))?;
    for source in wanted(text, data) {
        let stored = stored(&source.path, &source.spec.label, limits());
        match stored.map_err(unreadable)? {
            Some(rows) => engine.register_stored(&source.spec.name, rows),
            None => engine.register(&source.spec.name, load(source)?),
        }
    }
    Ok(engine)
}

/// All cores, and most of the memory that is free.
pub(super) fn options() -> EngineOptions {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    EngineOptions {
        memory_bytes: memory() / 4 * 3,
        threads,
        ..EngineOptions::default()
    }
}

/// Bytes of memory that are free; a modest guess where that cannot be told.
pub(super) fn memory() -> usize {
    let meminfo = fs::read_to_string("/proc/meminfo").ok();
    meminfo
        .and_then(|text| free_memory(&text))
        .unwrap_or(4 << 30)
}

/// Bytes that are to be had, from Linux's `/proc/meminfo`.
fn free_memory(meminfo: &str) -> Option<usize> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// A failure with its place in the query, where it has one.
pub(super) fn told(error: QueryError, text: &str, name: &str) -> String {
    match error {
        QueryError::Diagnostics(diagnostics) => {
            let shown = spoor_kql_syntax::render(text, &diagnostics);
            // The label is the command's own.
            let shown = shown.strip_prefix("error: ").unwrap_or(&shown).trim_end();
            match name {
                COMMAND_LINE => shown.to_owned(),
                file => shown.replacen(" --> ", &format!(" --> {file}:"), 1),
            }
        }
        other => format!("{name} failed: {other}"),
    }
}

pub(super) fn load(source: &Source) -> Result<Table, Failure> {
    let mut loader = loader(source)?;
    loop {
        let step = loader.step(Duration::MAX);
        let step = step.map_err(unreadable)?;
        if let Progress::Done(table) = step {
            return Ok(table);
        }
    }
}

fn unreadable(error: DataError) -> Failure {
    Failure::new(Exit::Unreadable, error.to_string())
}

/// A data file, of which a table is to be made in slices.
pub(super) fn loader(source: &Source) -> Result<Loader, Failure> {
    let bytes =
        fs::read(&source.path).map_err(Error::file("cannot read the data", &source.path))?;
    let hint = spoor_data::Format::of_path(&source.spec.label);
    Ok(Loader::new(&source.spec.label, hint, bytes, limits()))
}

/// What a file may fill: at least what the kernel lets it, so that what a notebook reads this reads too.
fn limits() -> Limits {
    Limits::of_memory((memory() as u64).max(KERNEL_MEMORY))
}

/// The time in Kusto's ticks.
pub(super) fn now() -> i64 {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    ticks::from_unix_nanos(i64::try_from(since_1970.as_nanos()).unwrap_or(i64::MAX))
}

fn shown(table: &Table, form: Format, on_stdout: bool) -> Result<Vec<u8>, Failure> {
    Ok(match form {
        Format::Table => grid(table, on_stdout).into_bytes(),
        Format::Csv => format::csv(table).into_bytes(),
        Format::Md => format::markdown(table, usize::MAX).into_bytes(),
        Format::Json => format::json(table).into_bytes(),
        Format::Parquet => export::parquet(table)?,
        Format::Arrow => export::arrow(table)?,
    })
}

/// On a terminal as wide as that is and cut at a length that scrolls; elsewhere whole.
fn grid(table: &Table, on_stdout: bool) -> String {
    const MOST_ROWS: usize = 1000;
    let size = if on_stdout {
        terminal_size::terminal_size_of(std::io::stdout())
    } else {
        None
    };
    let width = size.map(|(terminal_size::Width(columns), _)| usize::from(columns));
    match width {
        Some(width) => format::grid(
            table,
            GridOptions {
                rows: MOST_ROWS,
                width,
            },
        ),
        None => format::grid(
            table,
            GridOptions {
                rows: usize::MAX,
                width: usize::MAX,
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_is_read() {
        assert_eq!(
            free_memory("MemTotal: 9 kB\nMemAvailable:    24 kB\n"),
            Some(24 << 10)
        );
        assert_eq!(free_memory("nonsense"), None);
    }

    #[test]
    fn formats_go_by_extension() {
        assert_eq!(
            Format::of_path(Path::new("a.PARQUET")),
            Some(Format::Parquet)
        );
        assert_eq!(Format::of_path(Path::new("a.txt")), Some(Format::Table));
        assert_eq!(Format::of_path(Path::new("a.xlsx")), None);
    }
}
