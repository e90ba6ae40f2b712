//! Python's thread, as the kernel's sees it: what is said to it, and what it says.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use js_sys::{Array, Uint8Array, WebAssembly};
use wasm_bindgen::prelude::*;

use crate::answers::Answers;
use crate::bindings::{Thread, array, can_suspend, isolated, thread};
use crate::guest::{is_poked, poke, unpoke};
use crate::wire::{FromPython, ToPython};
use spoor_messages::Poke;

/// How many messages of the thread may wait to be taken in. It holds itself to a few thousand.
const MAX_WAITING: usize = 1 << 15;

/// What the thread says: a message and what is beside it, or why it is no more.
pub type Said = Result<(FromPython, Array), String>;

/// The thread.
pub struct PythonThread {
    thread: Thread,
    said: RefCell<VecDeque<Said>>,
    waker: Cell<Option<Waker>>,
    answers: Option<Answers>,
    /// The guest's memory, where the threads share it.
    memory: RefCell<Option<WebAssembly::Memory>>,
    pokes: Vec<Poke>,
    /// Interrupts that the thread was told of and has not answered.
    untold: Cell<u32>,
}

impl PythonThread {
    /// Starts the thread, or takes the one that was started early. `aside` is given each message
    /// first, and gives back those that belong to a turn or to the thread's start.
    pub fn start(
        pokes: Vec<Poke>,
        aside: impl Fn(FromPython, Array) -> Option<(FromPython, Array)> + 'static,
    ) -> Rc<Self> {
        let own = Rc::new(Self {
            thread: thread(),
            said: RefCell::default(),
            waker: Cell::default(),
            answers: (isolated() && !can_suspend()).then(Answers::new),
            memory: RefCell::default(),
            pokes,
            untold: Cell::new(0),
        });
        // The closures live as long as the page: a thread is ended seldom.
        let hearer = Rc::downgrade(&own);
        let heard = Closure::<dyn FnMut(String, Array)>::new(move |head: String, extras| {
            if let Some(thread) = hearer.upgrade() {
                thread.hear(&head, extras, &aside);
            }
        });
        let hearer = Rc::downgrade(&own);
        let failed = Closure::<dyn FnMut(String)>::new(move |why| {
            if let Some(thread) = hearer.upgrade() {
                thread.push(Err(why));
            }
        });
        own.thread
            .attach(&heard.into_js_value(), &failed.into_js_value());
        own
    }

    fn hear(
        &self,
        head: &str,
        extras: Array,
        aside: impl Fn(FromPython, Array) -> Option<(FromPython, Array)>,
    ) {
        match serde_json::from_str(head) {
            Ok(FromPython::Memory) => *self.memory.borrow_mut() = extras.get(0).dyn_into().ok(),
            Ok(message) => {
                if matches!(message, FromPython::Ended { trap: Some(_), .. }) {
                    // It was the memory of an instance that is no more; the next one's comes.
                    *self.memory.borrow_mut() = None;
                }
                if let Some(said) = aside(message, extras) {
                    self.push(Ok(said));
                }
            }
            Err(error) => self.push(Err(format!(
                "a message of its thread does not read: {error}"
            ))),
        }
    }

    fn push(&self, said: Said) {
        let mut waiting = self.said.borrow_mut();
        if waiting.len() >= MAX_WAITING {
            waiting.clear();
            waiting.push_back(Err("its thread says more than can be taken in".into()));
            self.thread.end();
        } else {
            waiting.push_back(said);
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The next thing that the thread has said already.
    pub fn take(&self) -> Option<Said> {
        self.said.borrow_mut().pop_front()
    }

    /// The next thing that the thread says.
    pub async fn next(&self) -> Said {
        poll_fn(|context| match self.take() {
            Some(said) => Poll::Ready(said),
            None => {
                self.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }

    /// Sends a message, and beside it what is not JSON. The buffers in `transfer` change hands.
    pub fn say(
        &self,
        message: &ToPython,
        extras: &[JsValue],
        transfer: &[JsValue],
    ) -> Result<(), JsValue> {
        let head = serde_json::to_string(message).map_err(|error| error.to_string())?;
        let (extras, transfer) = (
            array(extras.iter().cloned()),
            array(transfer.iter().cloned()),
        );
        self.thread.post(&head, &extras, &transfer)
    }

    /// The memory through which the guest gets its answers, if it waits by blocking; else null.
    pub fn answers(&self) -> JsValue {
        let answers = self.answers.as_ref();
        answers.map_or(JsValue::NULL, |answers| answers.memory().into())
    }

    /// Begins a turn. Interrupts that came too late for the last one are forgotten.
    pub fn turn(&self, source: &str) -> Result<(), JsValue> {
        self.forget_interrupts();
        let source = source.into();
        self.say(&ToPython::Turn { source }, &[], &[])
    }

    /// Answers the guest's call.
    pub fn answer(&self, answer: &[u8]) -> Result<(), JsValue> {
        let bytes = Uint8Array::from(answer);
        match &self.answers {
            Some(answers) => answers.give(&bytes),
            None => self.say(
                &ToPython::Answer,
                &[JsValue::from(&bytes)],
                &[bytes.buffer().into()],
            ),
        }
    }

    /// Hands over the next part of the answer.
    pub fn more(&self) -> Result<(), JsValue> {
        self.answers.as_ref().map_or(Ok(()), Answers::more)
    }

    /// Takes in that an interrupt has reached the guest.
    pub fn interrupted(&self) {
        self.untold.set(self.untold.get().saturating_sub(1));
    }

    /// Whether the guest's code has been interrupted and has not gone on since, as when it asks for something meanwhile.
    pub fn is_interrupted(&self) -> bool {
        match &*self.memory.borrow() {
            Some(memory) => is_poked(memory, &self.pokes),
            None => self.untold.get() > 0,
        }
    }

    /// What was interrupted so far has been.
    pub fn forget_interrupts(&self) {
        self.untold.set(0);
        if let Some(memory) = &*self.memory.borrow() {
            unpoke(memory, &self.pokes);
        }
    }

    /// Makes the guest's code raise `KeyboardInterrupt`: at once where the threads share its memory,
    /// else when it next waits.
    pub fn interrupt(&self) -> Result<(), JsValue> {
        let memory = self.memory.borrow().clone();
        if let Some(memory) = &memory {
            poke(memory, &self.pokes);
        }
        match &self.answers {
            Some(answers) => answers.wake(),
            None => {
                self.untold.set(self.untold.get() + 1);
                let poke = memory.is_none();
                self.say(&ToPython::Interrupt { poke }, &[], &[])
            }
        }
    }

    /// Whether interrupts reach code that never waits.
    pub fn can_interrupt(&self) -> bool {
        self.memory.borrow().is_some()
    }

    /// Ends the thread, whatever it does.
    pub fn end(&self) {
        self.thread.end();
    }
}
