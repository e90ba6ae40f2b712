//! `spoor run`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use spoor_notebook::{Language, Notebook, Parameters};
use spoor_plugin_abi::Capability;

use super::local::Local;
use super::places::{Places, is_stream};
use super::workspaces::Configuration;
use super::{Exit, Failure, plugin, plugins, say, signals};
use crate::aot::Cache;
use crate::assets::Assets;
use crate::native::{Providers, Remote};
use crate::recorded::{Recorder, Replayer};
use crate::run::{Ask, Asker, Ending, Finished, Outcome, Plan, Progress, Run};
use crate::save::{Saver, write_atomically};
use crate::session::{Options, Runtime};
use crate::sources::Data;

/// Run a notebook from its first cell to its last
///
/// Cells that begin with %%kql are KQL over the files that --data names; all others are Python. With
/// %%kql host a query runs natively, on all cores.
/// The executed notebook is written after each cell, so a run that is killed leaves the cells
/// that had finished. The notebook itself is not changed unless --in-place says so.
///
/// Ctrl-C interrupts the cell that runs; a second Ctrl-C stops the run.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The notebook; `-` reads it from standard input
    notebook: PathBuf,
    /// Where to write the executed notebook; `-` is standard output, at the run's end
    /// [default: NAME.out.ipynb beside the notebook]
    #[arg(short, long, value_name = "OUT", conflicts_with = "in_place")]
    output: Option<PathBuf>,
    /// Write the executed notebook over the notebook itself
    #[arg(long)]
    in_place: bool,
    /// Write a static HTML page of the result as well
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,
    /// Set a variable: NAME=VALUE, after the cell tagged `parameters`, or at the top
    ///
    /// True, False, None and numbers are taken as such; all else is text. Python cells have it, and KQL cells use it by its
    /// name, as in `where Failed > least`; a query that runs elsewhere asks for it: `let n = least;`.
    #[arg(short, long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// A data file, or a folder of them; each file becomes a table by its name
    ///
    /// CSV, JSON, JSON lines, Parquet and Arrow, also gzipped, zstd-compressed or zipped. Python
    /// cells see the files under /data, read-only.
    #[arg(short, long, value_name = "DIR|FILE")]
    data: Vec<PathBuf>,
    /// A plugin for queries to call with `evaluate`: a file, or one that was added by name
    ///
    /// It computes on the columns that it is given and can do nothing else.
    #[arg(long = "plugin", value_name = "PLUGIN")]
    plugins: Vec<PathBuf>,
    /// Let plugins use what they ask for: log, progress or time
    #[arg(long, value_name = "CAPABILITY", value_parser = plugin::capability)]
    grant: Vec<Capability>,
    /// Go on after a cell that failed
    #[arg(long)]
    allow_errors: bool,
    /// Stop the run after this many seconds
    ///
    /// The first run on a machine, or after an update, prepares the engines, which can take minutes and says so. That is
    /// not counted, here nor for --cell-timeout.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Interrupt a cell after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    cell_timeout: Option<Duration>,
    /// Show what cells print, on standard error, as they print it
    #[arg(long)]
    log_output: bool,
    /// Keep what workspaces answer in DIR, so that the notebook runs again without them
    ///
    /// Whoever has the folder can read the answers.
    #[arg(long, value_name = "DIR", conflicts_with = "replay")]
    record: Option<PathBuf>,
    /// Take what workspaces answer from DIR, where --record kept it, and ask nobody
    #[arg(long, value_name = "DIR")]
    replay: Option<PathBuf>,
    /// The workspace that runs queries which name none, in place of the notebook's own; `local` for none
    #[arg(short, long, value_name = "NAME")]
    workspace: Option<String>,
    #[command(flatten)]
    configuration: Configuration,
    /// Record the session into FILE, for `spoor replay`
    ///
    /// The recording holds the data that queries read.
    #[arg(long, value_name = "FILE")]
    record_session: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  Run a hunt over a folder of logs, and make a page of it:
    spoor run hunt.ipynb --data logs/ --html hunt.html

  Set what the cell tagged `parameters` declares:
    spoor run hunt.ipynb -o today.ipynb -p days=1 -p host=WKS-042

  With a plugin whose functions its queries call:
    spoor run hunt.ipynb --data logs/ --plugin beacons

  Keep what workspaces answer beside the notebook, and run it again without them:
    spoor run hunt.ipynb --record hunt.recorded
    spoor run hunt.ipynb --replay hunt.recorded

  In a script: at most ten minutes in all, one minute a cell
    spoor run hunt.ipynb --timeout 600 --cell-timeout 60 || echo \"exit code $?\"

Exit codes: 0 all cells ran, 1 a cell failed, 2 the command line is wrong, 3 the notebook or data
cannot be read, 4 a time limit was passed, 5 spoor cannot work, 130 interrupted.";

/// Seconds, with a fraction if need be.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "expected a number of seconds".to_owned())?;
    if number <= 0.0 {
        return Err("expected more than 0 seconds".into());
    }
    Duration::try_from_secs_f64(number).map_err(|e| e.to_string())
}

pub fn run(args: Args) -> Result<Exit, Failure> {
    // Before the notebook is read: what anyone writes there from now on is a conflict, not lost.
    let output = output_path(&args)?;
    let piped = is_stream(&output);
    let mut saver = match piped {
        true => Saver::nowhere(),
        false => Saver::new(&output),
    };
    let mut notebook = super::render::read_notebook(&args.notebook)?;
    warn_of_language(&notebook.language());
    inject(&args.parameters, &mut notebook)?;
    mark_recorded(&mut notebook, args.record.as_deref(), &output);
    let data = Data::discover(&args.data)?;
    data.warnings
        .iter()
        .chain(&data.renamed)
        .for_each(say::warning);
    keep_apart(&args, &output, &data)?;
    if let Some(record) = args
        .record_session
        .as_deref()
        .filter(|record| record.exists())
    {
        let message = format!(
            "{} exists; a recording is never overwritten",
            record.display()
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    let mut screen = Screen::new(args.log_output);
    let lines = Screen {
        bar: screen.bar.clone(),
        log_output: false,
    };
    let limits = args.timeout.is_some() || args.cell_timeout.is_some();
    let progress = move |progress: crate::aot::Progress| {
        let after = match progress {
            crate::aot::Progress::NotKept { .. } => "",
            _ if limits => "; time limits begin after it",
            _ => "",
        };
        lines.line(&format!("{progress}{after}"));
    };
    let assets = Assets::find()?;
    let plugins = plugins::given(&args.plugins, &args.grant, &assets, &mut notebook)?;
    let runtime = Runtime::load(assets, Cache::of_user(), Box::new(progress))?;
    if let Some(workspace) = &args.workspace {
        notebook.set_workspace(workspace);
    }
    let remote = remote(&args)?;
    let plan = Plan {
        allow_errors: args.allow_errors,
        timeout: args.timeout,
        session: Options {
            providers: Providers {
                host: Some(Arc::new(Local::new(data.clone(), 1))),
                remote: remote.clone(),
            },
            workspace: notebook.workspace().map(ToOwned::to_owned),
            local_workspaces: remote.map(|remote| remote.local()).unwrap_or_default(),
            data,
            plugins,
            cell_time: args.cell_timeout,
            record: args.record_session,
            ..Options::default()
        },
    };
    let run = Run::default();
    let signals = Signals::default();
    signals.listen(run.asker())?;
    let finished = run.start(&runtime, &mut notebook, &mut saver, plan, &mut |progress| {
        screen.show(progress)
    });
    signals.end_the_program_from_now_on();
    screen.end();
    if piped {
        // Before any error: what has finished is in the notebook.
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&notebook.to_vec())?;
        stdout.flush()?;
    }
    let finished = finished?;
    if let Some(html) = &args.html {
        let page = super::render::page(&notebook, &args.notebook);
        signals.hold_while(|| write_atomically(html, page.as_bytes()))?;
    }
    let html = args.html.as_deref();
    if piped {
        let red = say::colours(&std::io::stderr());
        report(&finished, None, html, &mut std::io::stderr().lock(), red)?;
    } else {
        let red = say::colours(&std::io::stdout());
        let out = Some(saver.path());
        report(&finished, out, html, &mut std::io::stdout().lock(), red)?;
    }
    let exit = exit_of(&finished);
    if !finished.clean {
        // A cell that heeds nothing still has the session's thread.
        std::process::exit(exit as i32);
    }
    Ok(exit)
}

/// Refuses results that would replace an input or each other.
fn keep_apart(args: &Args, output: &Path, data: &Data) -> Result<(), Failure> {
    let mut places = Places::default();
    if !args.in_place {
        places.read(
            format!("the notebook {}", args.notebook.display()),
            &args.notebook,
        );
    }
    places.read_data(&data.sources);
    places.write("the executed notebook", output)?;
    if let Some(html) = &args.html {
        places.write("the page", html)?;
    }
    match &args.record_session {
        Some(record) => places.write("the recording", record),
        None => Ok(()),
    }
}

/// What answers the queries that name a workspace.
fn remote(args: &Args) -> Result<Option<Arc<dyn Remote>>, Failure> {
    let unable = |what: &str, folder: &Path| {
        let message = format!("{what} {}", folder.display());
        move |error: std::io::Error| Failure::new(Exit::Usage, format!("{message}: {error}"))
    };
    if let Some(folder) = &args.replay {
        let replayer = Replayer::new(folder.clone());
        let replayer = replayer.map_err(unable("--replay: no recorded answers in", folder))?;
        return Ok(Some(Arc::new(replayer)));
    }
    let remote = args.configuration.remote()?;
    match &args.record {
        Some(folder) => {
            let recorder = Recorder::new(remote, folder.clone());
            let recorder = recorder.map_err(unable("--record: cannot make the folder", folder))?;
            Ok(Some(Arc::new(recorder)))
        }
        None => Ok(Some(remote)),
    }
}

/// Says in the notebook where the answers of its workspaces are, if they are beside it.
fn mark_recorded(notebook: &mut Notebook, record: Option<&Path>, output: &Path) {
    let Some(record) = record else {
        return;
    };
    let whole = |path: &Path| -> Option<PathBuf> {
        // Without `.`, which paths have several ways to write.
        Some(std::path::absolute(path).ok()?.components().collect())
    };
    let beside = whole(output).and_then(|output| Some(output.parent()?.to_owned()));
    let inside =
        beside.and_then(|beside| Some(whole(record)?.strip_prefix(beside).ok()?.to_owned()));
    let folder = inside.as_deref().and_then(Path::to_str).unwrap_or_default();
    notebook.set_recorded(folder);
    if notebook.recorded() != Some(folder) {
        say::warning(format_args!(
            "the executed notebook does not say where its recorded answers are: a page finds them in a folder beside it, of plain name"
        ));
    }
}

/// Where the executed notebook goes. Refuses to overwrite the input in passing.
fn output_path(args: &Args) -> Result<PathBuf, Failure> {
    let input = &args.notebook;
    if input.as_os_str() == "-" && args.output.is_none() {
        let message = "a notebook from standard input has no place of its own; say where to with --output OUT";
        return Err(Failure::new(Exit::Usage, message));
    }
    if args.html.as_deref().is_some_and(is_stream) {
        let message = "the page needs a file; `spoor render -o -` puts the page of a notebook on standard output";
        return Err(Failure::new(Exit::Usage, message));
    }
    if args.in_place {
        return Ok(input.clone());
    }
    if let Some(output) = args.output.as_ref().filter(|output| is_stream(output)) {
        return Ok(output.clone());
    }
    if let Some(output) = args.output.as_ref().filter(|output| !is_notebook(output)) {
        let message = format!(
            "the executed notebook is a .ipynb, and {} is called otherwise; a page of it goes with --html FILE, and `spoor render` \
             makes other forms",
            say::path(output)
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    let out = args.output.clone().unwrap_or_else(|| {
        let stem = input.file_stem().unwrap_or_default().to_string_lossy();
        input.with_file_name(format!("{stem}.out.ipynb"))
    });
    let same = matches!((input.canonicalize(), out.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if same {
        let message = format!(
            "{} is the notebook itself; to write over it, say --in-place",
            out.display()
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    Ok(out)
}

/// Whether a file's extension is a notebook's, or it has none.
fn is_notebook(file: &Path) -> bool {
    let extension = file.extension().unwrap_or_default();
    extension.is_empty()
        || ["ipynb", "json"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
}

/// Cells of a notebook for another kernel fail as bad Python: says beforehand why.
fn warn_of_language(language: &Language) {
    if *language != Language::Python {
        say::warning(format_args!(
            "the notebook's language is {}; its cells run as Python, and as KQL where they begin with %%kql",
            language.label()
        ));
    }
}

fn inject(arguments: &[String], notebook: &mut Notebook) -> Result<(), Failure> {
    let usage = |e: spoor_notebook::ParameterError| Failure::new(Exit::Usage, e.to_string());
    let parameters = Parameters::from_args(arguments).map_err(usage)?;
    if parameters.is_empty() {
        return Ok(());
    }
    let injected = parameters.inject(notebook).map_err(usage)?;
    if !injected.has_parameters_cell {
        say::warning("no cell is tagged `parameters`; the values were put at the top");
    }
    for name in injected.unknown {
        say::warning(format_args!(
            "the notebook's parameters cell does not assign `{name}`; is it misspelt?"
        ));
    }
    Ok(())
}

/// What signals do: while the notebook runs they are the run's affair, afterwards they end the
/// program.
#[derive(Default)]
struct Signals {
    /// Whether the run is over. Locked while a file is written, so that none is left half made.
    over: Arc<Mutex<bool>>,
}

impl Signals {
    /// Takes signals from now on, and hands them to the run.
    fn listen(&self, asker: Asker) -> Result<(), Failure> {
        use signal_hook::consts::SIGINT;
        let unable = |e: std::io::Error| {
            Failure::new(Exit::Unable, format!("cannot listen for Ctrl-C: {e}"))
        };
        let mut signals =
            signal_hook::iterator::Signals::new(signals::that_end()).map_err(unable)?;
        let over = self.over.clone();
        let heed = move || {
            for signal in signals.forever() {
                let over = over.lock().unwrap_or_else(PoisonError::into_inner);
                if *over {
                    std::process::exit(Exit::Interrupted as i32);
                }
                asker.ask(if signal == SIGINT {
                    Ask::Interrupt
                } else {
                    Ask::Stop
                });
            }
        };
        std::thread::Builder::new()
            .name("spoor-signals".into())
            .spawn(heed)
            .map(drop)
            .map_err(unable)
    }

    /// The run is over: nobody is left to ask.
    fn end_the_program_from_now_on(&self) {
        *self.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// Does what a signal must not break off; one that comes meanwhile counts afterwards.
    fn hold_while<T>(&self, work: impl FnOnce() -> T) -> T {
        let _over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        work()
    }
}

fn exit_of(finished: &Finished) -> Exit {
    match finished.end {
        Ending::Complete => Exit::Done,
        Ending::Failed => Exit::Failed,
        Ending::TimedOut => Exit::TimedOut,
        Ending::Interrupted => Exit::Interrupted,
    }
}

/// What a person sees while the notebook runs: a bar on a terminal, lines elsewhere.
struct Screen {
    bar: Option<ProgressBar>,
    log_output: bool,
}

impl Screen {
    fn new(log_output: bool) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = if say::colours(&std::io::stderr()) {
                "{spinner} {pos}/{len} {bar:24.cyan/dim} {elapsed} {msg}"
            } else {
                "{spinner} {pos}/{len} {bar:24} {elapsed} {msg}"
            };
            let bar = ProgressBar::new(0);
            bar.set_style(
                ProgressStyle::with_template(style)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar, log_output }
    }

    fn show(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Begins(cell) => {
                if let Some(bar) = &self.bar {
                    bar.set_length(cell.total as u64);
                    bar.set_position(cell.number as u64 - 1);
                    bar.set_message(say::cut(&say::plain(&cell.first_line), 48));
                }
            }
            Progress::Ended(outcome) => self.ended(outcome),
            Progress::Note(line) => self.line(line),
            Progress::Message(message) => {
                let text = message.content.get("text").and_then(|text| text.as_str());
                if let Some(text) = text.filter(|_| self.log_output && message.msg_type == "stream")
                {
                    self.raw(text);
                }
            }
        }
    }

    fn ended(&self, outcome: &Outcome) {
        match &self.bar {
            Some(bar) => bar.set_position(outcome.number as u64),
            None => say::line(format_args!(
                "cell {} ({}) {} in {}",
                outcome.number,
                outcome.language,
                outcome
                    .error
                    .as_deref()
                    .map_or("ran".to_owned(), |e| format!("failed: {}", say::plain(e))),
                time(outcome.time)
            )),
        }
    }

    fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say::line(line)),
            None => say::line(line),
        }
    }

    /// Text of a cell, as it is but for what a terminal would obey.
    fn raw(&self, text: &str) {
        let mut stderr = std::io::stderr();
        let text = if stderr.is_terminal() {
            say::visible(text)
        } else {
            text.to_owned()
        };
        let mut write = || drop(stderr.write_all(text.as_bytes()));
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The table of cells, and where the results are: those that are in files.
fn report(
    finished: &Finished,
    out: Option<&Path>,
    html: Option<&Path>,
    to: &mut dyn Write,
    red: bool,
) -> Result<(), Failure> {
    let results: Vec<String> = finished.cells.iter().map(result).collect();
    let width = results
        .iter()
        .map(|text| text.chars().count())
        .max()
        .unwrap_or(0)
        .max("result".len());
    writeln!(to, "cell  language  {:width$}  {:>8}", "result", "time")?;
    for (cell, text) in finished.cells.iter().zip(&results) {
        let (on, off) = if red && cell.error.is_some() {
            ("\x1b[31m", "\x1b[0m")
        } else {
            ("", "")
        };
        let time = time(cell.time);
        writeln!(
            to,
            "{:>4}  {:8}  {on}{text:width$}{off}  {time:>8}",
            cell.number,
            say::plain(&cell.language)
        )?;
    }
    writeln!(to, "\n{}", ending_line(finished))?;
    if let Some(out) = out {
        writeln!(to, "notebook  {}", say::path(out))?;
    }
    if let Some(html) = html {
        writeln!(to, "page      {}", say::path(html))?;
    }
    Ok(())
}

fn result(cell: &Outcome) -> String {
    const WIDEST: usize = 60;
    let text = match (&cell.error, cell.rows) {
        (Some(error), _) => error.clone(),
        (None, Some(1)) => "1 row".to_owned(),
        (None, Some(rows)) => format!("{} rows", say::count(rows)),
        (None, None) => cell.summary.clone(),
    };
    say::cut(&say::plain(&text), WIDEST)
}

fn ending_line(finished: &Finished) -> String {
    let cells = finished.cells.len();
    let ran = if cells == 1 {
        "1 cell ran".to_owned()
    } else {
        format!("{cells} cells ran")
    };
    let failed = finished
        .cells
        .iter()
        .filter(|cell| cell.error.is_some())
        .count();
    let last = finished.cells.last().map_or(0, |cell| cell.number);
    match finished.end {
        Ending::Complete if failed == 0 => ran,
        Ending::Complete => format!("{ran}, {failed} of them failed, as was allowed"),
        Ending::Failed => format!("stopped: cell {last} failed"),
        Ending::TimedOut => format!("stopped: the time limit was passed in cell {last}"),
        Ending::Interrupted => format!("stopped: interrupted in cell {last}"),
    }
}

fn time(time: Duration) -> String {
    if time < Duration::from_secs(100) {
        format!("{:.2} s", time.as_secs_f64())
    } else {
        format!("{} s", time.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_seconds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "ten", "nan", "1e300"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
