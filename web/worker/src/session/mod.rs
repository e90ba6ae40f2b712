//! A session: takes the page's messages, steps the kernel, carries its effects out.

mod data;
mod python;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Date, Function, Promise, Uint8Array, WebAssembly};
use serde_json::{Map, Value, json};
use spoor_protocol::{Channel, Effect, Event, Frame};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::bindings::{array, can_suspend};
use crate::error::{Error, text_of};
use crate::guest::Guest;
use crate::inbox::{Doorbell, Inbox};
use crate::kernel::Kernel;
use crate::load::{self, Progress};
use crate::outputs::Outputs;
use spoor_messages::{FromWorker, Site, Source, State, ToWorker};

/// The messages that `outputs` takes the place of.
const OUTPUTS: [&str; 6] = [
    "stream",
    "display_data",
    "execute_result",
    "error",
    "update_display_data",
    "clear_output",
];

/// Returns the function that takes the page's messages; `open` starts the session's loop.
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
        breathed: Cell::new(0.0),
        suspends: can_suspend(),
    });
    let deliver = Closure::<dyn FnMut(String)>::new(move |text: String| session.receive(&text));
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
    /// When messages could last arrive, by [`Date::now`].
    breathed: Cell<f64>,
    /// Whether the guest can be suspended.
    suspends: bool,
}

/// What the page asked for in `open`.
struct Opened {
    site: Site,
    sources: Vec<Source>,
    open: Event,
    verify: bool,
    /// The kernel's, once it is loaded.
    module: OnceCell<WebAssembly::Module>,
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
    /// What needs no kernel is done at once; the rest waits its turn in the inbox.
    fn receive(self: &Rc<Self>, text: &str) {
        match serde_json::from_str(text) {
            Ok(ToWorker::PreparePython { image }) => self.prepare_guest(image),
            Ok(ToWorker::Open {
                site,
                options,
                sources,
                verify,
            }) => self.begin(*site, Event::Open { options }, sources, verify),
            Ok(ToWorker::Request { event }) => self.inbox.push(event),
            Err(error) => self.fail(
                "driver",
                &format!("a message from the page does not read: {error}"),
            ),
        }
    }

    /// Starts the loop. What to load is known from here on, so that Python loads beside the kernel.
    fn begin(self: &Rc<Self>, site: Site, open: Event, sources: Vec<Source>, verify: bool) {
        let bell = match Doorbell::new() {
            Ok(bell) => bell,
            Err(thrown) => return self.fail("driver", &text_of(&thrown)),
        };
        let opened = Opened {
            site,
            sources,
            open,
            verify,
            module: OnceCell::new(),
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
            let event = self.inbox.next().await;
            if let Err(error) = self.request(event).await {
                self.recover(&error).await;
            }
            self.rest().await;
        }
    }

    async fn load_kernel(self: &Rc<Self>) -> Result<(), Error> {
        let opened = self.opened()?;
        let progress = Progress::new("kernel", opened.site.kernel.bytes, self.sender());
        let (module, hash) = load::module(&opened.site.kernel, &progress, opened.verify).await?;
        opened.module.get_or_init(|| module);
        self.start_kernel().await?;
        progress.finish(hash.into_iter().collect());
        self.set_state(State::Idle);
        Ok(())
    }

    async fn start_kernel(self: &Rc<Self>) -> Result<(), Error> {
        let opened = self.opened()?;
        let module = opened.module.get().ok_or_else(not_running)?;
        *self.kernel.borrow_mut() = Some(Rc::new(Kernel::start(module)?));
        self.carry(Frame::new(opened.open.clone())).await?;
        for source in &opened.sources {
            self.carry(Frame::new(Event::AddSource {
                source: source.spec(),
            }))
            .await?;
        }
        Ok(())
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
                if !silent {
                    self.outputs
                        .borrow_mut()
                        .start(cell_id.as_ref().unwrap_or(id));
                }
            }
            Event::Complete { .. } | Event::Inspect { .. } | Event::IsComplete { .. } => {}
            Event::Interrupt | Event::Restart | Event::InputReply { .. } => {}
            _ => {
                return Err(Error::Protocol(
                    "the page sent an event that is the driver's own".into(),
                ));
            }
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
                queue.push_back(Frame::new(Event::PythonDone {
                    outcome: self.python(&source).await,
                }));
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
        let kernel = self.kernel.borrow().clone().ok_or_else(not_running)?;
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
                    let rest = self.outputs.borrow_mut().flush();
                    rest.iter().for_each(|change| self.send(change));
                    self.send(&FromWorker::Done { parent });
                }
            }
        }
        Ok(todo)
    }

    fn publish(&self, effect: Effect, buffers: &[Vec<u8>]) -> Result<(), Error> {
        let Effect::Publish {
            channel,
            msg_type,
            parent,
            content,
            metadata,
            buffers: indices,
        } = effect
        else {
            return Ok(());
        };
        if channel == Channel::Iopub {
            self.show(&msg_type, &content);
            if indices.is_empty() && OUTPUTS.contains(&msg_type.as_str()) {
                return Ok(());
            }
        }
        let found = indices.iter().filter_map(|&index| buffers.get(index));
        let sent: Vec<_> = found
            .map(|bytes| Uint8Array::from(bytes.as_slice()))
            .collect();
        self.send_with(
            &FromWorker::Publish {
                channel,
                msg_type,
                parent,
                content,
                metadata,
            },
            &sent,
        );
        Ok(())
    }

    /// Adds a message of the iopub channel to its cell's outputs.
    fn show(&self, msg_type: &str, content: &Map<String, Value>) {
        let changes = self.outputs.borrow_mut().message(msg_type, content);
        changes.iter().for_each(|change| self.send(change));
    }

    /// What concerns the running request among the messages that have arrived.
    fn urgent(&self) -> Option<Frame<Event>> {
        self.inbox.take_urgent().map(Frame::new)
    }

    /// Lets the browser deliver messages.
    async fn breathe(&self) -> Result<(), Error> {
        let turned = self.opened()?.bell.turn().await;
        self.breathed.set(Date::now());
        turned.map_err(|thrown| Error::load("the worker", &thrown))
    }

    fn opened(&self) -> Result<&Opened, Error> {
        self.opened
            .get()
            .ok_or_else(|| Error::Protocol("the session was not opened".into()))
    }

    /// Work for when nothing is asked for: the guest's checkpoint.
    async fn rest(&self) {
        if self.breathe().await.is_ok()
            && self.inbox.is_empty()
            && let Some(guest) = self.guest.borrow().clone()
        {
            guest.checkpoint();
        }
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
        self.show("error", content.as_object().unwrap_or(&Map::new()));
        if let Some(guest) = self.guest.borrow().clone() {
            guest.reset();
        }
        if let Some(parent) = self.running.borrow_mut().take() {
            self.send(&FromWorker::Done { parent });
        }
        let again = self.kernel.borrow_mut().take().is_some();
        let state = if again && self.start_kernel().await.is_ok() {
            State::Idle
        } else {
            State::Dead
        };
        self.set_state(state);
    }
}

fn not_running() -> Error {
    Error::Kernel("it is not running".into())
}
