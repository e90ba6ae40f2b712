//! A session: takes the page's messages, steps the kernel, carries its effects out.

mod asking;
mod data;
mod effects;
mod fetch;
mod files;
mod guest;
mod here;
mod known;
mod plugins;
mod python;
mod recorded;
mod thread;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use futures::future::{Either, select};
use js_sys::{Array, Function, Uint8Array};
use serde_json::{Map, json};
use spoor_protocol::{Event, Frame};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::bindings::{array, timeout};
use crate::error::{Error, text_of};
use crate::inbox::{Adding, Asked, Doorbell, Inbox};
use crate::kernel::{Kernel, Parts};
use crate::load::{self, Progress};
use crate::outputs::Outputs;
use asking::Asking;
use fetch::Fetch;
use guest::{Place, Python};
use known::Known;
use plugins::{Call, Plugins};
use spoor_messages::{FromWorker, Site, Source, State, ToWorker};

/// Milliseconds until the rest of the kernel is loaded, if nothing needs it sooner.
const REST: f64 = 3000.0;

/// Returns the function that takes the page's messages; `open` starts the session's loop.
pub fn start(post: Function) -> Function {
    let session = Rc::new(Session {
        post,
        inbox: Inbox::default(),
        opened: OnceCell::new(),
        kernel: RefCell::new(Err("it is not running".into())),
        python: Python::default(),
        plugins: Plugins::default(),
        running: RefCell::default(),
        silent: Cell::new(false),
        rolling_back: Cell::new(false),
        outputs: RefCell::new(Outputs::new()),
        state: Cell::new(State::Loading),
        recorded: RefCell::default(),
        asking: Asking::default(),
        known: Known::default(),
    });
    let deliver = Closure::<dyn FnMut(String, Array)>::new(move |text: String, buffers: Array| {
        session.receive(&text, &buffers);
    });
    deliver.into_js_value().unchecked_into()
}

struct Session {
    post: Function,
    inbox: Inbox,
    opened: OnceCell<Opened>,
    /// The kernel, or why there is none.
    kernel: RefCell<Result<Rc<Kernel>, String>>,
    python: Python,
    plugins: Plugins,
    /// The `execute` request that is running.
    running: RefCell<Option<String>>,
    /// Whether nothing of it is to be shown.
    silent: Cell<bool>,
    /// Whether the Python code that runs is to be ended.
    rolling_back: Cell<bool>,
    outputs: RefCell<Outputs>,
    state: Cell<State>,
    /// The folder of the notebook's recorded answers.
    recorded: RefCell<Option<String>>,
    /// What the page asks workspaces for.
    asking: Asking,
    /// What it says of them.
    known: Known,
}

/// What the page asked for in `open`.
struct Opened {
    site: Site,
    sources: RefCell<Vec<Source>>,
    /// Where the providers are.
    providers: BTreeMap<String, String>,
    open: Event,
    verify: bool,
    /// The kernel's code, once it is loaded.
    parts: OnceCell<Rc<Parts>>,
    bell: Doorbell,
}

/// What a session begins with.
struct Beginning {
    site: Site,
    sources: Vec<Source>,
    providers: BTreeMap<String, String>,
    verify: bool,
}

/// What is left to do after a step, for whoever stepped.
#[derive(Default)]
struct Todo {
    reply: Option<Vec<u8>>,
    go_on: bool,
    reads: Vec<String>,
    /// A query for a provider.
    fetch: Option<Fetch>,
    calls: Vec<Call>,
    python: Option<String>,
}

impl Session {
    /// What needs no kernel is done at once; the rest waits its turn in the inbox.
    fn receive(self: &Rc<Self>, text: &str, buffers: &Array) {
        match serde_json::from_str(text) {
            Ok(ToWorker::PreparePython { image }) => self.prepare_guest(image),
            Ok(ToWorker::Open {
                site,
                options,
                sources,
                providers,
                verify,
            }) => {
                let begun = Beginning {
                    site: *site,
                    sources,
                    providers,
                    verify,
                };
                self.begin(begun, Event::Open { options });
            }
            Ok(ToWorker::AddSource { source }) => self.inbox.push(Asked::AddSource(source)),
            Ok(ToWorker::RemoveSource { name }) => self.inbox.push(Asked::RemoveSource(name)),
            Ok(ToWorker::AddPlugin {
                id,
                url,
                sha256,
                granted,
                limits,
            }) => self.inbox.push(Asked::AddPlugin(Adding {
                id,
                url,
                sha256,
                granted,
                limits,
            })),
            Ok(ToWorker::RemovePlugin { name }) => self.inbox.push(Asked::RemovePlugin(name)),
            Ok(ToWorker::UseRecorded { url }) => *self.recorded.borrow_mut() = Some(url),
            Ok(ToWorker::Fetched { id, told, error }) => {
                let streams = buffers.iter().filter_map(|bytes| bytes.dyn_into().ok());
                self.asking.answered(id, told, error, streams.collect());
            }
            Ok(ToWorker::RollBack) => self.urge(Asked::RollBack),
            Ok(ToWorker::Request { event }) => self.ask(event),
            Err(error) => self.fail(
                "driver",
                &format!("a message from the page does not read: {error}"),
            ),
        }
    }

    /// What ends something. A kernel that waits for its own code hears of it in no other way.
    fn urge(&self, asked: Asked) {
        if let Ok(kernel) = self.running_kernel() {
            kernel.give_up();
        }
        self.inbox.push(asked);
    }

    /// What is wrong with a query is answered at once, whatever is going on, by a kernel that is all here. Python is asked in turn.
    fn ask(self: &Rc<Self>, event: Event) {
        self.known.note(&event);
        if matches!(event, Event::Interrupt | Event::Restart) {
            return self.urge(Asked::Event(event));
        }
        let ready = matches!(&*self.kernel.borrow(), Ok(kernel) if kernel.is_ready());
        let at_once = matches!(&event, Event::Diagnose { language, .. } if language.as_deref() != Some("python"));
        if !at_once || !ready {
            return self.inbox.push(Asked::Event(event));
        }
        if self.step_now(&Frame::new(event.clone())).is_err() {
            // The loop meets the kernel that broke, tells of it and starts another.
            self.inbox.push(Asked::Event(event));
        }
    }

    /// Starts the loop. What to load is known from here on, so that Python loads beside the kernel.
    fn begin(self: &Rc<Self>, begun: Beginning, open: Event) {
        let bell = match Doorbell::new() {
            Ok(bell) => bell,
            Err(thrown) => return self.fail("driver", &text_of(&thrown)),
        };
        let opened = Opened {
            site: begun.site,
            sources: RefCell::new(begun.sources),
            providers: begun.providers,
            open,
            verify: begun.verify,
            parts: OnceCell::new(),
            bell,
        };
        if self.opened.set(opened).is_err() {
            return self.fail("driver", "a session can be opened only once");
        }
        let session = self.clone();
        spawn_local(async move { session.run().await });
    }

    fn send(&self, message: &FromWorker) {
        self.send_with(message, &[]);
    }

    fn send_with(&self, message: &FromWorker, buffers: &[Uint8Array]) {
        // Serialising these types fails only on a map with keys that are not text; they have none.
        let text = serde_json::to_string(message).unwrap_or_default();
        let buffers = array(buffers.iter().map(JsValue::from));
        let _ = self.post.call2(&JsValue::UNDEFINED, &text.into(), &buffers);
    }

    fn sender(self: &Rc<Self>) -> impl Fn(FromWorker) + use<> {
        let session = self.clone();
        move |message| session.send(&message)
    }

    fn fail(&self, part: &str, message: &str) {
        self.send(&FromWorker::Failed {
            part: part.into(),
            message: message.into(),
        });
    }

    fn set_state(&self, state: State) {
        if self.state.replace(state) != state {
            self.send(&FromWorker::State { state });
        }
    }
}

/// The loop.
impl Session {
    async fn run(self: Rc<Self>) {
        if let Err(error) = self.load_kernel().await {
            self.recover(&error).await;
        }
        loop {
            let done = match self.inbox.next().await {
                Asked::Event(event) => self.request(event).await,
                Asked::AddSource(source) => self.add_source(source).await,
                Asked::RemoveSource(name) => self.remove_source(name).await,
                Asked::AddPlugin(adding) => self.add_plugin(adding).await,
                Asked::RemovePlugin(name) => self.remove_plugin(name).await,
                // Nothing runs that could be ended.
                Asked::RollBack => Ok(()),
            };
            if let Err(error) = done {
                self.recover(&error).await;
            }
            self.rest();
        }
    }

    async fn load_kernel(self: &Rc<Self>) -> Result<(), Error> {
        let opened = self.opened()?;
        let all = &opened.site.kernel;
        let first = all.first();
        let first = first.ok_or_else(|| Error::Protocol("the site has no kernel".into()))?;
        let progress = Progress::new("kernel", first.bytes, self.sender());
        let (module, hash) = load::module(first, &progress, opened.verify).await?;
        let parts = || Parts::new(all, module, opened.verify, self.sender());
        opened.parts.get_or_init(parts);
        self.start_kernel().await?;
        progress.finish(hash.into_iter().collect());
        self.set_state(State::Idle);
        let session = self.clone();
        spawn_local(async move { session.complete_kernel().await });
        Ok(())
    }

    /// Loads the rest of the kernel's code some seconds after it began, when nothing else is waited for, lest it be waited
    /// for later. Should that fail, it is tried again, and whatever needs it says why it waits.
    async fn complete_kernel(self: Rc<Self>) {
        while JsFuture::from(timeout(REST)).await.is_ok() {
            let kernel = self.running_kernel().ok();
            let Some(kernel) = kernel.filter(|_| self.state.get() == State::Idle) else {
                continue;
            };
            if kernel.is_whole() {
                return;
            }
            let _ = kernel.complete().await;
        }
    }

    async fn start_kernel(self: &Rc<Self>) -> Result<(), Error> {
        let opened = self.opened()?;
        let parts = opened.parts.get();
        let parts = parts.ok_or_else(|| Error::Kernel("it is not loaded".into()))?;
        *self.kernel.borrow_mut() = Ok(Kernel::start(parts).await?);
        self.carry(Frame::new(opened.open.clone())).await?;
        let sources: Vec<_> = opened.sources.borrow().iter().map(Source::spec).collect();
        for source in sources {
            self.carry(Frame::new(Event::AddSource { source })).await?;
        }
        for told in self.plugins.again().into_iter().chain(self.known.again()) {
            self.carry(told).await?;
        }
        Ok(())
    }

    /// Offers one more source, or another in place of one.
    async fn add_source(self: &Rc<Self>, source: Source) -> Result<(), Error> {
        let spec = source.spec();
        self.carry(Frame::new(Event::AddSource { source: spec }))
            .await?;
        self.show_file(&source);
        let mut sources = self.opened()?.sources.borrow_mut();
        let known = sources.iter().position(|known| known.name == source.name);
        if let Some(old) = known.map(|at| sources.remove(at))
            && old.file != source.file
        {
            self.hide_file(&old.file);
        }
        sources.push(source);
        Ok(())
    }

    /// Takes a source away. One that is not there is gone already.
    async fn remove_source(self: &Rc<Self>, name: String) -> Result<(), Error> {
        let found = {
            let mut sources = self.opened()?.sources.borrow_mut();
            let at = sources.iter().position(|source| source.name == name);
            at.map(|at| sources.remove(at))
        };
        let Some(source) = found else {
            return Ok(());
        };
        self.hide_file(&source.file);
        self.carry(Frame::new(Event::RemoveSource { name })).await
    }

    async fn request(self: &Rc<Self>, event: Event) -> Result<(), Error> {
        match &event {
            Event::Execute {
                id,
                cell_id,
                silent,
                ..
            } => {
                *self.running.borrow_mut() = Some(id.clone());
                self.silent.set(*silent);
                if !silent {
                    self.outputs
                        .borrow_mut()
                        .start(cell_id.as_ref().unwrap_or(id));
                }
            }
            event if is_drivers(event) => {
                self.fail("driver", "the page sent an event that is the driver's own");
                return Ok(());
            }
            _ => {}
        }
        // Nobody waits for what a look at a source takes, or for what is no request.
        let is_silent = matches!(
            event,
            Event::Diagnose { .. } | Event::Workspaces { .. } | Event::Schema { .. }
        );
        if is_silent {
            return self.carry(Frame::new(event)).await;
        }
        self.set_state(State::Busy);
        let carried = self.carry(Frame::new(event)).await;
        if carried.is_ok() {
            *self.running.borrow_mut() = None;
            self.set_state(State::Idle);
            self.say_memory();
        }
        carried
    }

    /// Feeds `frame` to the kernel, and what comes of it, until nothing is left.
    async fn carry(self: &Rc<Self>, frame: Frame<Event>) -> Result<(), Error> {
        let mut queue = VecDeque::from([frame]);
        while let Some(frame) = queue.pop_front() {
            let todo = self.step(&frame).await?;
            if let Some(source) = todo.python {
                queue.push_back(Frame::new(Event::PythonDone {
                    outcome: self.python(&source).await?,
                }));
            }
            for name in &todo.reads {
                queue.extend(self.read(name).await);
            }
            if let Some(fetch) = todo.fetch {
                queue.extend(self.fetch(fetch).await);
            }
            queue.extend(self.call(todo.calls).await);
            if todo.go_on {
                self.breathe().await?;
                queue.extend(self.urgent());
                queue.push_back(Frame::new(Event::Continue));
            }
        }
        Ok(())
    }

    /// What concerns the running request among the messages that have arrived.
    fn urgent(&self) -> Option<Frame<Event>> {
        Some(self.urgent_of(self.inbox.take_urgent()?))
    }

    /// An urgent message as the kernel hears of it.
    fn urgent_of(&self, asked: Asked) -> Frame<Event> {
        Frame::new(match asked {
            Asked::Event(event) => event,
            // Of code that is to be ended, what it waits for ends first.
            Asked::RollBack
            | Asked::AddSource(_)
            | Asked::RemoveSource(_)
            | Asked::AddPlugin(_)
            | Asked::RemovePlugin(_) => {
                self.rolling_back.set(true);
                Event::Interrupt
            }
        })
    }

    /// What comes of some work, or the interrupt that came before, at which the work is dropped.
    async fn unless_interrupted<T>(&self, work: impl Future<Output = T>) -> Result<T, Asked> {
        let mut work = Box::pin(work);
        loop {
            match select(work, Box::pin(self.inbox.next_urgent())).await {
                Either::Left((done, _)) => return Ok(done),
                Either::Right((asked @ (Asked::RollBack | Asked::Event(Event::Interrupt)), _)) => {
                    return Err(asked);
                }
                // Typed input that nothing asked for.
                Either::Right((_, waiting)) => work = waiting,
            }
        }
    }

    /// Lets the browser deliver messages.
    async fn breathe(&self) -> Result<(), Error> {
        let turned = self.opened()?.bell.turn().await;
        turned.map_err(|thrown| Error::load("the worker", &thrown))
    }

    fn opened(&self) -> Result<&Opened, Error> {
        self.opened
            .get()
            .ok_or_else(|| Error::Protocol("the session was not opened".into()))
    }

    /// Work for when nothing is asked for: the checkpoint of a guest that is here.
    fn rest(&self) {
        let place = self.python.place.borrow().clone();
        if let Some(Place::Here(here)) = place {
            self.checkpoint_here(&here);
        }
    }

    fn say_memory(&self) {
        let kernel = self.kernel.borrow();
        let kernel = kernel.as_ref().map_or(0, |kernel| kernel.bytes());
        self.send(&FromWorker::Memory {
            kernel: f64::from(kernel),
            python: self.python.bytes.get(),
        });
    }

    /// After the kernel stopped: says so on the cell that ran, and starts a new kernel and Python,
    /// so that the notebook can be run again.
    async fn recover(self: &Rc<Self>, error: &Error) {
        self.fail("kernel", &error.to_string());
        let lines = [
            error.to_string(),
            "The session was restarted: run the notebook from its start.".into(),
        ];
        let content = json!({ "ename": "KernelError", "evalue": lines[0], "traceback": lines });
        let running = self.running.borrow_mut().take();
        if running.is_some() {
            self.show("error", content.as_object().unwrap_or(&Map::new()));
        }
        self.reset_python();
        if let Some(parent) = running {
            self.send(&FromWorker::Done { parent });
        }
        let again = self
            .opened()
            .is_ok_and(|opened| opened.parts.get().is_some());
        let state = if again && self.start_kernel().await.is_ok() {
            State::Idle
        } else {
            State::Dead
        };
        self.set_state(state);
    }
}

/// Whether an event is the driver's to send, and not the page's.
fn is_drivers(event: &Event) -> bool {
    matches!(
        event,
        Event::Open { .. }
            | Event::AddSource { .. }
            | Event::RemoveSource { .. }
            | Event::Data { .. }
            | Event::AddPlugin { .. }
            | Event::RemovePlugin { .. }
            | Event::PluginCalled { .. }
            | Event::Fetched { .. }
            | Event::Upcall
            | Event::PythonOutput { .. }
            | Event::PythonDone { .. }
            | Event::Continue
    )
}
