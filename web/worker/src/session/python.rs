//! A turn of the Python guest, from the kernel's thread: what the guest asks and writes meanwhile,
//! interrupts, and its end.

use std::collections::VecDeque;
use std::rc::Rc;

use futures::future::{Either, select};
use js_sys::{Array, Date, Uint8Array};
use serde::Deserialize;
use serde_json::json;
use spoor_protocol::{Event, Frame, Outcome};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::guest::Place;
use super::thread::{PythonThread, Said};
use super::{Session, Todo};
use crate::bindings::timeout;
use crate::error::{Error, text_of};
use crate::inbox::Asked;
use crate::wire::FromPython;
use spoor_messages::FromWorker;

/// Milliseconds after an interrupt from which on the code does not seem to heed it.
const HEED: f64 = 1000.0;
/// Milliseconds between two looks at outputs that have not been sent.
const FLUSH: f64 = 100.0;
/// The most bytes that one request of the guest has, as on the host. The kernel keeps several copies
/// of one within its memory.
pub(super) const MAX_REQUEST: u32 = 512 << 20;
/// The most bytes that are given to the kernel at once of what the guest writes.
const WRITTEN: u32 = 1 << 20;

/// What happens during a turn.
enum Happening {
    Said(Said),
    Asked(Asked),
    Time,
}

/// How a message of the thread leaves the turn.
enum Next {
    GoOn,
    End(Outcome),
}

impl Session {
    /// Runs a turn of the guest, which is loaded first if it is not here yet.
    pub(super) async fn python(self: &Rc<Self>, source: &str) -> Result<Outcome, Error> {
        match self.unless_interrupted(self.guest()).await {
            Ok(Ok(Place::Thread(thread))) => self.turn(&thread, source).await,
            Ok(Ok(Place::Here(here))) => self.turn_here(&here, source).await,
            Ok(Err(outcome)) => Ok(outcome),
            // Whoever does not want to wait for the download need not: it goes on for the next cell.
            Err(_) => Ok(Outcome::Stopped),
        }
    }

    async fn turn(self: &Rc<Self>, thread: &PythonThread, source: &str) -> Result<Outcome, Error> {
        self.rolling_back.set(false);
        let mut to_heed = None;
        let mut sent = thread.turn(source);
        loop {
            if let Err(thrown) = sent {
                return Ok(self.lost(text_of(&thrown)));
            }
            sent = match self.happening(thread, to_heed).await {
                Happening::Said(Ok((message, extras))) => {
                    match self.said(thread, message, &extras).await? {
                        Next::GoOn => Ok(()),
                        Next::End(outcome) => return Ok(outcome),
                    }
                }
                Happening::Said(Err(why)) => return Ok(self.lost(why)),
                Happening::Asked(Asked::Event(Event::Interrupt)) => {
                    to_heed = Some(Date::now() + HEED);
                    thread.interrupt()
                }
                Happening::Asked(Asked::RollBack) => {
                    self.rolling_back.set(true);
                    Ok(())
                }
                // Typed input that nothing asked for.
                Happening::Asked(_) => Ok(()),
                Happening::Time => {
                    self.flush();
                    Ok(())
                }
            };
            if to_heed.is_some_and(|end| end <= Date::now()) {
                to_heed = None;
                self.say_stuck(thread);
            }
            if self.rolling_back.take() {
                self.until_kept().await;
                self.begin_again();
                return Ok(Outcome::Stopped);
            }
        }
    }

    /// Waits for what comes first. What is there already comes before the time.
    async fn happening(&self, thread: &PythonThread, to_heed: Option<f64>) -> Happening {
        if let Some(asked) = self.inbox.take_urgent() {
            return Happening::Asked(asked);
        }
        if let Some(said) = thread.take() {
            return Happening::Said(said);
        }
        let said = Box::pin(thread.next());
        let asked = Box::pin(self.inbox.next_urgent());
        let first = async {
            match select(said, asked).await {
                Either::Left((said, _)) => Happening::Said(said),
                Either::Right((asked, _)) => Happening::Asked(asked),
            }
        };
        let flush = self.outputs.borrow().has_unsent().then_some(FLUSH);
        let heed = to_heed.map(|end| (end - Date::now()).max(0.0));
        let Some(ms) = flush.into_iter().chain(heed).reduce(f64::min) else {
            return first.await;
        };
        match select(Box::pin(first), JsFuture::from(timeout(ms))).await {
            Either::Left((happening, _)) => happening,
            Either::Right(_) => Happening::Time,
        }
    }

    async fn said(
        self: &Rc<Self>,
        thread: &PythonThread,
        message: FromPython,
        extras: &Array,
    ) -> Result<Next, Error> {
        let sent = match message {
            FromPython::Call => {
                // Code that was interrupted on its way here waits for nothing more.
                let interrupted = thread.is_interrupted();
                let reply = self.serve_thread(extras, interrupted).await?;
                thread.answer(&reply)
            }
            FromPython::Interrupted => {
                thread.interrupted();
                Ok(())
            }
            FromPython::Tell => {
                let reply = self.serve_thread(extras, false).await?;
                self.say_left_out(&reply).await?;
                Ok(())
            }
            FromPython::Write { fd: fd @ (1 | 2) } => {
                if let Some(bytes) = bytes_of(extras) {
                    self.written(fd, &bytes).await?;
                }
                Ok(())
            }
            FromPython::Rest => thread.answer(&[]),
            FromPython::More => thread.more(),
            FromPython::Ended { trap, memory } => {
                self.python.bytes.set(memory);
                self.python.unkept.set(trap.is_none());
                return Ok(Next::End(match trap {
                    None => Outcome::Returned,
                    Some(message) => Outcome::Trapped { message },
                }));
            }
            _ => Err("its thread says what does not belong here".into()),
        };
        Ok(match sent {
            Ok(()) => Next::GoOn,
            Err(thrown) => Next::End(self.lost(text_of(&thrown))),
        })
    }

    /// Gives the kernel what the guest wrote, in parts of which it can hold several copies.
    async fn written(self: &Rc<Self>, fd: u8, bytes: &Uint8Array) -> Result<(), Error> {
        for event in writings(fd, bytes) {
            self.step(&event).await?;
        }
        Ok(())
    }

    /// The thread is no more: the guest begins again with the state before the turn.
    fn lost(self: &Rc<Self>, message: String) -> Outcome {
        self.begin_again();
        Outcome::Trapped { message }
    }

    fn say_stuck(&self, thread: &PythonThread) {
        if let Some(parent) = self.running.borrow().clone() {
            self.send(&FromWorker::Stuck {
                parent,
                can_interrupt: thread.can_interrupt(),
            });
        }
    }

    /// What the kernel answers to a request of the guest's.
    async fn serve_thread(
        self: &Rc<Self>,
        extras: &Array,
        interrupted: bool,
    ) -> Result<Vec<u8>, Error> {
        match bytes_of(extras) {
            Some(request) if request.length() <= MAX_REQUEST => {
                self.serve(request.to_vec(), interrupted).await
            }
            Some(request) => too_large(request.length()),
            None => too_large(0),
        }
    }

    /// Gives the kernel what the guest asks, and steps on until there is an answer. With `interrupted` what is not answered at
    /// once is interrupted.
    async fn serve(
        self: &Rc<Self>,
        request: Vec<u8>,
        mut interrupted: bool,
    ) -> Result<Vec<u8>, Error> {
        let mut queue = VecDeque::from([Frame::with(Event::Upcall, vec![request])]);
        loop {
            let frame = match queue.pop_front() {
                Some(frame) => frame,
                // The kernel waits for a person: typed input, or an interrupt instead.
                None => self.urgent_of(self.inbox.next_urgent().await),
            };
            let Todo {
                reply,
                go_on,
                reads,
                fetch,
                calls,
                ..
            } = self.step(&frame).await?;
            if let Some(reply) = reply {
                return Ok(reply);
            }
            if std::mem::take(&mut interrupted) {
                queue.push_back(Frame::new(Event::Interrupt));
                continue;
            }
            for name in &reads {
                queue.extend(self.read(name).await);
            }
            if let Some(fetch) = fetch {
                queue.extend(self.fetch(fetch).await);
            }
            queue.extend(self.call(calls).await);
            if go_on {
                self.breathe().await?;
                queue.extend(self.urgent());
                queue.push_back(Frame::new(Event::Continue));
            }
        }
    }

    /// Says on the cell that an output was refused: the guest does not wait to hear it.
    async fn say_left_out(self: &Rc<Self>, reply: &[u8]) -> Result<(), Error> {
        let Ok(Frame { header, .. }) = Frame::<Receipt>::decode(reply) else {
            return Ok(());
        };
        if header.ok {
            return Ok(());
        }
        let text = format!("spoor: an output was left out: {}\n", header.message);
        let written = Frame::with(Event::PythonOutput { fd: 2 }, vec![text.into_bytes()]);
        self.step(&written).await.map(|_| ())
    }
}

/// What the kernel answers to an output.
#[derive(Deserialize)]
struct Receipt {
    ok: bool,
    #[serde(default)]
    message: String,
}

/// What the guest wrote, as the kernel hears of it.
pub(super) fn writings(fd: u8, bytes: &Uint8Array) -> impl Iterator<Item = Frame<Event>> {
    let length = bytes.length();
    let starts = (0..length).step_by(WRITTEN as usize);
    starts.map(move |at| {
        let end = at.saturating_add(WRITTEN).min(length);
        let part = bytes.subarray(at, end).to_vec();
        Frame::with(Event::PythonOutput { fd }, vec![part])
    })
}

fn bytes_of(extras: &Array) -> Option<Uint8Array> {
    extras.get(0).dyn_into().ok()
}

/// The kernel's own way of refusing a request, for one that is not passed on.
pub(super) fn too_large(bytes: u32) -> Result<Vec<u8>, Error> {
    let message = format!(
        "this call hands over {} MiB at once, and the limit is {} MiB: hand over fewer rows or \
         columns, or do it in several calls",
        bytes >> 20,
        MAX_REQUEST >> 20
    );
    let header = json!({
        "ok": false,
        "ename": "ValueError",
        "evalue": message,
        "message": message,
        "traceback": [format!("ValueError: {message}")],
    });
    Ok(Frame::new(header).encode()?)
}
