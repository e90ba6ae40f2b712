//! A session with the kernel: what is loading, its state, and requests that wait for an answer.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use js_sys::Array;
use serde_json::{Map, Value};
use spoor_messages::{FromWorker, ImageName, Site, Source, State, ToWorker};
use spoor_protocol::{Event, PluginWish};
use wasm_bindgen::JsValue;

use crate::dom;
use crate::kernel::Kernel;

/// The kernel's state, as the page shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Nothing was asked of it.
    NotLoaded,
    /// As the worker says.
    Known(State),
}

impl Health {
    /// The word to show.
    pub fn label(self) -> &'static str {
        match self {
            Self::NotLoaded => "not loaded",
            Self::Known(State::Loading) => "loading",
            Self::Known(State::Idle) => "idle",
            Self::Known(State::Busy) => "busy",
            Self::Known(State::Dead) => "dead",
        }
    }

    /// The word for attributes.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotLoaded => "none",
            known => known.label(),
        }
    }
}

/// How far a part has come, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// So far.
    pub loaded: f64,
    /// In all.
    pub total: f64,
}

/// A part that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Milliseconds from its first request.
    pub ms: f64,
    /// SHA-256 of what is used, where it was asked for.
    pub sha256: Vec<String>,
    /// When it was there, in milliseconds since the page began to load.
    pub at: f64,
}

/// A request's answer: the content of the reply.
type Answer = Box<dyn FnOnce(Map<String, Value>)>;
/// Who is told of each message, once the session has taken it in.
type Listener = dyn Fn(FromWorker, Array);

/// Who is told of a text before the kernel is, and whether it is to run.
type Before = dyn Fn(&str, bool);

/// A session.
pub struct Session {
    kernel: RefCell<Option<Kernel>>,
    health: Cell<Health>,
    loads: RefCell<BTreeMap<String, Load>>,
    loaded: RefCell<BTreeMap<String, Loaded>>,
    failed: RefCell<Vec<(String, String)>>,
    waiting: RefCell<HashMap<String, Answer>>,
    requests: Cell<u32>,
    /// Set while the running code heeds no interrupt: whether interrupts reach such code at all.
    stuck: Cell<Option<bool>>,
    /// What the kernel and Python hold, in bytes.
    memory: Cell<(f64, f64)>,
    /// Bytes of text that were added to streams.
    appended: Cell<usize>,
    /// What of Python is to be loaded once the session is open.
    python: Cell<Option<ImageName>>,
    listener: RefCell<Option<Rc<Listener>>>,
    /// Who is told of a cell's text before the kernel is.
    before: RefCell<Option<Rc<Before>>>,
    /// Requests from before it was open.
    held: RefCell<Vec<Event>>,
}

/// The text that a request has the kernel run or look at.
fn text_of(event: &Event) -> Option<&str> {
    match event {
        Event::Execute { code, .. }
        | Event::Complete { code, .. }
        | Event::Inspect { code, .. }
        | Event::Diagnose { code, .. } => Some(code),
        _ => None,
    }
}

impl Session {
    /// Starts the worker, which loads nothing before [`Session::open`].
    pub fn start() -> Rc<Self> {
        let session = Rc::new(Self {
            kernel: RefCell::default(),
            health: Cell::new(Health::NotLoaded),
            loads: RefCell::default(),
            loaded: RefCell::default(),
            failed: RefCell::default(),
            waiting: RefCell::default(),
            requests: Cell::new(0),
            stuck: Cell::new(None),
            memory: Cell::new((0.0, 0.0)),
            appended: Cell::new(0),
            python: Cell::new(None),
            listener: RefCell::default(),
            before: RefCell::default(),
            held: RefCell::default(),
        });
        let weak = Rc::downgrade(&session);
        let started = Kernel::start(move |message, buffers| {
            if let Some(session) = weak.upgrade() {
                session.hear(message, buffers);
            }
        });
        match started {
            Ok(kernel) => *session.kernel.borrow_mut() = Some(kernel),
            Err(thrown) => session.fail("worker", &format!("The worker did not start: {thrown:?}")),
        }
        session
    }

    /// Tells `listener` of every message from now on.
    pub fn listen(&self, listener: impl Fn(FromWorker, Array) + 'static) {
        *self.listener.borrow_mut() = Some(Rc::new(listener));
    }

    /// Opens the kernel's session: its engine begins to load.
    /// `providers` are who runs queries in its stead, and where.
    pub fn open(
        &self,
        site: Site,
        sources: Vec<Source>,
        providers: BTreeMap<String, String>,
        verify: bool,
    ) {
        let state = State::Loading;
        self.hear(FromWorker::State { state }, Array::new());
        self.send(&ToWorker::Open {
            site: Box::new(site),
            // The page shows tables by itself.
            options: BTreeMap::from([("results".to_owned(), "arrow".into())]),
            sources,
            providers,
            verify,
        });
        if let Some(image) = self.python.take() {
            self.send(&ToWorker::PreparePython { image });
        }
        let held = std::mem::take(&mut *self.held.borrow_mut());
        for event in held {
            self.request(event);
        }
    }

    /// Calls `before` with each text that the kernel is to run or to look at, and whether it is to run, before the kernel gets it.
    pub fn before(&self, before: impl Fn(&str, bool) + 'static) {
        *self.before.borrow_mut() = Some(Rc::new(before));
    }

    /// Loads Python behind the kernel, as soon as the session is open.
    pub fn prepare_python(&self, image: ImageName) {
        if self.health.get() == Health::NotLoaded {
            self.python.set(Some(image));
        } else {
            self.send(&ToWorker::PreparePython { image });
        }
    }

    /// Has the recorded answers of the notebook's workspaces taken from the folder at `url`.
    pub fn use_recorded(&self, url: String) {
        self.send(&ToWorker::UseRecorded { url });
    }

    /// Ends the Python code that runs, and goes back to the state after the last finished cell.
    pub fn roll_back(&self) {
        self.send(&ToWorker::RollBack);
    }

    /// Offers one more file to queries and to Python.
    pub fn add_source(&self, source: Source) {
        self.send(&ToWorker::AddSource { source });
    }

    /// Adds a plugin, whose module is at `url` and has this SHA-256, with these capabilities, and calls `answer` with the content
    /// of the kernel's `plugin_reply`.
    pub fn add_plugin(
        &self,
        url: &str,
        sha256: &str,
        granted: Vec<String>,
        answer: impl FnOnce(Map<String, Value>) + 'static,
    ) {
        let id = self.expect(answer);
        self.send(&ToWorker::AddPlugin {
            id,
            url: url.to_owned(),
            sha256: Some(sha256.to_owned()),
            granted,
            limits: PluginWish::default(),
        });
    }

    /// Takes a plugin away from queries.
    pub fn remove_plugin(&self, name: &str) {
        let name = name.to_owned();
        self.send(&ToWorker::RemovePlugin { name });
    }

    /// Takes a table away from queries, and its file from Python.
    pub fn remove_source(&self, table: &str) {
        let name = table.to_owned();
        self.send(&ToWorker::RemoveSource { name });
    }

    /// Sends a request, once the session is open.
    pub fn request(&self, event: Event) {
        if self.health.get() == Health::NotLoaded {
            return self.held.borrow_mut().push(event);
        }
        let before = self.before.borrow().clone();
        if let (Some(before), Some(text)) = (before, text_of(&event)) {
            before(text, matches!(event, Event::Execute { .. }));
        }
        self.send(&ToWorker::Request { event });
    }

    /// Sends what `make` makes of a new request's id, and calls `answer` with the reply's content.
    pub fn ask(
        &self,
        make: impl FnOnce(String) -> Event,
        answer: impl FnOnce(Map<String, Value>) + 'static,
    ) {
        let id = self.expect(answer);
        self.request(make(id));
    }

    /// The id of a new request, whose reply's content `answer` is called with.
    fn expect(&self, answer: impl FnOnce(Map<String, Value>) + 'static) -> String {
        let number = self.requests.get() + 1;
        self.requests.set(number);
        let id = format!("ask-{number}");
        self.waiting
            .borrow_mut()
            .insert(id.clone(), Box::new(answer));
        id
    }

    /// The kernel's state.
    pub fn health(&self) -> Health {
        self.health.get()
    }

    /// What is on its way, by name.
    pub fn loads(&self) -> BTreeMap<String, Load> {
        self.loads.borrow().clone()
    }

    /// What is there, by name.
    pub fn loaded(&self) -> BTreeMap<String, Loaded> {
        self.loaded.borrow().clone()
    }

    /// What failed for good, and why.
    pub fn failed(&self) -> Vec<(String, String)> {
        self.failed.borrow().clone()
    }

    /// Whether the running code heeds no interrupt, and then whether interrupts reach such code at all.
    pub fn stuck(&self) -> Option<bool> {
        self.stuck.get()
    }

    /// What the kernel and Python hold, in bytes.
    pub fn memory(&self) -> (f64, f64) {
        self.memory.get()
    }

    /// How many bytes of text have been added to streams.
    pub fn appended(&self) -> usize {
        self.appended.get()
    }

    /// Sends a message.
    pub fn send(&self, message: &ToWorker) {
        self.send_with(message, &Array::new());
    }

    /// Sends a message, and beside it an array of `Uint8Array`s, which are the worker's from then on.
    pub fn send_with(&self, message: &ToWorker, buffers: &Array) {
        let sent: Result<(), JsValue> = match &*self.kernel.borrow() {
            Some(kernel) => kernel.send(message, buffers),
            None => return,
        };
        if let Err(thrown) = sent {
            self.fail(
                "worker",
                &format!("A message could not be sent: {thrown:?}"),
            );
        }
    }

    /// Takes in that a part failed for good.
    pub fn fail(&self, part: &str, message: &str) {
        self.hear(
            FromWorker::Failed {
                part: part.into(),
                message: message.into(),
            },
            Array::new(),
        );
    }

    fn hear(&self, message: FromWorker, buffers: Array) {
        self.take_in(&message);
        // Cloned, so that a listener may change who listens.
        let listener = self.listener.borrow().clone();
        if let Some(listener) = listener {
            listener(message, buffers);
        }
    }

    /// Answers what is asked with nothing.
    fn give_up(&self) {
        let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
        for answer in waiting.into_values() {
            answer(Map::new());
        }
    }

    fn take_in(&self, message: &FromWorker) {
        match message {
            FromWorker::State { state } => self.health.set(Health::Known(*state)),
            FromWorker::Loading {
                part,
                loaded,
                total,
            } => {
                let load = Load {
                    loaded: *loaded,
                    total: *total,
                };
                self.loads.borrow_mut().insert(part.clone(), load);
            }
            FromWorker::Loaded { part, ms, sha256 } => {
                self.loads.borrow_mut().remove(part);
                let loaded = Loaded {
                    ms: *ms,
                    sha256: sha256.clone(),
                    at: dom::now(),
                };
                self.loaded.borrow_mut().insert(part.clone(), loaded);
            }
            FromWorker::Failed { part, message } => {
                self.loads.borrow_mut().remove(part);
                // A kernel that broke, or is none, has no answers.
                if matches!(part.as_str(), "site" | "worker" | "kernel") {
                    self.give_up();
                }
                self.failed
                    .borrow_mut()
                    .push((part.clone(), message.clone()));
            }
            FromWorker::Publish {
                msg_type,
                parent,
                content,
                ..
            } if msg_type.ends_with("_reply") => {
                let answer = self.waiting.borrow_mut().remove(parent);
                if let Some(answer) = answer {
                    answer(content.clone());
                }
            }
            FromWorker::Stuck { can_interrupt, .. } => self.stuck.set(Some(*can_interrupt)),
            FromWorker::Memory { kernel, python } => self.memory.set((*kernel, *python)),
            FromWorker::StreamAppend { text, .. } => {
                self.appended.set(self.appended.get() + text.len());
            }
            FromWorker::Done { parent } => {
                self.stuck.set(None);
                // A request that ended without a reply has none.
                let answer = self.waiting.borrow_mut().remove(parent);
                if let Some(answer) = answer {
                    answer(Map::new());
                }
            }
            _ => {}
        }
    }
}
