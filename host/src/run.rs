//! Running a notebook from its first cell to its last: what `spoor run` does, apart from talking
//! to a person.
//!
//! The session runs on its own thread; this is the front end, on the caller's. It gathers
//! outputs, saves after each cell, and keeps the time. Whatever ends the session, the outputs
//! that there are by then are saved.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use spoor_notebook::{Cell, Notebook, OutputArea, PluginPin};
use spoor_protocol::{Channel, Event};

use crate::error::Error;
use crate::save::{Saved, Saver};
use crate::session::{End, Interrupt, Message, Options, Report, Runtime, Session};

/// How long a cell that was interrupted for good has before it is given up.
const GRACE: Duration = Duration::from_secs(5);

/// The tag by which a cell says that its error is meant.
const RAISES: &str = "raises-exception";

/// The tag by which a cell says that it is not to run: nbclient's, and so papermill's.
const SKIPPED: &str = "skip-execution";

/// What a run is to do.
#[derive(Debug)]
pub struct Plan {
    /// Go on after a cell that failed.
    pub allow_errors: bool,
    /// The longest that the whole run may take.
    pub timeout: Option<Duration>,
    /// The session to run in.
    pub session: Options,
}

/// Something that a person did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Interrupt the cell that runs; asked again, stop the run.
    Interrupt,
    /// Stop the run.
    Stop,
}

/// What a run tells as it goes.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A cell begins.
    Begins(&'a Running),
    /// A message of the cell that runs, before it is taken into the notebook.
    Message(&'a Message),
    /// A cell has ended.
    Ended(&'a Outcome),
    /// Something worth a line.
    Note(&'a str),
}

/// The cell that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its number among the code cells, from 1.
    pub number: usize,
    /// How many code cells there are.
    pub total: usize,
    /// The first line of its source.
    pub first_line: String,
}

/// How a cell went.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its number among the code cells, from 1.
    pub number: usize,
    /// Its language, as the kernel saw it: `python` or `kql`.
    pub language: String,
    /// Rows of its result, where that is a table.
    pub rows: Option<u64>,
    /// A few words on its outputs.
    pub summary: String,
    /// How long it took.
    pub time: Duration,
    /// Its error, in one line.
    pub error: Option<String>,
    /// Whether the error counts: it was neither allowed nor announced.
    pub counts: bool,
}

/// How a run ended.
#[derive(Debug)]
pub struct Finished {
    /// The cells that ran.
    pub cells: Vec<Outcome>,
    /// How it ended.
    pub end: Ending,
    /// Whether the session let go of everything. Otherwise its thread still runs, and the process
    /// had best end.
    pub clean: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every cell ran.
    Complete,
    /// It stopped at a cell that failed.
    Failed,
    /// It, or a cell, passed its time limit.
    TimedOut,
    /// Someone stopped it.
    Interrupted,
}

enum Happened {
    Report(Box<Report>),
    Asked(Ask),
    /// The session's thread has ended.
    Gone,
}

/// The session's way to report. What happens waits in a channel without bounds, so that neither
/// a session that is being opened nor a signal's thread ever waits for this side; the session
/// limits what one cell puts there.
struct Reporter(Sender<Happened>);

impl Reporter {
    fn report(&self, report: Report) {
        // Without a run nobody asks any more.
        let _ = self.0.send(Happened::Report(Box::new(report)));
    }
}

impl Drop for Reporter {
    /// The thread that has it has ended, however that came about.
    fn drop(&mut self) {
        let _ = self.0.send(Happened::Gone);
    }
}

/// A hold on a run from elsewhere, a signal handler for one.
#[derive(Clone)]
pub struct Asker(Sender<Happened>);

impl Asker {
    /// Asks. Without a run it does nothing.
    pub fn ask(&self, ask: Ask) {
        let _ = self.0.send(Happened::Asked(ask));
    }
}

/// A run that has not started.
pub struct Run {
    happens: Receiver<Happened>,
    sender: Sender<Happened>,
}

impl Default for Run {
    fn default() -> Self {
        let (sender, happens) = channel();
        Self { happens, sender }
    }
}

impl Run {
    /// What stops it from elsewhere.
    pub fn asker(&self) -> Asker {
        Asker(self.sender.clone())
    }

    /// Runs `notebook`, saving it through `saver` at first and after each cell, and telling what happens.
    pub fn start(
        self,
        runtime: &Arc<Runtime>,
        notebook: &mut Notebook,
        saver: &mut Saver,
        plan: Plan,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Finished, Error> {
        for cell in 0..notebook.cells.len() {
            // So that no output of an earlier run stands beside those of this one.
            if !notebook.cells[cell].has_tag(SKIPPED) {
                OutputArea::start(notebook, cell);
            }
        }
        let reporter = Reporter(self.sender.clone());
        let report = move |report| reporter.report(report);
        let session = Session::open(runtime, plan.session, report)?;
        // From here on: what a first start compiles is none of the notebook's time.
        let deadline = plan
            .timeout
            .and_then(|timeout| Instant::now().checked_add(timeout));
        let mut front = Front {
            interrupt: session.interrupt(),
            happens: self.happens,
            deadline,
            preparing: None,
            prepared: Duration::ZERO,
            allow_errors: plan.allow_errors,
            stop: None,
            asked: false,
            tell,
        };
        front.save(notebook, saver)?;
        let cells = front.cells(&session, notebook, saver)?;
        let end = front.ending(&cells);
        Ok(Finished {
            cells,
            end,
            clean: session.close(GRACE),
        })
    }
}

struct Front<'a> {
    interrupt: Interrupt,
    happens: Receiver<Happened>,
    deadline: Option<Instant>,
    /// Since when the session prepares an engine: its clock stands still.
    preparing: Option<Instant>,
    /// How long it has done so in the cell that runs.
    prepared: Duration,
    allow_errors: bool,
    /// Why the run ends here.
    stop: Option<Ending>,
    /// Whether someone has interrupted the cell that runs.
    asked: bool,
    tell: &'a mut dyn FnMut(Progress<'_>),
}

/// What is gathered of a cell while it runs.
#[derive(Default)]
struct Gathered {
    reply: Map<String, Value>,
    spoor: Map<String, Value>,
    end: Option<End>,
}

impl Front<'_> {
    fn cells(
        &mut self,
        session: &Session,
        notebook: &mut Notebook,
        saver: &mut Saver,
    ) -> Result<Vec<Outcome>, Error> {
        let code: Vec<usize> = (0..notebook.cells.len())
            .map(|i| (i, &notebook.cells[i]))
            .filter(|(_, cell)| cell.is_code() && !cell.has_tag(SKIPPED))
            .map(|(i, _)| i)
            .collect();
        let mut outcomes = Vec::new();
        for (done, &index) in code.iter().enumerate() {
            let cell = &notebook.cells[index];
            let running = Running {
                number: done + 1,
                total: code.len(),
                first_line: first_line(cell),
            };
            (self.tell)(Progress::Begins(&running));
            let ran = self.cell(session, notebook, index, &running);
            let saved = self.save(notebook, saver);
            // Why the session ended says more than why the last save failed.
            let outcome = ran?;
            saved?;
            (self.tell)(Progress::Ended(&outcome));
            if outcome.counts && self.stop.is_none() {
                self.stop = Some(Ending::Failed);
            }
            outcomes.push(outcome);
            if self.stop.is_some() {
                break;
            }
        }
        Ok(outcomes)
    }

    fn cell(
        &mut self,
        session: &Session,
        notebook: &mut Notebook,
        index: usize,
        running: &Running,
    ) -> Result<Outcome, Error> {
        let cell = &notebook.cells[index];
        let request = Event::Execute {
            id: format!("cell-{}", running.number),
            cell_id: cell.id.clone(),
            code: cell.source.clone(),
            silent: false,
            allow_stdin: false,
        };
        let expected = cell.has_tag(RAISES);
        let mut area = OutputArea::start(notebook, index);
        self.asked = false;
        self.prepared = Duration::ZERO;
        let began = Instant::now();
        let ran = session
            .send(request)
            .and_then(|()| self.gather(notebook, &mut area));
        if let Err(error) = &ran {
            put_error(notebook, &mut area, "SessionEnded", &error.to_string());
        }
        let gathered = ran?;
        if gathered.end.is_none() {
            give_up(notebook, &mut area, self.stop);
        }
        let error = gathered.error(self.stop);
        if error.is_some() && gathered.end == Some(End::TimedOut) && !self.allow_errors {
            self.stop.get_or_insert(Ending::TimedOut);
        }
        if error.is_some() && self.asked && !self.allow_errors {
            self.stop.get_or_insert(Ending::Interrupted);
        }
        let text = |key: &str| {
            gathered
                .spoor
                .get(key)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        // The kernel says which it was, unless it broke.
        let language = notebook.cells[index].language(&notebook.language());
        Ok(Outcome {
            number: running.number,
            language: text("language").unwrap_or_else(|| language.label().to_lowercase()),
            rows: gathered.spoor.get("rows").and_then(Value::as_u64),
            summary: summary(&notebook.cells[index]),
            time: began.elapsed().saturating_sub(self.prepared),
            counts: error.is_some() && !self.allow_errors && !expected,
            error,
        })
    }

    /// Takes in what happens until the cell is done, or given up.
    fn gather(
        &mut self,
        notebook: &mut Notebook,
        area: &mut OutputArea,
    ) -> Result<Gathered, Error> {
        let mut gathered = Gathered::default();
        let mut given_up_at = None;
        loop {
            match self.wait(given_up_at) {
                Some(Happened::Report(report)) => match *report {
                    Report::Done(end) => {
                        gathered.end = Some(end?);
                        return Ok(gathered);
                    }
                    Report::Note(line) => (self.tell)(Progress::Note(&line)),
                    Report::Preparing => self.preparing = Some(Instant::now()),
                    Report::Prepared => self.clock_goes_on(),
                    Report::Message(message) => self.take(message, notebook, area, &mut gathered),
                },
                Some(Happened::Gone) => {
                    return Err(Error::Internal("its thread ended without a word".into()));
                }
                Some(Happened::Asked(ask)) => {
                    let enough = ask == Ask::Stop || self.asked;
                    self.asked = true;
                    self.interrupt.now();
                    if enough {
                        self.stop.get_or_insert(Ending::Interrupted);
                    }
                }
                None if self.stop.is_some() => return Ok(gathered),
                None => {
                    self.stop = Some(Ending::TimedOut);
                    self.interrupt.now();
                }
            }
            // A single Ctrl-C only asks: the cell may take its time to heed it.
            if self.stop.is_some() {
                given_up_at.get_or_insert_with(|| Instant::now() + GRACE);
            }
        }
    }

    /// The time that an engine took is given back.
    fn clock_goes_on(&mut self) {
        let Some(took) = self.preparing.take().map(|since| since.elapsed()) else {
            return;
        };
        self.prepared += took;
        self.deadline = self.deadline.and_then(|until| until.checked_add(took));
    }

    /// What happens next; `None` when time is up: the run's, or the patience with a cell that is
    /// to stop.
    fn wait(&self, given_up_at: Option<Instant>) -> Option<Happened> {
        let deadline = self.deadline.filter(|_| self.preparing.is_none());
        let Some(until) = given_up_at.or(deadline) else {
            return self.happens.recv().ok();
        };
        // Looked at first, so that a flood of output cannot hold it off. The sender lives as long
        // as the run: an error is the time.
        let left = until.checked_duration_since(Instant::now())?;
        self.happens.recv_timeout(left).ok()
    }

    fn take(
        &mut self,
        mut message: Message,
        notebook: &mut Notebook,
        area: &mut OutputArea,
        gathered: &mut Gathered,
    ) {
        (self.tell)(Progress::Message(&message));
        match message.channel {
            Channel::Iopub => drop(area.message(notebook, &message.msg_type, message.content)),
            Channel::Shell if message.msg_type == "execute_reply" => {
                if let Some(Value::Object(spoor)) = message.metadata.remove("spoor") {
                    pin_called(notebook, spoor.get("plugins"));
                    gathered.spoor = spoor;
                }
                gathered.reply = message.content;
            }
            Channel::Shell | Channel::Stdin => {}
        }
    }

    fn save(&mut self, notebook: &Notebook, saver: &mut Saver) -> Result<(), Error> {
        let meant = saver.path().to_owned();
        if let Saved::Beside(path) = saver.save(&notebook.to_vec())? {
            (self.tell)(Progress::Note(&format!(
                "{} was changed by someone else while this ran, and was left as it is; the run goes on in {}",
                meant.display(),
                path.display()
            )));
        }
        Ok(())
    }

    fn ending(&self, cells: &[Outcome]) -> Ending {
        let failed = cells.iter().any(|cell| cell.counts);
        self.stop.unwrap_or(if failed {
            Ending::Failed
        } else {
            Ending::Complete
        })
    }
}

/// Pins the plugins that a cell called, as its reply names them: `{name: {version, sha256}}`.
fn pin_called(notebook: &mut Notebook, plugins: Option<&Value>) {
    for (name, pin) in plugins.and_then(Value::as_object).into_iter().flatten() {
        let text = |key: &str| pin.get(key).and_then(Value::as_str).map(str::to_owned);
        if let (Some(version), Some(sha256)) = (text("version"), text("sha256")) {
            notebook.pin_plugin(name, &PluginPin { version, sha256 });
        }
    }
}

impl Gathered {
    /// The cell's error in one line.
    fn error(&self, stop: Option<Ending>) -> Option<String> {
        if self.end.is_none() {
            return Some(given_up_reason(stop).into());
        }
        let text = |key: &str| {
            self.reply
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        match text("status") {
            "ok" => None,
            "error" => Some(one_line(&match text("evalue") {
                // `KeyboardInterrupt` says no more.
                "" => text("ename").to_owned(),
                value => format!("{}: {value}", text("ename")),
            })),
            "" => Some("the kernel did not reply".into()),
            other => Some(other.to_owned()),
        }
    }
}

fn given_up_reason(stop: Option<Ending>) -> &'static str {
    match stop {
        Some(Ending::TimedOut) => {
            "TimedOut: the run passed its time limit, and the cell did not stop"
        }
        _ => "Interrupted: the run was stopped, and the cell did not heed it",
    }
}

/// Writes the reason on a cell that never ended.
fn give_up(notebook: &mut Notebook, area: &mut OutputArea, stop: Option<Ending>) {
    let reason = given_up_reason(stop);
    let (name, value) = reason.split_once(": ").unwrap_or((reason, ""));
    put_error(notebook, area, name, value);
}

fn put_error(notebook: &mut Notebook, area: &mut OutputArea, name: &str, value: &str) {
    let error = json!({"ename": name, "evalue": value, "traceback": [format!("{name}: {value}")]});
    if let Value::Object(content) = error {
        area.message(notebook, "error", content);
    }
}

fn first_line(cell: &Cell) -> String {
    let line = cell
        .source
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty());
    line.unwrap_or_default().to_owned()
}

/// A few words on a cell's outputs: the text of the last, or the kind of a richer one.
fn summary(cell: &Cell) -> String {
    let Some(last) = cell.outputs().last() else {
        return String::new();
    };
    match last {
        spoor_notebook::Output::Stream { text, .. } => last_line(text),
        spoor_notebook::Output::Error { ename, evalue, .. } => {
            one_line(&format!("{ename}: {evalue}"))
        }
        other => {
            let data = other.bundle().map(|bundle| &bundle.data);
            let rich = data.and_then(|data| data.keys().find(|kind| kind.starts_with("image/")));
            let text = data
                .and_then(|data| data.get("text/plain"))
                .and_then(Value::as_str);
            rich.cloned()
                .unwrap_or_else(|| one_line(text.unwrap_or_default()))
        }
    }
}

fn last_line(text: &str) -> String {
    let line = text
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty());
    line.unwrap_or_default().to_owned()
}

/// The first line, and a mark if there are more.
fn one_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    if lines.next().is_some() {
        format!("{first} …")
    } else {
        first.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_clock_stands_while_an_engine_is_prepared() {
        let (sender, happens) = channel();
        let report = |sender: &Sender<Happened>, report| {
            sender.send(Happened::Report(Box::new(report))).unwrap();
        };
        let limit = Duration::from_millis(500);
        let mut tell = |_: Progress<'_>| {};
        let mut front = Front {
            interrupt: Interrupt::default(),
            happens,
            deadline: Some(Instant::now() + limit),
            preparing: None,
            prepared: Duration::ZERO,
            allow_errors: false,
            stop: None,
            asked: false,
            tell: &mut tell,
        };
        report(&sender, Report::Preparing);
        let session = std::thread::spawn(move || {
            std::thread::sleep(limit * 2);
            report(&sender, Report::Prepared);
            report(&sender, Report::Done(Ok(End::Carried)));
        });
        let mut notebook = Notebook::new();
        notebook.cells = vec![Cell::code("1")];
        let mut area = OutputArea::start(&mut notebook, 0);
        let gathered = front.gather(&mut notebook, &mut area).unwrap();
        session.join().unwrap();
        assert_eq!((gathered.end, front.stop), (Some(End::Carried), None));
        assert!(front.prepared >= limit * 2);
        assert!(front.preparing.is_none());
    }
}
