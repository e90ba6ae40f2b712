//! The guest in the kernel's own thread, for browsers in which it cannot wait in one of its own:
//! those without JSPI, in pages that are not cross-origin isolated. While it runs, nothing else does;
//! what it asks is answered from inside the call, and what would have to be waited for is refused.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use js_sys::Uint8Array;
use serde_json::Value;
use spoor_protocol::{Event, Frame, Outcome};
use wasm_bindgen::prelude::*;

use super::guest::Materials;
use super::plugins::refused_here;
use super::python::{MAX_REQUEST, too_large, writings};
use super::{Session, Todo, fetch};
use crate::bindings::{array, make_wasi};
use crate::error::{Error, text_of};
use crate::guest::{Calls, Guest, Kept};
use crate::pages::Pages;
use crate::python::load_part_now;
use spoor_messages::Asset;

/// The guest.
pub struct Here {
    guest: OnceCell<Guest>,
    parts: Vec<Asset>,
}

impl Here {
    /// Makes the guest of `session`.
    pub(super) fn new(session: &Rc<Session>, materials: Materials) -> Result<Rc<Self>, Error> {
        let failed = |thrown| Error::load("python", &thrown);
        let Materials {
            modules,
            image,
            start,
        } = materials;
        let kept = match (image, start.image) {
            (Some(bytes), Some(shape)) => Kept::Image(Pages::new(bytes, shape).map_err(failed)?),
            _ => Kept::Nothing,
        };
        let here = Rc::new(Self {
            guest: OnceCell::new(),
            parts: start.parts,
        });
        let owner = session.clone();
        let write = Closure::<dyn FnMut(u8, Uint8Array)>::new(move |fd, bytes: Uint8Array| {
            // A kernel that broke is not asked again; the turn's end says so.
            let _ = writings(fd, &bytes).try_for_each(|event| owner.step_now(&event).map(|_| ()));
        })
        .into_js_value();
        let mounts = js_sys::JSON::parse(&start.mounts.to_string()).map_err(failed)?;
        let env = array(start.environment.iter().map(JsValue::from));
        let nothing = JsValue::UNDEFINED;
        let wasi = make_wasi(&env, &mounts, &write, &nothing, &nothing);
        let calls = Calls {
            door: Closure::new(door(session.clone(), Rc::downgrade(&here))),
            load: Closure::new(loader(Rc::downgrade(&here))),
        };
        let guest = Guest::new(modules, kept, wasi, calls, start.interrupt);
        guest.warm().map_err(failed)?;
        let _ = here.guest.set(guest);
        Ok(here)
    }

    /// Shows the guest a new file.
    pub(super) fn add_file(&self, path: &str, file: &Value) {
        if let (Some(guest), Ok(file)) = (self.guest.get(), js_sys::JSON::parse(&file.to_string()))
        {
            guest.add_file(path, &file);
        }
    }

    /// Takes a file away from the guest.
    pub(super) fn remove_file(&self, path: &str, name: &str) {
        if let Some(guest) = self.guest.get() {
            guest.remove_file(path, name);
        }
    }
}

impl Session {
    /// Runs a turn of the guest that is here.
    pub(super) async fn turn_here(&self, here: &Here, source: &str) -> Result<Outcome, Error> {
        let Some(guest) = here.guest.get() else {
            return Ok(Outcome::Unavailable {
                message: "Python is not loaded".into(),
            });
        };
        self.checkpoint(guest);
        if let Err(thrown) = guest.warm() {
            return Ok(Outcome::Unavailable {
                message: text_of(&thrown),
            });
        }
        let ended = guest.turn(source).await;
        self.python.bytes.set(f64::from(guest.bytes()));
        // If the kernel broke meanwhile, that is how the request ends.
        self.running_kernel()?;
        Ok(match ended {
            Ok(()) => Outcome::Returned,
            Err(message) => Outcome::Trapped { message },
        })
    }

    /// Copies what the last turn changed, when there is time.
    pub(super) fn checkpoint_here(&self, here: &Here) {
        if let Some(guest) = here.guest.get() {
            self.checkpoint(guest);
        }
    }

    /// The copy is with the guest, which nothing can end here.
    fn checkpoint(&self, guest: &Guest) {
        if let Some(image) = guest.checkpoint().and_then(|checkpoint| checkpoint.image) {
            self.keep_image(image);
        }
    }

    /// As [`Session::serve`], blocking. Nobody can be asked for input so.
    fn serve_now(self: &Rc<Self>, request: Vec<u8>) -> Result<Vec<u8>, Error> {
        let mut queue = VecDeque::from([Frame::with(Event::Upcall, vec![request])]);
        loop {
            let frame = queue
                .pop_front()
                .unwrap_or_else(|| Frame::new(Event::InputReply { value: None }));
            let Todo {
                reply,
                go_on,
                reads,
                fetch: wanted,
                calls,
                ..
            } = self.step_now(&frame)?;
            if let Some(reply) = reply {
                return Ok(reply);
            }
            for name in &reads {
                queue.extend(self.read_now(name));
            }
            queue.extend(wanted.iter().map(fetch::refused_here));
            queue.extend(calls.iter().map(refused_here));
            if go_on {
                queue.push_back(Frame::new(Event::Continue));
            }
        }
    }
}

fn door(session: Rc<Session>, here: Weak<Here>) -> impl FnMut(u32, u32, u32, u32) -> JsValue {
    move |ptr, len, out_ptr, out_len| {
        let answered = here.upgrade().and_then(|here| {
            let guest = here.guest.get()?;
            let reply = match len {
                0..=MAX_REQUEST => session.serve_now(guest.request(ptr, len)?.to_vec()),
                _ => too_large(len),
            };
            let reply = reply.ok()?;
            Some(guest.answer(&Uint8Array::from(reply.as_slice()), out_ptr, out_len))
        });
        answered.unwrap_or(Guest::fault()).into()
    }
}

fn loader(here: Weak<Here>) -> impl FnMut(u32) -> Result<JsValue, JsValue> {
    move |part| {
        let here = here.upgrade().ok_or("there is no guest")?;
        let guest = here.guest.get().ok_or("there is no guest")?;
        let part = part as usize;
        let filled = match (guest.has(part), here.parts.get(part)) {
            (true, _) => guest.fill(part),
            (false, Some(asset)) => load_part_now(asset, guest, part),
            (false, None) => Err(format!("the site has no part {part} of Python").into()),
        };
        filled.map(|()| JsValue::UNDEFINED)
    }
}
