//! The state machine: takes one event, changes the session, gives effects.
//!
//! One request is answered at a time, in the order of arrival; the others wait in a queue. What
//! a request waits for is in its [`Work`]: a query's next slice, a source's bytes, the guest.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use serde_json::{Map, Value, json};
use spoor_protocol::{Channel, Effect, Effects, Event, Frame, Outcome, PluginOutcome};

use crate::bundle::{Answer, Origin, bundle};
use crate::catalogue::{Catalogue, Loading};
use crate::cell::{self, Cell, KqlCell};
use crate::diagnosis;
use crate::fetching::Part;
use crate::job::{self, Job, Progress};
use crate::language;
use crate::output::{Failure, Output, object};
use crate::page::{Attached, ForPage};
use crate::plugins::Adding;
use crate::python::{self, PYTHON_TURN};
use crate::request::{Ask, Ending, Execute, Request, Turn, Upcall, Work};
use crate::running::Running;
use crate::session::Session;
use crate::workspaces::{Place, Wanted, Workspaces};

/// The most bytes of files that a completion or an inspection waits for.
const LOAD_FOR_NAMES: u64 = 32 << 20;
/// The most requests that wait.
const MAX_WAITING: usize = 10_000;

/// A notebook's kernel. `step` is its only door; see the crate's page.
#[derive(Default)]
pub struct Kernel {
    /// None before [`Event::Open`].
    machine: Option<Machine>,
}

impl Kernel {
    /// A kernel that waits for [`Event::Open`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one event and gives the effects to carry out, in order. Never panics on an event:
    /// one that does not fit is answered by [`Effect::Refuse`]. Comes back within some tens of
    /// milliseconds, with [`Effect::Continue`] if there is more to do.
    pub fn step(&mut self, frame: Frame<Event>) -> Frame<Effects> {
        let mut out = Output::default();
        match (frame.header, &mut self.machine) {
            (Event::Open { options }, None) => match Machine::open(&options) {
                Ok(machine) => self.machine = Some(machine),
                Err(reason) => out.refuse(reason),
            },
            (_, None) => out.refuse("the session is not open yet: Open comes first"),
            (event, Some(machine)) => machine.step(event, frame.buffers, &mut out),
        }
        out.into_frame()
    }
}

/// An open session and the request that it works on.
pub(crate) struct Machine {
    /// No front end answers `input()`.
    pub headless: bool,
    /// The front end shows tables by itself, and so gets results as Arrow.
    arrow: bool,
    pub session: Session,
    pub catalogue: Catalogue,
    pub workspaces: Workspaces,
    pub current: Option<Request>,
    waiting: VecDeque<(String, Ask)>,
    /// The last request, whose output late bytes of the guest belong to.
    last: String,
    /// The `Continue` effects that no event has answered yet.
    owed: usize,
    /// The fetches that providers have been asked for; the last one's number.
    pub fetches: u64,
    streams: python::Streams,
}

impl Machine {
    fn open(options: &BTreeMap<String, Value>) -> Result<Self, String> {
        let memory = options.get("memory_bytes").and_then(Value::as_u64);
        Ok(Self {
            headless: options
                .get("headless")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            arrow: options.get("results").and_then(Value::as_str) == Some("arrow"),
            session: Session::default(),
            catalogue: Catalogue::new(memory.and_then(|bytes| usize::try_from(bytes).ok()))?,
            workspaces: Workspaces::default(),
            current: None,
            waiting: VecDeque::new(),
            last: String::new(),
            owed: 0,
            fetches: 0,
            streams: python::Streams::default(),
        })
    }

    fn step(&mut self, event: Event, buffers: Vec<Vec<u8>>, out: &mut Output) {
        self.take(event, buffers, out);
        while self.current.is_none() {
            let Some((id, ask)) = self.waiting.pop_front() else {
                break;
            };
            self.begin(id, ask, out);
        }
    }

    fn take(&mut self, event: Event, mut buffers: Vec<Vec<u8>>, out: &mut Output) {
        let bytes = if buffers.is_empty() {
            Vec::new()
        } else {
            buffers.swap_remove(0)
        };
        match event {
            Event::Open { .. } => out.refuse("the session is open already"),
            Event::AddSource { source } => {
                let name = source.name.clone();
                let declared = self.catalogue.declare(source);
                self.replaced(&name, declared, out);
            }
            Event::RemoveSource { name } => {
                let taken = self.catalogue.take_away(&name);
                self.replaced(&name, taken, out);
            }
            Event::Data { name, last, error } => {
                match self.catalogue.data(&name, bytes, last, error) {
                    Ok(())
                        if self
                            .current
                            .as_ref()
                            .is_some_and(|request| request.awaits_data) =>
                    {
                        self.go_on(out)
                    }
                    // The request that wanted it has been interrupted; the bytes are kept for the next.
                    Ok(()) => {}
                    Err(reason) => out.refuse(reason),
                }
            }
            Event::AddPlugin {
                id,
                sha256,
                granted,
                limits,
            } => {
                let adding = Adding {
                    sha256,
                    granted,
                    wish: limits,
                };
                self.add_plugin(&id, &bytes, &adding, out);
            }
            Event::RemovePlugin { name } => {
                if !self.catalogue.remove_plugin(&name) {
                    out.refuse(format!("there is no plugin '{name}'"));
                }
            }
            Event::PluginCalled { call, outcome } => {
                self.plugin_called(call, outcome, &bytes, out);
            }
            fetched @ Event::Fetched { .. } => {
                if let Some(part) = Part::of(fetched) {
                    self.fetched(part, bytes, out);
                }
            }
            Event::Workspaces { current, local } => self.workspaces.set(current, local),
            Event::Schema { workspace, tables } => self.workspaces.tell(workspace, tables),
            Event::Execute {
                id,
                cell_id,
                code,
                silent,
                allow_stdin,
            } => {
                self.queue(
                    id,
                    Ask::Execute(Execute {
                        cell_id,
                        code,
                        silent,
                        allow_stdin,
                    }),
                    out,
                );
            }
            Event::Complete {
                id,
                code,
                cursor_pos,
            } => self.queue(id, Ask::Complete { code, cursor_pos }, out),
            Event::Inspect {
                id,
                code,
                cursor_pos,
                detail_level,
            } => {
                self.queue(
                    id,
                    Ask::Inspect {
                        code,
                        cursor_pos,
                        detail_level,
                    },
                    out,
                );
            }
            Event::IsComplete { id, code } => self.queue(id, Ask::IsComplete { code }, out),
            Event::Describe { id, table, rows } => {
                self.queue(id, Ask::Describe { table, rows }, out);
            }
            Event::Diagnose { id, code, language } => {
                self.diagnose(&id, &code, language.as_deref(), out);
            }
            Event::Interrupt => self.interrupt(out),
            Event::Restart => self.restart(out),
            Event::Upcall => self.upcall(&bytes, out),
            Event::PythonOutput { fd } => self.python_output(fd, &bytes, out),
            Event::PythonDone { outcome } => self.python_done(outcome, out),
            Event::InputReply { value } => self.input_reply(value, out),
            Event::Continue => self.continued(out),
        }
    }

    /// Answers at once, whatever else is going on: it waits for nothing and changes nothing. It is no request of Jupyter's, so
    /// no status goes with it. Only Python itself knows what is wrong with Python: it is asked in its turn, if it is here and
    /// has nothing to do.
    fn diagnose(&mut self, id: &str, code: &str, language: Option<&str>, out: &mut Output) {
        let is_free = self.current.is_none() && self.waiting.is_empty();
        if language == Some("python") && is_free && self.session.has_python {
            let code = code.to_owned();
            return self.queue(id.to_owned(), Ask::Diagnose { code }, out);
        }
        let values = self.session.values.mentioned(code);
        let content = diagnosis::reply(code, language, &self.catalogue, &self.workspaces, values);
        out.reply("diagnose_reply", id, content, Map::new());
        out.push(Effect::Idle { parent: id.into() });
    }

    /// Answers at once, as `diagnose` does.
    fn add_plugin(&mut self, id: &str, bytes: &[u8], adding: &Adding, out: &mut Output) {
        let (status, mut content) = match self.catalogue.add_plugin(bytes, adding, out) {
            Ok(about) => ("ok", about),
            Err(failure) => ("error", failure.content()),
        };
        content.insert("status".into(), status.into());
        out.reply("plugin_reply", id, content, Map::new());
        out.push(Effect::Idle { parent: id.into() });
    }

    /// Takes what came of a call. What comes for a query that has been interrupted is passed over.
    fn plugin_called(
        &mut self,
        number: u64,
        outcome: PluginOutcome,
        bytes: &[u8],
        out: &mut Output,
    ) {
        if !self.catalogue.plugins.has_called(number) {
            return out.refuse(format!("there is no call {number}"));
        }
        let work = self.current.as_mut().map(|request| &mut request.work);
        let running = work.and_then(Work::running);
        let Some(job) = running.and_then(Running::job) else {
            return;
        };
        if job.called(number, outcome, bytes) {
            self.go_on(out);
        }
    }

    fn queue(&mut self, id: String, ask: Ask, out: &mut Output) {
        if self.waiting.len() >= MAX_WAITING {
            return out.refuse(format!("{MAX_WAITING} requests are waiting already"));
        }
        self.waiting.push_back((id, ask));
    }

    fn begin(&mut self, id: String, ask: Ask, out: &mut Output) {
        self.catalogue.plugins.take_used();
        if ask.has_status() {
            out.status(&id, "busy");
        }
        self.last.clone_from(&id);
        let mut request = Request {
            id,
            ask,
            begun: Instant::now(),
            cell: Cell::Python,
            count: self.session.count(),
            rows: None,
            origin: None,
            note: None,
            names: Default::default(),
            awaits_data: false,
            work: Work::Python(Turn::default()),
        };
        let ended = match request.ask.clone() {
            Ask::Execute(execute) => self.begin_cell(&mut request, &execute, out),
            Ask::IsComplete { code } if cell::is_kql(&code) => {
                Some(Ending::Ok(language::is_complete(&code)))
            }
            Ask::Describe { table, .. } => {
                request.work = Work::Tables(self.catalogue.unloaded(&[table]));
                self.work_on(&mut request, out)
            }
            ask if cell::is_kql(ask.code()) => self.begin_names(&mut request, out),
            _ => run_python(out),
        };
        match ended {
            Some(ending) => self.finish(request, ending, out),
            None => self.current = Some(request),
        }
    }

    /// Counts a cell, announces it and sets its work going. Gives how it ended, if it has.
    fn begin_cell(
        &mut self,
        request: &mut Request,
        execute: &Execute,
        out: &mut Output,
    ) -> Option<Ending> {
        self.session.clear_displays_of(request.owner());
        let read = cell::read(&execute.code);
        if matches!(read, Ok(Cell::Blank)) {
            request.cell = Cell::Blank;
            return Some(Ending::Ok(Map::new()));
        }
        if !execute.silent {
            request.count = self.session.count_cell();
            let content = json!({ "code": execute.code, "execution_count": request.count });
            out.iopub("execute_input", &request.id, content);
        }
        let kql = match read {
            Ok(Cell::Kql(kql)) => kql,
            Ok(Cell::Blank | Cell::Python) => return run_python(out),
            Err(diagnostic) => {
                request.cell = Cell::Kql(cell::KqlCell {
                    query: String::new(),
                    keep: None,
                    wanted: Wanted::default(),
                });
                return Some(Ending::Failed(job::refusal(&execute.code, &[diagnostic])));
            }
        };
        request.cell = Cell::Kql(kql.clone());
        if kql.is_empty() {
            return Some(match kql.keep {
                Some(name) => Ending::Failed(Failure::new(
                    "KqlError",
                    format!("there is no query whose result could be kept as '{name}'"),
                )),
                None => Ending::Ok(Map::new()),
            });
        }
        let (place, query) = match self.placed(&kql, request, &execute.code) {
            Ok(placed) => placed,
            Err(failure) => return Some(Ending::Failed(failure)),
        };
        request.note = match place {
            Place::Away(_) => None,
            Place::Here | Place::Across(..) => self.workspaces.why_here(&kql.wanted),
        };
        let values = self.session.values.mentioned(&query);
        let running = self.set_going(place, query, values, out);
        request.names.read_tables(running.reads());
        request.work = Work::Query(running);
        self.work_on(request, out)
    }

    /// Where the query of a cell goes, and the query: one that goes elsewhere has Python's values written into it.
    fn placed(
        &self,
        kql: &KqlCell,
        request: &mut Request,
        code: &str,
    ) -> Result<(Place, String), Failure> {
        let place = |query: &str| self.workspaces.place(&kql.wanted, query, &self.catalogue);
        let refused = |problem, text: &str| job::refusal(text, &[problem]);
        let found = place(&kql.query).map_err(|problem| refused(problem, code))?;
        if matches!(found, Place::Here) {
            return Ok((found, kql.query.clone()));
        }
        let (query, used) = self.session.values.written_into(kql.query.clone());
        request.names.read_variables(used);
        let found = place(&query).map_err(|problem| refused(problem, &query))?;
        Ok((found, query))
    }

    /// Completion and inspection of KQL want the columns of the tables that are named, unless
    /// those are large files that no query has read yet.
    fn begin_names(&mut self, request: &mut Request, out: &mut Output) -> Option<Ending> {
        let names = match cell::read(request.ask.code()) {
            Ok(Cell::Kql(kql)) => self.catalogue.references(&kql.query),
            _ => Vec::new(),
        };
        let unloaded = self.catalogue.unloaded(&names);
        let small = self.catalogue.unread_bytes(&unloaded) <= LOAD_FOR_NAMES;
        request.work = Work::Tables(if small { unloaded } else { VecDeque::new() });
        self.work_on(request, out)
    }

    fn continued(&mut self, out: &mut Output) {
        match self.owed.checked_sub(1) {
            Some(left) => self.owed = left,
            None => return out.refuse("there is no slice of work to go on with"),
        }
        // After an interrupt a Continue may come for work that is gone.
        if self
            .current
            .as_ref()
            .is_some_and(|request| !request.awaits_data)
        {
            self.go_on(out);
        }
    }

    /// Goes on with the current request's work, if it is the kernel's.
    pub(crate) fn go_on(&mut self, out: &mut Output) {
        let Some(mut request) = self.current.take() else {
            return;
        };
        match self.work_on(&mut request, out) {
            Some(ending) => self.finish(request, ending, out),
            None => self.current = Some(request),
        }
    }

    /// Asks the driver to come back for the next slice.
    pub(crate) fn go_on_later(&mut self, out: &mut Output) {
        self.owed += 1;
        out.push(Effect::Continue);
    }

    /// One slice of a request's work. Gives how the request ended, if it has.
    fn work_on(&mut self, request: &mut Request, out: &mut Output) -> Option<Ending> {
        request.awaits_data = false;
        match &mut request.work {
            Work::Query(running) => {
                let progress = self.advance(running, out);
                let used = running.job().map(Job::take_used);
                request.names.read_variables(used.unwrap_or_default());
                return self.queried(request, progress, out);
            }
            Work::Page(page) => {
                if !page.write(Instant::now() + job::SLICE) {
                    return Some(self.show_on_page(request, out));
                }
                self.go_on_later(out);
            }
            Work::Tables(wanted) => {
                match self
                    .catalogue
                    .load(wanted, Instant::now() + job::SLICE, out)
                {
                    Loading::Waiting => request.awaits_data = true,
                    Loading::More => self.go_on_later(out),
                    loaded => return Some(self.named(&request.ask, loaded)),
                }
            }
            Work::Python(_) => self.work_on_upcall(request, out),
        }
        None
    }

    /// Goes on from where a KQL cell's query is.
    fn queried(
        &mut self,
        request: &mut Request,
        progress: Progress,
        out: &mut Output,
    ) -> Option<Ending> {
        match progress {
            Progress::Waiting => request.awaits_data = true,
            Progress::More => self.go_on_later(out),
            Progress::Done(Ok(answer)) if self.arrow && !request.is_silent() => {
                request.work = Work::Page(Box::new(ForPage::new(answer)));
                return self.work_on(request, out);
            }
            Progress::Done(Ok(answer)) => {
                return Some(self.show(request, answer, Attached::default(), out));
            }
            Progress::Done(Err(failure)) => {
                let note: Vec<&str> = request.note.as_deref().into_iter().collect();
                return Some(Ending::Failed(failure.with(&note)));
            }
        }
        None
    }

    /// Answers what asks about tables, once they have been read.
    fn named(&self, ask: &Ask, loaded: Loading) -> Ending {
        match (ask, loaded) {
            (Ask::Describe { .. }, Loading::Failed(failure)) => Ending::Failed(failure),
            (Ask::Describe { table, rows }, _) => match self.catalogue.describe(table, *rows) {
                Some(content) => Ending::Ok(content),
                None => Ending::Failed(Failure::new(
                    "DataError",
                    format!("there is no table '{table}' in this session"),
                )),
            },
            // A table that cannot be read has no columns to offer; the cell will say why.
            (ask, _) => Ending::Ok(language::answer(ask, &self.catalogue, &self.workspaces)),
        }
    }

    /// Shows and keeps a KQL cell's result, whose rows have been written for the page.
    fn show_on_page(&mut self, request: &mut Request, out: &mut Output) -> Ending {
        match std::mem::replace(&mut request.work, Work::Tables(VecDeque::new())) {
            Work::Page(page) => {
                let (answer, attached) = page.finish();
                self.show(request, answer, attached, out)
            }
            Work::Query(_) | Work::Tables(_) | Work::Python(_) => Ending::Aborted,
        }
    }

    /// Shows and keeps a KQL cell's result.
    fn show(
        &mut self,
        request: &mut Request,
        answer: Answer,
        (metadata, buffers): Attached,
        out: &mut Output,
    ) -> Ending {
        request.rows = Some(answer.table.rows());
        request.origin = answer.origin.as_deref().map(Origin::value);
        if !request.is_silent() {
            let about = request.origin.iter().filter(|about| !about.is_empty());
            let about: Map<String, Value> = about
                .map(|about| ("spoor".into(), about.clone().into()))
                .collect();
            if let Some(notice) = answer.origin.as_deref().and_then(Origin::notice) {
                let content = json!({ "data": notice, "metadata": about, "transient": {} });
                out.iopub("display_data", &request.id, content);
            }
            let content = json!({ "execution_count": request.count, "data": bundle(&answer), "metadata": about });
            let to = (Channel::Iopub, "execute_result", request.id.as_str());
            out.message(to, object(content), metadata, buffers);
            for more in &answer.more {
                let content = json!({ "data": bundle(more), "metadata": {}, "transient": {} });
                let to = (Channel::Iopub, "display_data", request.id.as_str());
                out.message(to, object(content), Map::new(), Vec::new());
            }
        }
        let Cell::Kql(cell::KqlCell {
            keep: Some(name), ..
        }) = &request.cell
        else {
            return Ending::Ok(Map::new());
        };
        let lacks = answer.origin.as_deref().map(Origin::lacks);
        let kept = self
            .catalogue
            .keep(name, answer.table, lacks.unwrap_or_default());
        if let Err(failure) = kept {
            return Ending::Failed(failure);
        }
        self.session.keep(name, true);
        request.names.write(name, true);
        Ending::Ok(Map::new())
    }

    /// Answers a request that has ended.
    pub(crate) fn finish(&mut self, request: Request, ending: Ending, out: &mut Output) {
        let mut metadata = Map::new();
        let execute = match &request.ask {
            Ask::Execute(execute) => Some(execute),
            _ => None,
        };
        if let Some(execute) = execute {
            if let Some(cell) = execute
                .cell_id
                .as_ref()
                .filter(|_| request.cell != Cell::Blank)
            {
                self.session.ran(cell, &request.names);
            }
            metadata = self.about(&request);
        }
        if let (Some(_), Ending::Failed(failure)) = (execute, &ending) {
            out.error(&request.id, failure);
        }
        let mut content = reply(&request.ask, ending);
        if execute.is_some() {
            content.insert("execution_count".into(), request.count.into());
        }
        out.reply(request.ask.reply_type(), &request.id, content, metadata);
        if request.ask.has_status() {
            out.status(&request.id, "idle");
        }
        out.push(Effect::Idle { parent: request.id });
    }

    /// The metadata of an execute reply.
    fn about(&mut self, request: &Request) -> Map<String, Value> {
        let elapsed = u64::try_from(request.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut about =
            object(json!({ "language": request.cell.language(), "elapsed_ms": elapsed }));
        if let Some(rows) = request.rows {
            about.insert("rows".into(), rows.into());
        }
        if let Cell::Kql(cell::KqlCell {
            keep: Some(name), ..
        }) = &request.cell
        {
            about.insert("kept".into(), name.clone().into());
        }
        about.extend(request.origin.clone().unwrap_or_default());
        let plugins = self.catalogue.plugins.take_used();
        if !plugins.is_empty() {
            about.insert("plugins".into(), plugins.into());
        }
        about.insert("stale".into(), self.session.stale().into());
        object(json!({ "spoor": about }))
    }

    /// After a table's data was replaced or taken away: tells which cells show what was made of the old.
    fn replaced(&mut self, table: &str, done: Result<(), String>, out: &mut Output) {
        match done {
            Ok(()) if self.session.replaced(table) => {
                let stale = object(json!({ "stale": self.session.stale() }));
                let kind = (Channel::Iopub, spoor_protocol::STALE, "");
                out.message(kind, stale, Map::new(), Vec::new());
            }
            Ok(()) => {}
            Err(reason) => out.refuse(reason),
        }
    }

    fn interrupt(&mut self, out: &mut Output) {
        let Some(mut request) = self.current.take() else {
            return;
        };
        let failure = Failure::new("KeyboardInterrupt", "the query was interrupted");
        match &mut request.work {
            Work::Query(_) | Work::Page(_) | Work::Tables(_) => {
                return self.finish(request, Ending::Failed(failure), out);
            }
            // A running loop is the driver's to interrupt; a waiting upcall is ours.
            Work::Python(turn) => {
                if turn.upcall.take().is_some() {
                    request.awaits_data = false;
                    out.upcall_reply(python::refusal(&failure));
                }
            }
        }
        self.current = Some(request);
    }

    fn restart(&mut self, out: &mut Output) {
        if let Some(mut request) = self.current.take() {
            if let Work::Python(turn) = &mut request.work
                && turn.upcall.take().is_some()
            {
                let failure = Failure::new("SystemExit", "the session was restarted");
                out.upcall_reply(python::refusal(&failure));
            }
            self.finish(request, Ending::Aborted, out);
        }
        while let Some((id, ask)) = self.waiting.pop_front() {
            self.abort(id, &ask, out);
        }
        self.session = Session::default();
        self.streams = python::Streams::default();
        self.catalogue.forget_kept();
        out.push(Effect::ResetPython);
    }

    /// Answers a request that never began.
    fn abort(&mut self, id: String, ask: &Ask, out: &mut Output) {
        out.reply(
            ask.reply_type(),
            &id,
            reply(ask, Ending::Aborted),
            Map::new(),
        );
        out.push(Effect::Idle { parent: id });
    }

    fn python_output(&mut self, fd: u8, bytes: &[u8], out: &mut Output) {
        let name = match fd {
            1 => "stdout",
            2 => "stderr",
            _ => return out.refuse(format!("file descriptor {fd} is neither 1 nor 2")),
        };
        let text = self.streams.text(fd, bytes);
        out.stream(&self.last, name, &text);
    }

    fn python_done(&mut self, outcome: Outcome, out: &mut Output) {
        match self.current.take() {
            Some(mut request) if matches!(request.work, Work::Python(_)) => {
                for (name, text) in self.streams.rest() {
                    out.stream(&request.id, name, &text);
                }
                let ending = match &mut request.work {
                    Work::Python(turn) => {
                        // A guest that is stopped while it waits is answered all the same.
                        if turn.upcall.take().is_some() {
                            let failure = Failure::new("SystemExit", "the turn has ended");
                            out.upcall_reply(python::refusal(&failure));
                        }
                        match turn.values.take() {
                            _ if outcome != Outcome::Returned => self
                                .session
                                .give_back_unbound(std::mem::take(&mut turn.bound)),
                            Some(values) => self.session.values = values,
                            None => {}
                        }
                        self.session.has_python |= outcome == Outcome::Returned;
                        python::ending(outcome, turn.done.take())
                    }
                    Work::Query(_) | Work::Page(_) | Work::Tables(_) => Ending::Aborted,
                };
                self.finish(request, ending, out);
            }
            other => {
                self.current = other;
                out.refuse("no turn of the Python guest is running");
            }
        }
    }

    fn input_reply(&mut self, value: Option<String>, out: &mut Output) {
        let turn = match &mut self.current {
            Some(Request {
                work: Work::Python(turn),
                ..
            }) => turn,
            _ => return out.refuse("no input was asked for"),
        };
        match turn.upcall.take() {
            Some(Upcall::Input) => out.upcall_reply(python::input_answer(value)),
            other => {
                turn.upcall = other;
                out.refuse("no input was asked for");
            }
        }
    }
}

fn run_python(out: &mut Output) -> Option<Ending> {
    out.push(Effect::RunPython {
        source: PYTHON_TURN.into(),
    });
    None
}

/// A reply's content, as Jupyter's protocol has it for each kind of request and each status.
fn reply(ask: &Ask, ending: Ending) -> Map<String, Value> {
    let mut content = language::empty_reply(ask);
    let status = match &ending {
        Ending::Ok(_) | Ending::Guest(_) => "ok",
        Ending::Failed(_) => "error",
        Ending::Aborted => "aborted",
    };
    if !matches!(ask, Ask::IsComplete { .. }) {
        content.insert("status".into(), status.into());
    }
    match ending {
        Ending::Ok(fields) | Ending::Guest(fields) => content.extend(fields),
        Ending::Failed(failure) => content.extend(failure.content()),
        Ending::Aborted => {}
    }
    content
}
