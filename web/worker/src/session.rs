//! A session: takes the page's messages, steps the kernel, carries its effects out.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use futures::future::join3;
use js_sys::{Function, Promise, Uint8Array, WebAssembly};
use serde_json::{Value, json};
use spoor_protocol::{Channel, Effect, Event, Frame, Outcome};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise, spawn_local};

use crate::bindings::{array, can_suspend, fetch_now, make_wasi, sha256};
use crate::error::{Error, text_of};
use crate::guest::Guest;
use crate::inbox::{Doorbell, Inbox};
use crate::kernel::Kernel;
use crate::load::{self, Progress};
use crate::messages::{Asset, FromWorker, Site, Source, State, ToWorker};
use crate::outputs::Outputs;

/// Bytes of a data source in one [`Event::Data`], so that no copy on the way is larger.
const PART: u32 = 16 << 20;
/// The messages that `outputs` takes the place of.
const OUTPUTS: [&str; 6] =
    ["stream", "display_data", "execute_result", "error", "update_display_data", "clear_output"];

/// Starts the session's loop and returns the function that takes the page's messages.
pub fn start(post: Function) -> Function {
    let session = Rc::new(Session {
        post,
        inbox: Inbox::default(),
        opened: OnceCell::new(),
        kernel: RefCell::default(),
        guest: RefCell::default(),
        loading_guest: RefCell::default(),
        running: RefCell::default(),
        outputs: RefCell::new(Outputs::new()),
        state: Cell::new(State::Loading),
    });
    let receiver = session.clone();
    let deliver = Closure::<dyn FnMut(String)>::new(move |text: String| receiver.receive(&text));
    spawn_local(async move { session.run().await });
    deliver.into_js_value().unchecked_into()
}

struct Session {
    post: Function,
    inbox: Inbox,
    opened: OnceCell<Opened>,
    kernel: RefCell<Option<Rc<Kernel>>>,
    guest: RefCell<Option<Rc<Guest>>>,
    /// Settled when the guest is loaded or could not be.
    loading_guest: RefCell<Option<Promise>>,
    /// The `execute` request that is running.
    running: RefCell<Option<String>>,
    outputs: RefCell<Outputs>,
    state: Cell<State>,
}

/// What the page asked for in `open`.
struct Opened {
    site: Site,
    sources: Vec<Source>,
    open: Event,
    verify: bool,
    module: WebAssembly::Module,
    bell: Doorbell,
}

/// What is left to do after a step, for whoever stepped.
#[derive(Default)]
struct Todo {
    reply: Option<Vec<u8>>,
    go_on: bool,
    reads: Vec<String>,
    python: Option<String>,
}

impl Session {
    fn receive(&self, text: &str) {
        match serde_json::from_str(text) {
            Ok(message) => self.inbox.push(message),
            Err(error) => self.fail("driver", &format!("a message from the page does not read: {error}")),
        }
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
        self.send(&FromWorker::Failed { part: part.into(), message: message.into() });
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
        loop {
            let message = self.inbox.next().await;
            if let Err(error) = self.take(message).await {
                self.recover(&error).await;
            }
            self.rest().await;
        }
    }

    async fn take(self: &Rc<Self>, message: ToWorker) -> Result<(), Error> {
        match message {
            ToWorker::Open { .. } => self.open(message).await,
            ToWorker::PreparePython => {
                self.prepare_guest();
                Ok(())
            }
            ToWorker::Request { event } => self.request(event).await,
        }
    }

    async fn open(self: &Rc<Self>, message: ToWorker) -> Result<(), Error> {
        let ToWorker::Open { site, options, sources, python, verify } = message else { return Ok(()) };
        let bell = Doorbell::new().map_err(|thrown| Error::load("the worker", &thrown))?;
        let progress = Progress::new("kernel", site.kernel.bytes, self.sender());
        let (module, hash) = load::module(&site.kernel, &progress, verify).await?;
        let opened = Opened { site, sources, open: Event::Open { options }, verify, module, bell };
        if self.opened.set(opened).is_err() {
            return Err(Error::Protocol("a session can be opened only once".into()));
        }
        if python {
            self.prepare_guest();
        }
        self.start_kernel().await?;
        progress.finish(hash.into_iter().collect());
        self.set_state(State::Idle);
        Ok(())
    }

    async fn start_kernel(self: &Rc<Self>) -> Result<(), Error> {
        let opened = self.opened()?;
        *self.kernel.borrow_mut() = Some(Rc::new(Kernel::start(&opened.module)?));
        self.carry(Frame::new(opened.open.clone())).await?;
        for source in &opened.sources {
            self.carry(Frame::new(Event::AddSource { source: source.spec() })).await?;
        }
        Ok(())
    }

    async fn request(self: &Rc<Self>, event: Event) -> Result<(), Error> {
        match &event {
            Event::Execute { id, cell_id, silent, .. } => {
                *self.running.borrow_mut() = Some(id.clone());
                if !silent {
                    self.outputs.borrow_mut().start(cell_id.as_ref().unwrap_or(id));
                }
            }
            Event::Complete { .. } | Event::Inspect { .. } | Event::IsComplete { .. } => {}
            Event::Interrupt | Event::Restart | Event::InputReply { .. } => {}
            _ => return Err(Error::Protocol("the page sent an event that is the driver's own".into())),
        }
        self.set_state(State::Busy);
        let carried = self.carry(Frame::new(event)).await;
        if carried.is_ok() {
            *self.running.borrow_mut() = None;
            self.set_state(State::Idle);
        }
        carried
    }

    /// Feeds `frame` to the kernel, and what comes of it, until nothing is left.
    async fn carry(self: &Rc<Self>, frame: Frame<Event>) -> Result<(), Error> {
        let mut queue = VecDeque::from([frame]);
        while let Some(frame) = queue.pop_front() {
            let todo = self.step(&frame)?;
            if let Some(source) = todo.python {
                queue.push_back(Frame::new(Event::PythonDone { outcome: self.python(&source).await }));
            }
            for name in &todo.reads {
                queue.extend(self.read(name).await);
            }
            if todo.go_on {
                self.breathe().await?;
                queue.extend(self.urgent());
                queue.push_back(Frame::new(Event::Continue));
            }
        }
        Ok(())
    }

    /// One step, and the effects that need no waiting.
    fn step(&self, frame: &Frame<Event>) -> Result<Todo, Error> {
        let kernel = self.kernel.borrow().clone().ok_or_else(|| Error::Kernel("it is not running".into()))?;
        let mut effects = kernel.step(frame)?;
        let mut todo = Todo::default();
        for effect in std::mem::take(&mut effects.header) {
            match effect {
                Effect::Publish { .. } => self.publish(effect, &effects.buffers)?,
                Effect::RunPython { source } => todo.python = Some(source),
                Effect::ResetPython => {
                    if let Some(guest) = &*self.guest.borrow() {
                        guest.reset();
                    }
                }
                Effect::UpcallReply { buffer } => todo.reply = effects.buffers.get(buffer).cloned(),
                Effect::Read { name } => todo.reads.push(name),
                Effect::Continue => todo.go_on = true,
                Effect::Refuse { reason } => self.fail("driver", &reason),
                Effect::Idle { parent } => {
                    self.outputs.borrow_mut().flush().iter().for_each(|change| self.send(change));
                    self.send(&FromWorker::Done { parent });
                }
            }
        }
        Ok(todo)
    }

    fn publish(&self, effect: Effect, buffers: &[Vec<u8>]) -> Result<(), Error> {
        let Effect::Publish { channel, msg_type, parent, content, metadata, buffers: indices } = effect else {
            return Ok(());
        };
        if channel == Channel::Iopub {
            let changes = self.outputs.borrow_mut().message(&msg_type, &content);
            changes.iter().for_each(|change| self.send(change));
            if indices.is_empty() && OUTPUTS.contains(&msg_type.as_str()) {
                return Ok(());
            }
        }
        let found = indices.iter().filter_map(|&index| buffers.get(index));
        let sent: Vec<_> = found.map(|bytes| Uint8Array::from(bytes.as_slice())).collect();
        self.send_with(&FromWorker::Publish { channel, msg_type, parent, content, metadata }, &sent);
        Ok(())
    }

    fn urgent(&self) -> Option<Frame<Event>> {
        match self.inbox.take_urgent() {
            Some(ToWorker::Request { event }) => Some(Frame::new(event)),
            _ => None,
        }
    }

    async fn breathe(&self) -> Result<(), Error> {
        self.opened()?.bell.turn().await.map_err(|thrown| Error::load("the worker", &thrown))
    }

    fn opened(&self) -> Result<&Opened, Error> {
        self.opened.get().ok_or_else(|| Error::Protocol("the session was not opened".into()))
    }

    /// Work for when nothing is asked for: the guest's checkpoint.
    async fn rest(&self) {
        if self.breathe().await.is_ok() && self.inbox.is_empty() {
            if let Some(guest) = self.guest.borrow().clone() {
                guest.checkpoint();
            }
        }
    }

    /// After the kernel stopped: tells the page, and starts a new kernel and Python, so that the
    /// notebook can be run again.
    async fn recover(self: &Rc<Self>, error: &Error) {
        self.fail("kernel", &error.to_string());
        if let Some(guest) = self.guest.borrow().clone() {
            guest.reset();
        }
        if let Some(parent) = self.running.borrow_mut().take() {
            self.send(&FromWorker::Done { parent });
        }
        let again = self.kernel.borrow_mut().take().is_some();
        let state = if again && self.start_kernel().await.is_ok() { State::Idle } else { State::Dead };
        self.set_state(state);
    }
}

/// Data.
impl Session {
    async fn read(self: &Rc<Self>, name: &str) -> Vec<Frame<Event>> {
        let Some(source) = self.source(name) else { return vec![unread(name, "the page has no such source")] };
        let progress = Progress::new(name, source.bytes, self.sender());
        match load::bytes(&source.url, &progress).await {
            Ok(bytes) => parts(name, &bytes),
            Err(error) => vec![unread(name, &error.to_string())],
        }
    }

    /// As [`Session::read`], for where the worker cannot wait but by blocking.
    fn read_now(&self, name: &str) -> Vec<Frame<Event>> {
        let Some(source) = self.source(name) else { return vec![unread(name, "the page has no such source")] };
        let fetched = fetch_now(&source.url).and_then(|answer| js_sys::Reflect::get(&answer, &"data".into()));
        match fetched {
            Ok(bytes) => parts(name, &bytes.unchecked_into()),
            Err(thrown) => vec![unread(name, &text_of(&thrown))],
        }
    }

    fn source(&self, name: &str) -> Option<&Source> {
        self.opened.get()?.sources.iter().find(|source| source.name == name)
    }
}

fn parts(name: &str, bytes: &Uint8Array) -> Vec<Frame<Event>> {
    let total = bytes.length();
    let starts = (0..total.max(1)).step_by(PART as usize);
    starts
        .map(|start| {
            let end = (start + PART).min(total);
            let data = Event::Data { name: name.into(), last: end == total, error: None };
            Frame::with(data, vec![bytes.subarray(start, end).to_vec()])
        })
        .collect()
}

fn unread(name: &str, why: &str) -> Frame<Event> {
    Frame::with(Event::Data { name: name.into(), last: true, error: Some(why.into()) }, vec![Vec::new()])
}

/// Python.
impl Session {
    async fn python(self: &Rc<Self>, source: &str) -> Outcome {
        let loading = self.load_guest();
        if let Err(thrown) = JsFuture::from(loading).await {
            *self.loading_guest.borrow_mut() = None;
            return Outcome::Unavailable { message: text_of(&thrown) };
        }
        let guest = self.guest.borrow().clone();
        match guest {
            Some(guest) => guest.turn(source).await,
            None => Outcome::Unavailable { message: "Python is not loaded".into() },
        }
    }

    /// Begins to load the guest; whoever needs it waits for [`Session::load_guest`].
    fn prepare_guest(self: &Rc<Self>) {
        let _ = self.load_guest();
    }

    /// The promise of the guest; begins to load it if that was not asked for yet.
    fn load_guest(self: &Rc<Self>) -> Promise {
        if let Some(loading) = &*self.loading_guest.borrow() {
            return loading.clone();
        }
        let session = self.clone();
        let loading = future_to_promise(async move {
            match session.make_guest().await {
                Ok(()) => Ok(JsValue::UNDEFINED),
                Err(error) => {
                    session.fail("python", &error.to_string());
                    Err(error.to_string().into())
                }
            }
        });
        *self.loading_guest.borrow_mut() = Some(loading.clone());
        loading
    }

    async fn make_guest(self: &Rc<Self>) -> Result<(), Error> {
        let Opened { site, sources, verify, .. } = self.opened()?;
        let python = &site.python;
        let image_bytes = python.image.as_ref().map_or(0.0, |image| image.bytes);
        let progress = Progress::new("python", python.module.bytes + image_bytes, self.sender());
        let files = Progress::new("python files", python.mounts.bytes, self.sender());
        let (module, image, mounts) = join3(
            load::module(&python.module, &progress, *verify),
            image(python.image.as_ref(), &progress, *verify),
            load::bytes(&python.mounts.url, &files),
        )
        .await;
        let ((module, hash), (image, image_hash)) = (module?, image?);
        let write = Closure::new(self.writer());
        let env = array(python.environment.iter().map(JsValue::from));
        let wasi = make_wasi(&env, &mounts_of(&mounts?, sources)?, &write);
        let guest = Guest::new(module, image, wasi, Closure::new(self.door()), write);
        guest.warm()?;
        *self.guest.borrow_mut() = Some(Rc::new(guest));
        progress.finish(hash.into_iter().chain(image_hash).collect());
        Ok(())
    }

    fn door(self: &Rc<Self>) -> impl FnMut(u32, u32, u32, u32) -> JsValue + use<> {
        let session = self.clone();
        move |ptr, len, out_ptr, out_len| session.upcall(ptr, len, out_ptr, out_len)
    }

    fn writer(self: &Rc<Self>) -> impl FnMut(u8, Uint8Array) + use<> {
        let session = self.clone();
        move |fd, bytes| session.output(fd, &bytes)
    }

    fn output(&self, fd: u8, bytes: &Uint8Array) {
        let frame = Frame::with(Event::PythonOutput { fd }, vec![bytes.to_vec()]);
        if let Err(error) = self.step(&frame) {
            self.fail("kernel", &error.to_string());
        }
    }

    /// Serves the guest's door: at once where the kernel answers at once, else with a promise.
    fn upcall(self: &Rc<Self>, ptr: u32, len: u32, out_ptr: u32, out_len: u32) -> JsValue {
        let Some(guest) = self.guest.borrow().clone() else { return Guest::fault().into() };
        let Some(request) = guest.request(ptr, len) else { return Guest::fault().into() };
        let first = match self.step(&Frame::with(Event::Upcall, vec![request])) {
            Ok(todo) => todo,
            Err(_) => return Guest::fault().into(),
        };
        if let Some(reply) = first.reply {
            return guest.answer(&reply, out_ptr, out_len).into();
        }
        if !can_suspend() {
            let reply = self.finish_now(first);
            return reply.map_or(Guest::fault(), |reply| guest.answer(&reply, out_ptr, out_len)).into();
        }
        let session = self.clone();
        future_to_promise(async move {
            let reply = session.finish(first).await;
            Ok(reply.map_or(Guest::fault(), |reply| guest.answer(&reply, out_ptr, out_len)).into())
        })
        .into()
    }

    /// Steps on until the upcall is answered, while the guest is suspended.
    async fn finish(self: &Rc<Self>, first: Todo) -> Result<Vec<u8>, Error> {
        let mut queue = VecDeque::new();
        let mut todo = first;
        loop {
            if let Some(reply) = todo.reply {
                return Ok(reply);
            }
            for name in &todo.reads {
                queue.extend(self.read(name).await);
            }
            if todo.go_on {
                self.breathe().await?;
                queue.extend(self.urgent());
                queue.push_back(Frame::new(Event::Continue));
            }
            if queue.is_empty() {
                // The kernel waits for a person: typed input, or an interrupt instead.
                if let ToWorker::Request { event } = self.inbox.next_urgent().await {
                    queue.push_back(Frame::new(event));
                }
            }
            todo = match queue.pop_front() {
                Some(frame) => self.step(&frame)?,
                None => Todo::default(),
            };
        }
    }

    /// As [`Session::finish`], blocking. Nobody can be asked for input so.
    fn finish_now(&self, first: Todo) -> Result<Vec<u8>, Error> {
        let mut queue = VecDeque::new();
        let mut todo = first;
        loop {
            if let Some(reply) = todo.reply {
                return Ok(reply);
            }
            for name in &todo.reads {
                queue.extend(self.read_now(name));
            }
            if todo.go_on {
                queue.push_back(Frame::new(Event::Continue));
            }
            let frame = queue.pop_front().unwrap_or_else(|| Frame::new(Event::InputReply { value: None }));
            todo = self.step(&frame)?;
        }
    }
}

async fn image(
    asset: Option<&Asset>,
    progress: &Rc<Progress>,
    hash: bool,
) -> Result<(Option<Uint8Array>, Option<String>), Error> {
    let Some(asset) = asset else { return Ok((None, None)) };
    let bytes = load::bytes(&asset.url, progress).await?;
    if !hash {
        return Ok((Some(bytes), None));
    }
    let hash = sha256(&bytes).await.map_err(|thrown| Error::load("python", &thrown))?;
    Ok((Some(bytes), Some(hash)))
}

/// The guest's folders, read from their JSON, and beside them `/data` with the sources' files.
fn mounts_of(json: &Uint8Array, sources: &[Source]) -> Result<JsValue, Error> {
    let unreadable = |error: serde_json::Error| Error::Load { what: "python".into(), why: error.to_string() };
    let mut mounts: Vec<Value> = serde_json::from_slice(&json.to_vec()).map_err(unreadable)?;
    let files: Vec<Value> = sources.iter().map(|s| json!([s.file, s.bytes, s.url])).collect();
    mounts.push(json!({ "path": "/data", "files": files }));
    js_sys::JSON::parse(&Value::from(mounts).to_string()).map_err(|thrown| Error::load("python", &thrown))
}
