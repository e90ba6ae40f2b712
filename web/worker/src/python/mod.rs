//! Python's thread: holds the guest, runs its turns, and speaks to the kernel's thread ([`wire`]).
//!
//! A turn has this thread to itself, so that a loop in it keeps nothing else waiting. What the guest
//! asks its host goes to the kernel's thread; the guest waits for the answer by being suspended
//! (JSPI), or by blocking this thread on shared memory ([`crate::answers`]). For what it prints it
//! does not wait, save now and then: so that no more is under way than the kernel's thread can take
//! in, and so that a guest which is suspended hears of an interrupt.
//!
//! [`wire`]: crate::wire

mod door;

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use futures::channel::oneshot;
use js_sys::{Array, Date, Function, SharedArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::answers::Answers;
use crate::bindings::{Wasi, array, can_suspend, isolated, make_wasi, timeout};
use crate::error::text_of;
use crate::guest::{Calls, Guest, Kept};
use crate::pages::{self, Pages};
use crate::wire::{FromPython, Start, ToPython};
pub use door::load_part_now;
use spoor_messages::Asset;

/// Milliseconds after a turn until its memory is copied, if no other turn has begun.
const IDLE: f64 = 20.0;
/// Starts the thread's driver. `post(head, extras, transfer)` sends a message to the kernel's thread.
/// Returns the function to call with the `head` and `extras` of each of its messages.
pub fn start(post: Function) -> Function {
    let desk = Rc::new(Desk {
        post,
        guest: OnceCell::new(),
        parts: OnceCell::new(),
        answers: OnceCell::new(),
        waiting: RefCell::default(),
        asleep: RefCell::default(),
        ahead: Cell::new(0),
        rested: Cell::new(0.0),
        running: Cell::new(false),
        suspends: can_suspend(),
        receipt: door::receipt(),
    });
    let deliver = move |head: String, extras: Array| desk.receive(&head, &extras);
    Closure::<dyn FnMut(String, Array)>::new(deliver)
        .into_js_value()
        .unchecked_into()
}

struct Desk {
    post: Function,
    guest: OnceCell<Rc<Guest>>,
    /// All the parts of the guest's code.
    parts: OnceCell<Vec<Asset>>,
    /// Where answers come for a guest that cannot be suspended.
    answers: OnceCell<Answers>,
    /// Who waits for an answer.
    waiting: RefCell<Option<oneshot::Sender<Uint8Array>>>,
    /// Who sleeps.
    asleep: RefCell<Option<oneshot::Sender<()>>>,
    /// Bytes that were told and written since the guest last waited for the kernel's thread.
    ahead: Cell<u32>,
    /// When it did, by [`Date::now`].
    rested: Cell<f64>,
    running: Cell<bool>,
    suspends: bool,
    /// What the guest gets at once for what it tells.
    receipt: Uint8Array,
}

impl Desk {
    fn receive(self: &Rc<Self>, head: &str, extras: &Array) {
        let Ok(message) = serde_json::from_str(head) else {
            return self.say(&FromPython::Unavailable {
                message: "a message between the threads does not read".into(),
            });
        };
        match message {
            ToPython::Start(start) => match self.make(*start, extras) {
                Ok(()) => self.say(&FromPython::Ready),
                Err(thrown) => self.say(&FromPython::Unavailable {
                    message: text_of(&thrown),
                }),
            },
            ToPython::Turn { source } => {
                let desk = self.clone();
                spawn_local(async move { desk.turn(&source).await });
            }
            ToPython::Answer => {
                if let (Some(waiting), Ok(answer)) =
                    (self.waiting.take(), extras.get(0).dyn_into::<Uint8Array>())
                {
                    // Nobody waits any more when the guest has trapped.
                    let _ = waiting.send(answer);
                }
            }
            ToPython::Interrupt { poke } => self.interrupt(poke),
            ToPython::AddFile { path, file } => {
                if let (Some(guest), Ok(file)) =
                    (self.guest.get(), js_sys::JSON::parse(&file.to_string()))
                {
                    guest.add_file(&path, &file);
                }
            }
            ToPython::RemoveFile { path, name } => {
                if let Some(guest) = self.guest.get() {
                    guest.remove_file(&path, &name);
                }
            }
        }
    }

    fn say(&self, message: &FromPython) {
        // What has nothing beside it can always be sent.
        let _ = self.say_with(message, &[], &[]);
    }

    fn say_with(
        &self,
        message: &FromPython,
        extras: &[JsValue],
        transfer: &[JsValue],
    ) -> Result<(), JsValue> {
        let head = serde_json::to_string(message).map_err(|error| error.to_string())?;
        let (extras, transfer) = (
            array(extras.iter().cloned()),
            array(transfer.iter().cloned()),
        );
        self.post
            .call3(&JsValue::UNDEFINED, &head.into(), &extras, &transfer)
            .map(|_| ())
    }

    /// Sends bytes that nothing else here needs.
    fn hand_over(&self, message: &FromPython, bytes: &Uint8Array) {
        // Fails only for bytes whose buffer is not their own, which these are.
        let _ = self.say_with(message, &[bytes.into()], &[bytes.buffer().into()]);
    }

    fn make(self: &Rc<Self>, start: Start, extras: &Array) -> Result<(), JsValue> {
        let modules = extras.get(0).dyn_into::<Array>()?;
        if let Ok(memory) = extras.get(3).dyn_into::<SharedArrayBuffer>() {
            let _ = self.answers.set(Answers::of(memory));
        } else if !self.suspends {
            return Err("this browser cannot make Python wait for its answers".into());
        }
        let image = extras.get(1).dyn_into::<Uint8Array>().ok();
        let image = match (image, start.image) {
            (Some(bytes), Some(shape)) => Some(Pages::new(bytes, shape)?),
            _ => None,
        };
        let state = extras.get(2).dyn_into::<Uint8Array>().ok();
        let (kept, image) = match (start.state.zip(state), image) {
            (Some(((length, pages), bytes)), image) => {
                (restored(length, &pages, &bytes, image.as_ref()), image)
            }
            (None, Some(image)) => (Kept::Image(image), None),
            (None, None) => (Kept::Nothing, None),
        };
        let _ = self.parts.set(start.parts);
        let mounts = js_sys::JSON::parse(&start.mounts.to_string())?;
        let env = array(start.environment.iter().map(JsValue::from));
        let guest = Rc::new(Guest::new(
            modules.iter().map(JsCast::unchecked_into).collect(),
            kept,
            self.wasi(&env, &mounts),
            Calls {
                door: Closure::new(self.door()),
                load: Closure::new(self.loader()),
            },
            start.interrupt,
        ));
        let _ = self.guest.set(guest.clone());
        self.warm(&guest)?;
        match image {
            Some(image) => self.give_back(&guest, image),
            None => Ok(()),
        }
    }

    /// The image of a guest that began with a later state is not needed here: the kernel's thread has
    /// it again at once.
    fn give_back(&self, guest: &Guest, image: Pages) -> Result<(), JsValue> {
        let (image, nothing) = (image.into_bytes(), Uint8Array::new_with_length(0));
        let message = FromPython::Checkpoint {
            length: guest.bytes(),
            pages: Vec::new(),
        };
        let extras = [nothing.into(), JsValue::from(&image)];
        self.say_with(&message, &extras, &[image.buffer().into()])
    }

    fn wasi(self: &Rc<Self>, env: &JsValue, mounts: &JsValue) -> Wasi {
        // The guest is there for as long as the thread, and so are what it calls.
        let desk = self.clone();
        let write = Closure::<dyn FnMut(u8, Uint8Array)>::new(move |fd, bytes: Uint8Array| {
            desk.count(bytes.length());
            desk.hand_over(&FromPython::Write { fd }, &bytes);
        });
        let desk = self.clone();
        let sleep = Closure::<dyn FnMut(f64) -> JsValue>::new(move |ms| desk.sleep(ms));
        let desk = self.clone();
        let rest = Closure::<dyn FnMut() -> JsValue>::new(move || desk.rest_if_ahead());
        let (write, sleep, rest) = (
            write.into_js_value(),
            sleep.into_js_value(),
            rest.into_js_value(),
        );
        make_wasi(env, mounts, &write, &sleep, &rest)
    }

    /// Sees to it that there is an instance. Where threads share memory the kernel's has it, for
    /// interrupts.
    fn warm(&self, guest: &Guest) -> Result<(), JsValue> {
        if guest.warm()?
            && isolated()
            && let Some(memory) = guest.memory()
        {
            // A memory that the code does not declare shared cannot be sent; interrupts come as
            // messages then.
            let _ = self.say_with(&FromPython::Memory, &[memory.into()], &[]);
        }
        Ok(())
    }

    async fn turn(self: &Rc<Self>, source: &str) {
        let Some(guest) = self.guest.get() else {
            return;
        };
        self.checkpoint(guest);
        self.rested.set(Date::now());
        if let Some(answers) = self.answers.get() {
            let _ = answers.begin();
        }
        self.running.set(true);
        let trap = match self.warm(guest) {
            Ok(()) => guest.turn(source).await.err(),
            Err(thrown) => Some(text_of(&thrown)),
        };
        self.running.set(false);
        self.ahead.set(0);
        self.waiting.take();
        self.say(&FromPython::Ended {
            trap,
            memory: f64::from(guest.bytes()),
        });
        if JsFuture::from(timeout(IDLE)).await.is_ok() && !self.running.get() {
            self.checkpoint(guest);
            // Should this fail, the next turn says why.
            let _ = self.warm(guest);
        }
    }

    /// Hands over what the last turn changed, if that was not done yet.
    fn checkpoint(&self, guest: &Guest) {
        let Some(checkpoint) = guest.checkpoint() else {
            return;
        };
        let message = FromPython::Checkpoint {
            length: checkpoint.length,
            pages: checkpoint.pages,
        };
        let mut transfer = vec![checkpoint.bytes.buffer().into()];
        transfer.extend(checkpoint.image.iter().map(|image| image.buffer().into()));
        let image = checkpoint.image.map_or(JsValue::NULL, JsValue::from);
        // Fails only for want of memory; the state before is kept then.
        let _ = self.say_with(&message, &[checkpoint.bytes.into(), image], &transfer);
    }

    fn interrupt(&self, poke: bool) {
        if !self.running.get() {
            return;
        }
        if let Some(guest) = self.guest.get().filter(|_| poke) {
            guest.interrupt();
        }
        if let Some(asleep) = self.asleep.take() {
            let _ = asleep.send(());
        }
        self.say(&FromPython::Interrupted);
    }
}

/// The memory of a guest that goes on from a later state than its image's.
fn restored(length: u32, pages: &[u32], bytes: &Uint8Array, image: Option<&Pages>) -> Kept {
    let length = length.max(image.map_or(0, Pages::memory));
    let memory = Uint8Array::new_with_length(length);
    if let Some(image) = image {
        image.place(&memory);
    }
    pages::place(&memory, pages, bytes);
    Kept::Copy(memory)
}
