//! Python: the guest's loading, its turns, and its door.

use std::collections::VecDeque;
use std::rc::Rc;

use futures::future::{Either, join3, select, try_join_all};
use js_sys::{Date, Promise, Uint8Array, WebAssembly};
use serde_json::{Value, json};
use spoor_protocol::{Event, Frame, Outcome};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::{Opened, Session, Todo};
use crate::bindings::{array, fetch_now, make_wasi, sha256, timeout};
use crate::error::{Error, text_of};
use crate::guest::{Calls, Guest};
use crate::load::{self, Progress};
use crate::pages::Pages;
use spoor_messages::{Asset, Image, ImageName, Source};

/// Milliseconds for which the guest may run from call to call of its door before messages are
/// let in.
const BREATH: f64 = 50.0;

impl Session {
    /// Runs a turn of the guest, which is loaded first if it is not here yet.
    pub(super) async fn python(self: &Rc<Self>, source: &str) -> Outcome {
        if let Err(thrown) = JsFuture::from(self.load_guest(ImageName::default())).await {
            *self.loading_guest.borrow_mut() = None;
            return Outcome::Unavailable {
                message: text_of(&thrown),
            };
        }
        let guest = self.guest.borrow().clone();
        match guest {
            Some(guest) => guest.turn(source).await,
            None => Outcome::Unavailable {
                message: "Python is not loaded".into(),
            },
        }
    }

    /// Begins to load the guest; whoever needs it waits for [`Session::load_guest`].
    pub(super) fn prepare_guest(self: &Rc<Self>, image: ImageName) {
        let _ = self.load_guest(image);
    }

    /// The promise of the guest; begins to load it, with this image, if that was not asked for yet.
    fn load_guest(self: &Rc<Self>, image: ImageName) -> Promise {
        if let Some(loading) = &*self.loading_guest.borrow() {
            return loading.clone();
        }
        let session = self.clone();
        let loading = future_to_promise(async move {
            match session.make_guest(image).await {
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

    async fn make_guest(self: &Rc<Self>, image: ImageName) -> Result<(), Error> {
        let Opened {
            site,
            sources,
            verify,
            ..
        } = self.opened()?;
        let python = &site.python;
        let needed = python.parts.get(..image.parts()).unwrap_or(&python.parts);
        let image = python.images.get(&image);
        let image_bytes = image.map_or(0.0, |image| image.asset.bytes);
        let total = needed.iter().map(|part| part.bytes).sum::<f64>() + image_bytes;
        let progress = Progress::new("python", total, self.sender());
        let files = Progress::new("python files", python.mounts.bytes, self.sender());
        let modules = needed
            .iter()
            .map(|part| load::module(part, &progress, *verify));
        let (modules, pages, mounts) = join3(
            try_join_all(modules),
            pages(image, &progress, *verify),
            load::bytes(&python.mounts.url, None, &files),
        )
        .await;
        let ((modules, hashes), (pages, image_hash)) =
            (modules?.into_iter().unzip::<_, _, Vec<_>, Vec<_>>(), pages?);
        let env = array(python.environment.iter().map(JsValue::from));
        // The guest is there for as long as the worker, and so are what it calls.
        let write = Closure::<dyn FnMut(u8, Uint8Array)>::new(self.writer()).into_js_value();
        let sleep = Closure::<dyn FnMut(f64) -> Promise>::new(self.sleeper()).into_js_value();
        let wasi = make_wasi(&env, &mounts_of(&mounts?, sources)?, &write, &sleep);
        let calls = Calls {
            door: Closure::new(self.door()),
            load: Closure::new(self.loader()),
        };
        let guest = Guest::new(modules, pages, wasi, calls, python.interrupt.clone());
        guest.warm()?;
        *self.guest.borrow_mut() = Some(Rc::new(guest));
        progress.finish(hashes.into_iter().chain([image_hash]).flatten().collect());
        Ok(())
    }

    /// `spoor.load(part)`: the guest called a function of a part that is not there.
    fn loader(self: &Rc<Self>) -> impl FnMut(u32) -> Result<JsValue, JsValue> + use<> {
        let session = self.clone();
        move |part| {
            let guest = session.guest.borrow().clone().ok_or("there is no guest")?;
            let part = part as usize;
            if guest.has(part) {
                return guest.fill(part).map(|()| JsValue::UNDEFINED);
            }
            let session = session.clone();
            if session.suspends {
                let filled = async move { session.load_part(&guest, part).await };
                return Ok(future_to_promise(filled).into());
            }
            session
                .load_part_now(&guest, part)
                .map(|()| JsValue::UNDEFINED)
        }
    }

    async fn load_part(self: &Rc<Self>, guest: &Guest, part: usize) -> Result<JsValue, JsValue> {
        let asset = self.part(part)?;
        let progress = Progress::new("python packages", asset.bytes, self.sender());
        let loaded = load::module(asset, &progress, false).await;
        let (module, _) = loaded.map_err(|error| error.to_string())?;
        progress.finish(Vec::new());
        guest.put(part, module);
        guest.fill(part)?;
        Ok(JsValue::UNDEFINED)
    }

    fn load_part_now(&self, guest: &Guest, part: usize) -> Result<(), JsValue> {
        let fetched = fetch_now(&self.part(part)?.url)?;
        let bytes = js_sys::Reflect::get(&fetched, &"data".into())?;
        guest.put(part, WebAssembly::Module::new(&bytes)?);
        guest.fill(part)
    }

    fn part(&self, part: usize) -> Result<&Asset, JsValue> {
        let opened = self.opened().map_err(|error| error.to_string())?;
        let asset = opened.site.python.parts.get(part);
        asset.ok_or_else(|| format!("the site has no part {part} of Python").into())
    }

    fn door(self: &Rc<Self>) -> impl FnMut(u32, u32, u32, u32) -> JsValue + use<> {
        let session = self.clone();
        move |ptr, len, out_ptr, out_len| match session.upcall(ptr, len) {
            Some(Answer::Now(reply)) => session.answer(&reply, out_ptr, out_len),
            Some(Answer::Later(first)) => session.answer_later(first, out_ptr, out_len).into(),
            None => Guest::fault().into(),
        }
    }

    fn writer(self: &Rc<Self>) -> impl FnMut(u8, Uint8Array) + use<> {
        let session = self.clone();
        move |fd, bytes| session.output(fd, &bytes)
    }

    /// `sleep(ms)` for the guest's WASI: a promise, which an interrupt settles early.
    fn sleeper(self: &Rc<Self>) -> impl FnMut(f64) -> Promise + use<> {
        let session = self.clone();
        move |ms| {
            let session = session.clone();
            future_to_promise(async move {
                let slept = JsFuture::from(timeout(ms));
                let event = Box::pin(session.inbox.next_urgent());
                if let Either::Right((event, _)) = select(slept, event).await {
                    session.heed(&event);
                }
                Ok(JsValue::UNDEFINED)
            })
        }
    }

    fn output(&self, fd: u8, bytes: &Uint8Array) {
        let frame = Frame::with(Event::PythonOutput { fd }, vec![bytes.to_vec()]);
        if let Err(error) = self.step(&frame) {
            self.fail("kernel", &error.to_string());
        }
    }

    /// Gives the kernel what the guest asks; `None` where that cannot be.
    fn upcall(&self, ptr: u32, len: u32) -> Option<Answer> {
        let request = self.guest.borrow().as_ref()?.request(ptr, len)?;
        let todo = self.step(&Frame::with(Event::Upcall, vec![request])).ok()?;
        let rested = !self.suspends || Date::now() - self.breathed.get() < BREATH;
        match todo {
            Todo {
                reply: Some(reply), ..
            } if rested => Some(Answer::Now(reply)),
            todo if self.suspends => Some(Answer::Later(todo)),
            todo => self.finish_now(todo).ok().map(Answer::Now),
        }
    }

    fn answer(&self, reply: &[u8], out_ptr: u32, out_len: u32) -> JsValue {
        let guest = self.guest.borrow().clone();
        guest
            .map_or(Guest::fault(), |guest| {
                guest.answer(reply, out_ptr, out_len)
            })
            .into()
    }

    /// Answers when the kernel has the answer; the guest is suspended until then.
    fn answer_later(self: &Rc<Self>, first: Todo, out_ptr: u32, out_len: u32) -> Promise {
        let session = self.clone();
        future_to_promise(async move {
            let reply = session.finish(first).await;
            let answered = reply.map(|reply| session.answer(&reply, out_ptr, out_len));
            Ok(answered.unwrap_or_else(|_| Guest::fault().into()))
        })
    }

    /// An interrupt that came while the guest's own code was at work is the guest's.
    fn heed(&self, event: &Event) {
        if let (Event::Interrupt, Some(guest)) = (event, &*self.guest.borrow()) {
            guest.interrupt();
        }
    }

    /// Steps on until the upcall is answered, while the guest is suspended.
    async fn finish(self: &Rc<Self>, first: Todo) -> Result<Vec<u8>, Error> {
        let mut queue = VecDeque::new();
        let mut todo = first;
        loop {
            if let Some(reply) = todo.reply {
                self.breathe().await?;
                if let Some(event) = self.inbox.take_urgent() {
                    self.heed(&event);
                }
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
                queue.push_back(Frame::new(self.inbox.next_urgent().await));
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
            let frame = queue
                .pop_front()
                .unwrap_or_else(|| Frame::new(Event::InputReply { value: None }));
            todo = self.step(&frame)?;
        }
    }
}

/// What the door has for the guest.
enum Answer {
    /// The reply.
    Now(Vec<u8>),
    /// What the kernel wants done before there is one, or before the guest goes on.
    Later(Todo),
}

async fn pages(
    image: Option<&Image>,
    progress: &Rc<Progress>,
    hash: bool,
) -> Result<(Option<Pages>, Option<String>), Error> {
    let Some(image) = image else {
        return Ok((None, None));
    };
    let asset = &image.asset;
    let bytes = load::bytes(&asset.url, asset.sha256.as_deref(), progress).await?;
    let failed = |thrown| Error::load("python", &thrown);
    let digest = match hash {
        true => Some(sha256(&bytes).await.map_err(failed)?),
        false => None,
    };
    let pages = Pages::new(bytes, image.memory, image.runs.clone()).map_err(failed)?;
    Ok((Some(pages), digest))
}

/// The guest's folders, read from their JSON, and beside them `/data` with the sources' files.
fn mounts_of(json: &Uint8Array, sources: &[Source]) -> Result<JsValue, Error> {
    let unreadable = |error: serde_json::Error| Error::Load {
        what: "python".into(),
        why: error.to_string(),
    };
    let mut mounts: Vec<Value> = serde_json::from_slice(&json.to_vec()).map_err(unreadable)?;
    let files: Vec<Value> = sources
        .iter()
        .map(|s| json!([s.file, s.bytes, s.url]))
        .collect();
    mounts.push(json!({ "path": "/data", "files": files }));
    js_sys::JSON::parse(&Value::from(mounts).to_string())
        .map_err(|thrown| Error::load("python", &thrown))
}
