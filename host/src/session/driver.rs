//! The loop of a session: events in, effects carried out, their results back in as events.
//!
//! Runs on the session's thread. A kernel that breaks costs the request that ran and what the
//! kernel knew; a fresh one takes over with the same data, and the guest keeps its state.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use spoor_protocol::{Channel, Effect, Effects, Event, Frame, Outcome};

use super::budget::{Budget, warning};
use super::fetch::{self, Wanted};
use super::plugins::{self, PluginFile, Plugins};
use super::{End, Interrupt, Message, Options, Report, Runtime};
use crate::ambient::Ambient;
use crate::error::Error;
use crate::kernel::Kernel;
use crate::native::Watch;
use crate::python::{Door, Interrupter, Limits, PythonGuest};
use crate::recording::{Record, Recorder};
use crate::sources::Mounts;

/// How much of a source is handed to the kernel at a time.
const CHUNK: usize = 4 << 20;

/// A session's parts.
pub struct Driver {
    core: Core,
    python: Option<PythonGuest>,
    /// What the guest sees under `/data`; made when Python first starts.
    mounts: Option<Mounts>,
}

/// What an upcall needs while the guest is busy with its turn.
struct Core {
    runtime: Arc<Runtime>,
    options: Options,
    interrupt: Interrupt,
    kernel: Kernel,
    ambient: Ambient,
    recorder: Option<Recorder>,
    /// When the request that runs is to be interrupted.
    deadline: Option<Instant>,
    timed_out: bool,
    budget: Budget,
    plugins: Plugins,
}

impl Driver {
    /// A fresh kernel with the session's data declared.
    pub fn open(
        runtime: Arc<Runtime>,
        options: Options,
        interrupt: Interrupt,
        report: &mut dyn FnMut(Report),
    ) -> Result<Self, Error> {
        let recorder = match &options.record {
            Some(path) => Some(Recorder::create(path, runtime.kernel().sha256())?),
            None => None,
        };
        let ambient = Ambient::live(recorder.is_some());
        let (kernel, recorder) = start_kernel(&runtime, &options, &ambient, recorder)?;
        let core = Core {
            runtime,
            options,
            interrupt,
            kernel,
            ambient,
            recorder,
            deadline: None,
            timed_out: false,
            budget: Budget::default(),
            plugins: Plugins::default(),
        };
        let mut driver = Self {
            core,
            python: None,
            mounts: None,
        };
        driver.declare(report)?;
        Ok(driver)
    }

    /// Carries out one request. An error is the end of the session; a cell that fails is not.
    pub fn request(
        &mut self,
        request: Event,
        report: &mut dyn FnMut(Report),
    ) -> Result<End, Error> {
        let limit = self.core.options.cell_time;
        self.core.deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        self.core.timed_out = false;
        let parent = id_of(&request).unwrap_or_default().to_owned();
        self.core
            .budget
            .begin(owner_of(&request).unwrap_or(&parent));
        match self.drive(request, report) {
            Ok(()) => {}
            Err(Error::Kernel(reason)) => self.recover(&parent, &reason, report)?,
            Err(other) => return Err(other),
        }
        self.core.timed_out |= self
            .core
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline);
        Ok(if self.core.timed_out {
            End::TimedOut
        } else {
            End::Carried
        })
    }

    fn drive(&mut self, event: Event, report: &mut dyn FnMut(Report)) -> Result<(), Error> {
        self.drive_frame(Frame::new(event), report)
    }

    fn drive_frame(
        &mut self,
        event: Frame<Event>,
        report: &mut dyn FnMut(Report),
    ) -> Result<(), Error> {
        let parent = id_of(&event.header).unwrap_or_default().to_owned();
        let mut work = Work::starting_with(event);
        while let Some(event) = self.core.next(&mut work)? {
            if matches!(event.header, Event::Interrupt) && self.core.timed_out {
                self.core.tell_of_the_limit(&parent, report);
            }
            for effect in self.core.step(&event, report)? {
                match effect {
                    Todo::RunPython(source) => {
                        let outcome = self.run_python(&source, report)?;
                        work.push(Event::PythonDone { outcome });
                    }
                    Todo::ResetPython => self.python = None,
                    Todo::Reply(_) => {
                        return Err(Error::Kernel(
                            "it answered an upcall that nobody made".into(),
                        ));
                    }
                    other => self.core.carry_out(other, &mut work, report),
                }
            }
        }
        Ok(())
    }

    fn run_python(
        &mut self,
        source: &str,
        report: &mut dyn FnMut(Report),
    ) -> Result<Outcome, Error> {
        if let Err(error) = self.start_python(report) {
            return Ok(Outcome::Unavailable {
                message: error.to_string(),
            });
        }
        let Some(guest) = &mut self.python else {
            return Ok(Outcome::Unavailable {
                message: "Python did not start".into(),
            });
        };
        let interrupter = guest.interrupter();
        self.core.interrupt.set_python(Some(interrupter.clone()));
        let mut door = Upcalls {
            core: &mut self.core,
            report,
            guest: interrupter,
            early: true,
            failed: None,
        };
        let outcome = guest.turn(source, &mut door);
        let failed = door.failed.take();
        self.core.interrupt.set_python(None);
        if let Outcome::Unavailable { .. } = outcome {
            // It cannot go on; the next cell starts a fresh one.
            self.python = None;
        }
        if let Outcome::TimedOut { .. } = outcome {
            self.core.timed_out = true;
        }
        failed.map_or(Ok(outcome), Err)
    }

    fn start_python(&mut self, report: &mut dyn FnMut(Report)) -> Result<(), Error> {
        if self.python.is_some() {
            return Ok(());
        }
        let mounts = match &mut self.mounts {
            Some(mounts) => mounts,
            none => none.insert(self.core.options.data.mounts()?),
        };
        let mut limits = Limits {
            turn_time: self.core.options.cell_time,
            ..Limits::default()
        };
        if let Some(bytes) = self.core.options.python_memory {
            limits.memory_bytes = bytes;
        }
        report(Report::Preparing);
        let interpreter = self.core.runtime.interpreter();
        report(Report::Prepared);
        let interpreter = interpreter?;
        self.python = Some(PythonGuest::start(&interpreter, limits, &mounts.list)?);
        // Starting takes none of the cell's time: the first start compiles.
        self.core.deadline = self
            .core
            .options
            .cell_time
            .and_then(|limit| Instant::now().checked_add(limit));
        Ok(())
    }

    /// Opens the session in a fresh kernel.
    fn declare(&mut self, report: &mut dyn FnMut(Report)) -> Result<(), Error> {
        let mut options = BTreeMap::from([("headless".to_owned(), Value::Bool(true))]);
        // Room for what is not the query engine's: the file that is being read, its table.
        let engine = self.core.options.kernel.memory_bytes / 2;
        options.insert("memory_bytes".to_owned(), json!(engine));
        self.drive(Event::Open { options }, report)?;
        let specs: Vec<_> = self
            .core
            .options
            .data
            .sources
            .iter()
            .map(|source| source.spec.clone())
            .collect();
        specs
            .into_iter()
            .try_for_each(|source| self.drive(Event::AddSource { source }, report))?;
        let current = self.core.options.workspace.clone();
        let local = self.core.options.local_workspaces.clone();
        if current.is_some() || !local.is_empty() {
            self.drive(Event::Workspaces { current, local }, report)?;
        }
        let plugins = self.core.options.plugins.clone();
        plugins
            .iter()
            .try_for_each(|plugin| self.add_plugin(plugin, report))
    }

    /// Adds a plugin. A session without one that its user named does not begin.
    fn add_plugin(
        &mut self,
        plugin: &PluginFile,
        report: &mut dyn FnMut(Report),
    ) -> Result<(), Error> {
        let mut refused = None;
        self.drive_frame(plugin.event(), &mut |said| match said {
            Report::Message(reply) if reply.msg_type == "plugin_reply" => {
                let why = reply.content.get("evalue").and_then(Value::as_str);
                refused = refused.take().or(why.map(ToOwned::to_owned));
            }
            other => report(other),
        })?;
        match refused {
            None => Ok(()),
            Some(why) if plugin.is_named => Err(Error::Data(why)),
            Some(why) => {
                let name = &plugin.label;
                report(Report::Note(format!(
                    "the pinned plugin {name} is left out: {why}"
                )));
                Ok(())
            }
        }
    }

    /// Puts a fresh kernel in the place of one that broke, and says so on the cell.
    fn recover(
        &mut self,
        parent: &str,
        reason: &str,
        report: &mut dyn FnMut(Report),
    ) -> Result<(), Error> {
        report(Report::Note(format!(
            "the kernel stopped and was started anew: {reason}"
        )));
        let core = &mut self.core;
        let recorder = core.recorder.take();
        (core.kernel, core.recorder) =
            start_kernel(&core.runtime, &core.options, &core.ambient, recorder)?;
        self.declare(report)?;
        failed_cell(parent, reason)
            .into_iter()
            .for_each(|message| report(Report::Message(message)));
        Ok(())
    }
}

/// The messages of a cell whose kernel broke.
fn failed_cell(parent: &str, reason: &str) -> [Message; 3] {
    let value = format!(
        "{reason}. The kernel was started anew: data files and Python's variables are as they were, \
         kept query results are gone; run the cells that make them again"
    );
    let error = json!({"ename": "KernelStopped", "evalue": value, "traceback": [format!("KernelStopped: {value}")]});
    let mut reply = error.clone();
    if let Some(reply) = reply.as_object_mut() {
        reply.insert("status".into(), "error".into());
    }
    let message = |channel, msg_type: &str, content: Value| Message {
        channel,
        msg_type: msg_type.into(),
        parent: parent.into(),
        content: content.as_object().cloned().unwrap_or_default(),
        metadata: serde_json::Map::new(),
        buffers: Vec::new(),
    };
    [
        message(Channel::Iopub, "error", error),
        message(Channel::Shell, "execute_reply", reply),
        message(Channel::Iopub, "status", json!({"execution_state": "idle"})),
    ]
}

fn start_kernel(
    runtime: &Runtime,
    options: &Options,
    ambient: &Ambient,
    mut recorder: Option<Recorder>,
) -> Result<(Kernel, Option<Recorder>), Error> {
    let kernel = Kernel::start(runtime.kernel(), options.kernel, ambient);
    if let Some(recorder) = &mut recorder {
        let draws = ambient.take().into_iter().map(Record::Draw);
        let broke = kernel
            .as_ref()
            .err()
            .map(|error| Record::Broke(error.to_string()));
        recorder.write([Record::Instance].into_iter().chain(draws).chain(broke))?;
    }
    Ok((kernel?, recorder))
}

/// Events to come, and sources that the kernel wants to read.
struct Work {
    events: VecDeque<Frame<Event>>,
    reads: VecDeque<Reading>,
    /// The kernel has more of a slice to do.
    go_on: bool,
    /// It was told of an interrupt before that slice.
    interrupted: bool,
}

impl Work {
    fn starting_with(event: Frame<Event>) -> Self {
        Self {
            events: VecDeque::from([event]),
            reads: VecDeque::new(),
            go_on: false,
            interrupted: false,
        }
    }

    fn push(&mut self, event: Event) {
        self.events.push_back(Frame::new(event));
    }
}

/// A source on its way to the kernel.
struct Reading {
    name: String,
    file: Result<File, String>,
}

impl Reading {
    /// The next part, and whether it is the last. A failure is the last part.
    fn next(&mut self) -> (Frame<Event>, bool) {
        let mut bytes = Vec::new();
        let read = match &mut self.file {
            Ok(file) => file
                .take(CHUNK as u64)
                .read_to_end(&mut bytes)
                .map_err(|e| e.to_string()),
            Err(error) => Err(error.clone()),
        };
        let error = read.err();
        let last = error.is_some() || bytes.len() < CHUNK;
        (
            Frame::with(
                Event::Data {
                    name: self.name.clone(),
                    last,
                    error,
                },
                vec![bytes],
            ),
            last,
        )
    }
}

/// An effect that is left when messages have been reported.
enum Todo {
    RunPython(String),
    ResetPython,
    Reply(Vec<u8>),
    Read(String),
    Fetch(Wanted),
    Load(plugins::Load),
    Call(plugins::Wanted),
    GoOn,
    /// An `input_request` was published, and no front end here answers one.
    Question,
}

impl Core {
    /// What to tell the kernel next; `None` when the request is done.
    fn next(&mut self, work: &mut Work) -> Result<Option<Frame<Event>>, Error> {
        if let Some(event) = work.events.pop_front() {
            return Ok(Some(event));
        }
        if work.go_on {
            if !work.interrupted && self.should_interrupt() {
                work.interrupted = true;
                return Ok(Some(Frame::new(Event::Interrupt)));
            }
            (work.go_on, work.interrupted) = (false, false);
            return Ok(Some(Frame::new(Event::Continue)));
        }
        let Some(reading) = work.reads.front_mut() else {
            return Ok(None);
        };
        let (event, last) = reading.next();
        if last {
            work.reads.pop_front();
        }
        Ok(Some(event))
    }

    /// Past the deadline every slice is one too many, of whatever query was begun since.
    fn should_interrupt(&mut self) -> bool {
        let late = self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline);
        self.timed_out |= late;
        self.interrupt.take() || late
    }

    /// Says of a query why it is interrupted; Python's clock says it of Python.
    fn tell_of_the_limit(&self, parent: &str, report: &mut dyn FnMut(Report)) {
        let Some(limit) = self.options.cell_time else {
            return;
        };
        let text =
            format!("spoor: the cell passed its time limit of {limit:?} and was interrupted\n");
        report(warning(parent, text));
    }

    /// One step of the kernel. Messages are reported at once; other effects are returned.
    fn step(
        &mut self,
        event: &Frame<Event>,
        report: &mut dyn FnMut(Report),
    ) -> Result<Vec<Todo>, Error> {
        let answer = self.step_bytes(&event.encode().map_err(nonsense)?)?;
        let Frame {
            header,
            mut buffers,
        } = Frame::<Effects>::decode(&answer).map_err(nonsense)?;
        let mut todo = Vec::new();
        for effect in header {
            match effect {
                Effect::Publish {
                    channel,
                    msg_type,
                    parent,
                    content,
                    metadata,
                    buffers: indices,
                } => {
                    let buffers = indices
                        .iter()
                        .map(|&i| take_buffer(&mut buffers, i))
                        .collect::<Result<_, _>>()?;
                    if channel == Channel::Stdin {
                        todo.push(Todo::Question);
                    }
                    let message = Message {
                        channel,
                        msg_type,
                        parent,
                        content,
                        metadata,
                        buffers,
                    };
                    self.budget.pass(message, report);
                }
                Effect::UpcallReply { buffer } => {
                    todo.push(Todo::Reply(take_buffer(&mut buffers, buffer)?))
                }
                Effect::RunPython { source } => todo.push(Todo::RunPython(source)),
                Effect::ResetPython => todo.push(Todo::ResetPython),
                Effect::Refuse { reason } => report(Report::Note(format!(
                    "the kernel refused an event: {reason}"
                ))),
                Effect::Read { name } => todo.push(Todo::Read(name)),
                Effect::Fetch {
                    fetch,
                    provider,
                    query,
                    timespan,
                } => todo.push(Todo::Fetch(Wanted {
                    fetch,
                    provider,
                    query,
                    timespan,
                })),
                Effect::LoadPlugin {
                    plugin,
                    name,
                    imports,
                    buffer,
                } => todo.push(Todo::Load(plugins::Load {
                    plugin,
                    name,
                    imports,
                    module: take_buffer(&mut buffers, buffer)?,
                })),
                Effect::CallPlugin {
                    call,
                    plugin,
                    limits,
                    buffer,
                } => todo.push(Todo::Call(plugins::Wanted {
                    call,
                    plugin,
                    limits,
                    frame: take_buffer(&mut buffers, buffer)?,
                })),
                Effect::Continue => todo.push(Todo::GoOn),
                Effect::Idle { .. } => {}
            }
        }
        Ok(todo)
    }

    fn step_bytes(&mut self, event: &[u8]) -> Result<Vec<u8>, Error> {
        // Nor does a recording go on after the kernel has broken.
        self.kernel.check()?;
        let Some(recorder) = &mut self.recorder else {
            return self.kernel.step(event);
        };
        // Before the step, so that a recording of a hang or a crash holds its cause.
        recorder.write([Record::Event(event.to_vec())])?;
        let answer = self.kernel.step(event);
        let draws = self.ambient.take().into_iter().map(Record::Draw);
        let end = match &answer {
            Ok(bytes) => Record::Answer(bytes.clone()),
            Err(error) => Record::Broke(error.to_string()),
        };
        recorder.write(draws.chain([end]))?;
        answer
    }

    /// Carries out what needs no guest.
    fn carry_out(&mut self, todo: Todo, work: &mut Work, report: &mut dyn FnMut(Report)) {
        match todo {
            Todo::GoOn => work.go_on = true,
            Todo::Question => work.push(Event::InputReply { value: None }),
            Todo::Read(name) => {
                let file = match self.options.data.path(&name) {
                    Some(path) => File::open(path).map_err(|e| e.to_string()),
                    None => Err(format!("there is no data source {name}")),
                };
                work.reads.push_back(Reading { name, file });
            }
            Todo::Fetch(wanted) => self.fetch(&wanted, work),
            Todo::Load(load) => self.plugins.load(&self.runtime, load),
            Todo::Call(wanted) => self.call_plugin(&wanted, work, report),
            Todo::RunPython(_) | Todo::ResetPython | Todo::Reply(_) => {}
        }
    }

    /// Calls a plugin, whose call ends early if the request is interrupted or out of time.
    fn call_plugin(
        &mut self,
        wanted: &plugins::Wanted,
        work: &mut Work,
        report: &mut dyn FnMut(Report),
    ) {
        let is_over = |event: &Frame<Event>| matches!(event.header, Event::Interrupt);
        if work.events.iter().any(is_over) {
            // Another call of the same step was interrupted.
            return;
        }
        let (called, lines) = self.plugins.call(wanted, self.unwanted());
        lines
            .into_iter()
            .for_each(|line| report(Report::Note(line)));
        if self.should_interrupt() {
            work.push(Event::Interrupt);
        } else {
            work.events.push_back(called);
        }
    }

    /// Whether the request that runs is interrupted or out of time.
    fn unwanted(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let (interrupt, deadline) = (self.interrupt.clone(), self.deadline);
        move || interrupt.is_wanted() || deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Has a provider run a query, which ends early if the request is interrupted or out of time.
    fn fetch(&mut self, wanted: &Wanted, work: &mut Work) {
        let watch = Watch::new(self.unwanted(), None);
        let answer = fetch::answer(&self.options.providers, wanted, &watch);
        if self.should_interrupt() {
            work.push(Event::Interrupt);
        } else {
            work.events.extend(answer);
        }
    }
}

/// The guest's calls while its turn runs.
struct Upcalls<'a> {
    core: &'a mut Core,
    report: &'a mut dyn FnMut(Report),
    guest: Interrupter,
    /// Whether an interrupt may have come before the guest ran any code: until the first call.
    early: bool,
    /// What ended the session, or the kernel, under the guest's feet.
    failed: Option<Error>,
}

impl Upcalls<'_> {
    fn drive(&mut self, first: Frame<Event>) -> Result<Option<Vec<u8>>, Error> {
        let mut work = Work::starting_with(first);
        let mut reply = None;
        while let Some(event) = self.core.next(&mut work)? {
            for effect in self.core.step(&event, self.report)? {
                match effect {
                    Todo::Reply(bytes) if reply.is_none() => reply = Some(bytes),
                    Todo::Reply(_) => {
                        return Err(Error::Kernel("it answered one upcall twice".into()));
                    }
                    Todo::RunPython(_) | Todo::ResetPython => {
                        return Err(Error::Kernel(
                            "it wanted to run Python in the midst of Python".into(),
                        ));
                    }
                    other => self.core.carry_out(other, &mut work, self.report),
                }
            }
        }
        Ok(reply)
    }

    /// Keeps an error for the session; the guest gets a plain one, and its turn ends.
    fn fail(&mut self, error: Error) -> Error {
        let told = Error::Kernel(error.to_string());
        self.failed.get_or_insert(error);
        // It may be one that writes on and on, and asks for nothing.
        self.guest.stop();
        told
    }
}

impl Door for Upcalls<'_> {
    fn call(&mut self, request: &[u8]) -> Result<Vec<u8>, Error> {
        // An interrupt that came while the guest's own code ran has reached the guest. One that
        // came while the guest was being started has not.
        if self.core.interrupt.take() && self.early {
            self.guest.interrupt();
        }
        self.early = false;
        let event = Frame::with(Event::Upcall, vec![request.to_vec()]);
        let answered = self.drive(event);
        let reply = answered.and_then(|reply| {
            reply.ok_or_else(|| Error::Kernel("it left an upcall unanswered".into()))
        });
        reply.map_err(|error| self.fail(error))
    }

    fn output(&mut self, fd: u8, bytes: &[u8]) {
        if self.failed.is_some() {
            // The cell that it would stand on is lost.
            return;
        }
        let event = Frame::with(Event::PythonOutput { fd }, vec![bytes.to_vec()]);
        if let Err(error) = self.drive(event) {
            self.fail(error);
        }
    }
}

fn take_buffer(buffers: &mut [Vec<u8>], index: usize) -> Result<Vec<u8>, Error> {
    let have = buffers.len();
    let buffer = buffers.get_mut(index).map(std::mem::take);
    buffer.ok_or_else(|| nonsense(spoor_protocol::FrameError::NoBuffer { index, have }))
}

fn nonsense(error: spoor_protocol::FrameError) -> Error {
    Error::Kernel(format!("its frames do not read: {error}"))
}

/// The cell that a request runs, where it has a name.
fn owner_of(event: &Event) -> Option<&str> {
    match event {
        Event::Execute { cell_id, .. } => cell_id.as_deref(),
        _ => None,
    }
}

fn id_of(event: &Event) -> Option<&str> {
    match event {
        Event::Execute { id, .. }
        | Event::Complete { id, .. }
        | Event::Inspect { id, .. }
        | Event::Diagnose { id, .. }
        | Event::Describe { id, .. }
        | Event::IsComplete { id, .. } => Some(id),
        _ => None,
    }
}
