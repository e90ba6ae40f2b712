//! `spoor plugin run`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use spoor_plugin_abi::{Capability, InputMode};
use spoor_table::Table;

use super::super::places::{Places, is_stream};
use super::super::query::{self, Format};
use super::super::{Exit, Failure, say};
use super::LimitArgs;
use crate::aot::Progress;
use crate::plugins::{Ask, Control, Evaluated, Heard, Plugin, evaluate, parse_option};
use crate::sources::Data;

/// Run a plugin's function over a file's rows
///
/// The plugin is given the columns that its parameters name, and no other. A parameter takes the column of its own name,
/// or the one that --column says.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The plugin's file, or the name of one that was added or comes with spoor
    #[arg(value_name = "FILE")]
    plugin: PathBuf,
    /// The function; may be left out where there is one
    function: Option<String>,
    /// The data file whose rows it is given
    ///
    /// CSV, JSON, JSON lines, Parquet and Arrow, also gzipped, zstd-compressed or zipped.
    #[arg(short, long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Give a parameter a column: PARAMETER=COLUMN
    #[arg(short, long = "column", value_name = "PARAMETER=COLUMN", value_parser = pair)]
    columns: Vec<(String, String)>,
    /// Set an option: NAME=VALUE
    #[arg(short = 'p', long = "option", value_name = "NAME=VALUE", value_parser = pair)]
    options: Vec<(String, String)>,
    /// Let the plugin have a capability that it asks for: log, progress or time
    #[arg(long = "grant", value_name = "CAPABILITY", value_parser = super::capability)]
    granted: Vec<Capability>,
    /// How to write the result [default: by the extension of --output, else table]
    #[arg(short, long, value_enum)]
    format: Option<Format>,
    /// Write the result to a file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Say on standard error what it took: calls, fuel, memory, time
    #[arg(long)]
    stats: bool,
    /// The folder of added plugins [default: ~/.local/share/spoor/plugins]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitArgs,
}

const EXAMPLES: &str = "\
Examples:
  The entropy of command lines:
    spoor plugin run entropy.wasm entropy --data Processes.csv --column text=CommandLine

  With an option, into a file:
    spoor plugin run beacons.wasm --data Connections.parquet --option jitter=0.2 -o beacons.csv

  With more than a call may use by itself:
    spoor plugin run cluster.wasm --data Processes.parquet --fuel 20000000000 --memory 1G

Exit codes: 0 done, 1 the plugin was refused or failed, 2 the command line is wrong, 3 the plugin or data cannot be
read, 4 a call passed its time limit, 5 the result cannot be written.";

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected name=value".into()),
    }
}

pub fn run(mut args: Args) -> Result<Exit, Failure> {
    args.output = args.output.filter(|output| !is_stream(output));
    let form = query::form(args.format, args.output.as_deref())?;
    keep_apart(&args)?;
    let bytes = super::module(&args.plugin, args.dir.as_deref())?;
    let plugin = load(&bytes, &args)?;
    let function = function(&plugin, &args)?;
    let table = rows(&plugin, &function, &args)?;
    let ask = Ask {
        function: &function,
        table: table.as_ref(),
        columns: args.columns.iter().cloned().collect(),
        options: options(&plugin, &function, &args)?,
    };
    let done = evaluate(&plugin, &ask, &control()).map_err(super::of(&args.plugin))?;
    deliver(&done, form, args.output.as_deref())?;
    if args.stats {
        tell_stats(&done);
    }
    Ok(Exit::Done)
}

fn keep_apart(args: &Args) -> Result<(), Failure> {
    let mut places = Places::default();
    places.read(
        format!("the plugin {}", say::path(&args.plugin)),
        &args.plugin,
    );
    if let Some(data) = &args.data {
        places.read(format!("the data file {}", say::path(data)), data);
    }
    match &args.output {
        Some(output) => places.write("the result", output),
        None => Ok(()),
    }
}

fn load(bytes: &[u8], args: &Args) -> Result<Plugin, Failure> {
    let progress = |progress: Progress| match progress {
        // Plugins compile in a blink; what else there is to tell is worth a line.
        Progress::Compiling { .. } => {}
        other => say::line(other),
    };
    super::runner()
        .load(
            bytes,
            &args.limits.wish(),
            &super::all(&args.granted),
            &progress,
        )
        .map_err(super::of(&args.plugin))
}

fn function(plugin: &Plugin, args: &Args) -> Result<String, Failure> {
    let functions = &plugin.manifest().functions;
    match (&args.function, functions.as_slice()) {
        (Some(name), _) => Ok(name.clone()),
        (None, [only]) => Ok(only.name.clone()),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|f| f.name.as_str()).collect();
            let message = format!("name a function of the plugin: {}", names.join(", "));
            Err(Failure::new(Exit::Usage, message))
        }
    }
}

/// The rows of --data; `None` for a function that takes none.
fn rows(plugin: &Plugin, function: &str, args: &Args) -> Result<Option<Table>, Failure> {
    let of = plugin.function(function).map_err(super::of(&args.plugin))?;
    let usage = |message: String| Err(Failure::new(Exit::Usage, message));
    match (&args.data, of.input) {
        (None, InputMode::None) => Ok(None),
        (Some(_), InputMode::None) => usage(format!("{function} takes no rows: leave out --data")),
        (None, _) => usage(format!(
            "{function} takes rows: name a file of them with --data"
        )),
        (Some(path), _) => {
            let data = Data::discover(std::slice::from_ref(path))?;
            data.warnings.iter().for_each(say::warning);
            match data.sources.as_slice() {
                [source] => query::load(source).map(Some),
                several => usage(format!(
                    "{} holds {} data files: name one of them",
                    say::path(path),
                    several.len()
                )),
            }
        }
    }
}

fn options(
    plugin: &Plugin,
    function: &str,
    args: &Args,
) -> Result<BTreeMap<String, serde_json::Value>, Failure> {
    let of = plugin.function(function).map_err(super::of(&args.plugin))?;
    let mut options = BTreeMap::new();
    for (name, text) in &args.options {
        let value = match of.options().find(|option| option.name == *name) {
            Some(option) => parse_option(option, text).map_err(super::of(&args.plugin))?,
            // Told with the names that there are, by `evaluate`.
            None => serde_json::Value::Null,
        };
        options.insert(name.clone(), value);
    }
    Ok(options)
}

/// What the plugin says goes to standard error; Ctrl-C ends the process, which is all that there is to stop.
fn control() -> Control {
    Control::new(|heard| match heard {
        Heard::Log(line) => say::line(format_args!("log: {}", line.replace('\n', "\\n"))),
        Heard::Progress(_) => {}
    })
}

fn deliver(done: &Evaluated, form: Format, output: Option<&Path>) -> Result<(), Failure> {
    let Some((result, more)) = done.tables.split_first() else {
        return Ok(());
    };
    query::deliver(result, form, output)?;
    for (at, table) in more.iter().enumerate() {
        let number = at + 1;
        if form == Format::Table && output.is_none() {
            println!("\ntable {number}");
            query::deliver(table, form, None)?;
        } else {
            say::warning(format_args!(
                "table {number} of the answer ({} rows) is left out: only a table for people shows all",
                table.rows()
            ));
        }
    }
    for chart in &done.charts {
        let title = chart.properties.get("title").map_or("", String::as_str);
        say::line(format_args!(
            "chart: {} of table {} {title}",
            chart.kind, chart.table
        ));
    }
    Ok(())
}

fn tell_stats(done: &Evaluated) {
    say::line(format_args!(
        "calls {}, fuel {}, memory {} KiB, time {:.1} ms",
        say::count(done.calls),
        say::count(done.fuel),
        say::count(done.memory >> 10),
        done.wall.as_secs_f64() * 1_000.0
    ));
}
