//! Answers for a guest that waits by blocking its thread, where it cannot be suspended: memory that
//! both threads share. A blocked thread takes no messages, so an answer is handed over here, in parts.

use std::cell::{Cell, RefCell};

use js_sys::{Atomics, Int32Array, SharedArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;

/// Bytes of an answer that are handed over at once.
const ROOM: u32 = 1 << 20;
/// Bytes before them.
const HEAD: u32 = 64;

/// Words of the head: how many parts were handed over, ever; how long the answer is; how long its
/// part is; how often a sleeping guest was to wake.
const PARTS: u32 = 0;
const TOTAL: u32 = 1;
const PART: u32 = 2;
const WAKES: u32 = 3;

/// The memory, as either of the threads sees it.
pub struct Answers {
    memory: SharedArrayBuffer,
    words: Int32Array,
    bytes: Uint8Array,
    /// For the kernel's thread: what is left of the answer.
    rest: RefCell<Option<Uint8Array>>,
    /// For Python's: how many parts, and how many wakes, it has taken in.
    seen: Cell<i32>,
    woken: Cell<i32>,
}

impl Answers {
    /// New memory. Pages that are not cross-origin isolated have none.
    pub fn new() -> Self {
        Self::of(SharedArrayBuffer::new(HEAD + ROOM))
    }

    /// What the other thread made.
    pub fn of(memory: SharedArrayBuffer) -> Self {
        Self {
            words: Int32Array::new_with_byte_offset_and_length(&memory, 0, HEAD / 4),
            bytes: Uint8Array::new_with_byte_offset_and_length(&memory, HEAD, ROOM),
            memory,
            rest: RefCell::default(),
            seen: Cell::new(0),
            woken: Cell::new(0),
        }
    }

    /// The memory itself, for the other thread.
    pub fn memory(&self) -> &SharedArrayBuffer {
        &self.memory
    }

    /// Hands over an answer's first part.
    pub fn give(&self, answer: &Uint8Array) -> Result<(), JsValue> {
        Atomics::store(&self.words, TOTAL, answer.length().cast_signed())?;
        *self.rest.borrow_mut() = Some(answer.clone());
        self.more()
    }

    /// Hands over the next part.
    pub fn more(&self) -> Result<(), JsValue> {
        let Some(rest) = self.rest.take() else {
            return Ok(());
        };
        let length = rest.length().min(ROOM);
        self.bytes.set(&rest.subarray(0, length), 0);
        if length < rest.length() {
            *self.rest.borrow_mut() = Some(rest.subarray(length, rest.length()));
        }
        Atomics::store(&self.words, PART, length.cast_signed())?;
        self.ring(PARTS)
    }

    /// Wakes a guest that sleeps, or keeps the next sleep from beginning.
    pub fn wake(&self) -> Result<(), JsValue> {
        self.ring(WAKES)
    }

    /// Blocks until an answer is there; `more` asks for a further part.
    pub fn wait(&self, more: impl Fn()) -> Result<Uint8Array, JsValue> {
        let mut answer: Option<Uint8Array> = None;
        let mut filled = 0;
        loop {
            self.wait_for_part()?;
            let answer = match &answer {
                Some(answer) => answer,
                None => answer.insert(Uint8Array::new_with_length(self.word(TOTAL)?)),
            };
            let part = self.word(PART)?.min(ROOM);
            answer.set(&self.bytes.subarray(0, part), filled);
            filled += part;
            if filled >= answer.length() {
                return Ok(answer.clone());
            }
            more();
        }
    }

    /// Blocks for `ms` milliseconds, or until it is woken.
    pub fn sleep(&self, ms: f64) -> Result<(), JsValue> {
        let woken = self.woken.get();
        Atomics::wait_with_timeout(&self.words, WAKES, woken, ms)?;
        self.woken.set(Atomics::load(&self.words, WAKES)?);
        Ok(())
    }

    /// Forgets the wakes of earlier turns.
    pub fn begin(&self) -> Result<(), JsValue> {
        self.woken.set(Atomics::load(&self.words, WAKES)?);
        Ok(())
    }

    fn wait_for_part(&self) -> Result<(), JsValue> {
        let seen = self.seen.get();
        while Atomics::load(&self.words, PARTS)? == seen {
            Atomics::wait(&self.words, PARTS, seen)?;
        }
        self.seen.set(seen.wrapping_add(1));
        Ok(())
    }

    fn word(&self, index: u32) -> Result<u32, JsValue> {
        Ok(Atomics::load(&self.words, index)?.cast_unsigned())
    }

    fn ring(&self, word: u32) -> Result<(), JsValue> {
        Atomics::add(&self.words, word, 1)?;
        Atomics::notify(&self.words, word).map(|_| ())
    }
}
