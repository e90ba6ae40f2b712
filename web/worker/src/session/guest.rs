//! The Python guest as a whole: loading it, where it runs, its last good state, and beginning anew.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::future::{join3, try_join_all};
use js_sys::{Array, Date, Promise, Uint8Array, WebAssembly};
use serde_json::Value;
use spoor_protocol::Outcome;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::Session;
use super::files::with_data;
use super::here::Here;
use super::thread::PythonThread;
use crate::bindings::{array, sha256, threaded, timeout};
use crate::error::{Error, text_of};
use crate::load::{self, Progress};
use crate::pages::State;
use crate::wire::{FromPython, Start, ToPython};
use spoor_messages::{FromWorker, Image, ImageName};

/// How long, in milliseconds, is waited for a state that the thread has yet to hand over.
const KEEPING: f64 = 10_000.0;

/// What the session has of Python.
#[derive(Default)]
pub(super) struct Python {
    /// Where the guest runs, once it is loaded.
    pub place: RefCell<Option<Place>>,
    /// Settled when the guest is loaded or could not be.
    loading: RefCell<Option<Promise>>,
    /// How often a guest was begun: what belongs to an earlier one is out of date.
    life: Cell<u32>,
    image_name: Cell<Option<ImageName>>,
    /// What was downloaded, for the guests after the first.
    modules: RefCell<Option<Vec<WebAssembly::Module>>>,
    mounts: RefCell<Option<Value>>,
    /// The image's bytes, when they are not with the guest.
    image: RefCell<Option<Uint8Array>>,
    /// The state after the last finished turn.
    state: RefCell<State>,
    /// Whether the state after the last finished turn is still with the thread.
    pub unkept: Cell<bool>,
    /// How long the guest's memory is, in bytes.
    pub bytes: Cell<f64>,
}

/// Where the guest runs.
#[derive(Clone)]
pub(super) enum Place {
    /// In its own thread.
    Thread(Rc<PythonThread>),
    /// In this one.
    Here(Rc<Here>),
}

/// What a guest is made of.
pub(super) struct Materials {
    /// The code's first parts.
    pub modules: Vec<WebAssembly::Module>,
    /// The image's bytes.
    pub image: Option<Uint8Array>,
    /// All else.
    pub start: Start,
}

impl Session {
    /// Begins to load the guest; whoever needs it waits for [`Session::load_guest`].
    pub(super) fn prepare_guest(self: &Rc<Self>, image: ImageName) {
        let _ = self.load_guest(image);
    }

    /// The guest, which is loaded first if it is not here yet.
    pub(super) async fn guest(self: &Rc<Self>) -> Result<Place, Outcome> {
        let loaded = JsFuture::from(self.load_guest(ImageName::default())).await;
        if let Err(thrown) = loaded {
            *self.python.loading.borrow_mut() = None;
            return Err(Outcome::Unavailable {
                message: text_of(&thrown),
            });
        }
        let place = self.python.place.borrow().clone();
        place.ok_or_else(|| Outcome::Unavailable {
            message: "Python is not loaded".into(),
        })
    }

    /// The promise of the guest; begins to load it, with this image, if that was not asked for yet.
    fn load_guest(self: &Rc<Self>, image: ImageName) -> Promise {
        if let Some(loading) = &*self.python.loading.borrow() {
            return loading.clone();
        }
        let image = self.python.image_name.get().unwrap_or(image);
        self.python.image_name.set(Some(image));
        let life = self.python.life.get();
        let session = self.clone();
        let loading = future_to_promise(async move {
            match session.make_guest(image, life).await {
                Ok(()) => Ok(JsValue::UNDEFINED),
                Err(error) => {
                    // One that was ended while it loaded is nobody's failure.
                    if session.python.life.get() == life {
                        session.fail("python", &error.to_string());
                    }
                    Err(error.to_string().into())
                }
            }
        });
        *self.python.loading.borrow_mut() = Some(loading.clone());
        loading
    }

    /// Makes the guest. Its thread starts while its parts are on their way.
    async fn make_guest(self: &Rc<Self>, name: ImageName, life: u32) -> Result<(), Error> {
        let known = self.files()?;
        let place = if threaded() {
            let pokes = self.opened()?.site.python.interrupt.clone();
            let session = self.clone();
            let thread = PythonThread::start(pokes, move |message, extras| {
                session.aside(life, message, extras)
            });
            if let Err(error) = self.start_thread(&thread, name).await {
                thread.end();
                return Err(error);
            }
            Place::Thread(thread)
        } else {
            let materials = self.materials(name).await?;
            Place::Here(Here::new(self, materials)?)
        };
        if self.python.life.get() != life {
            place.end();
            return Err(Error::Load {
                what: "python".into(),
                why: "it was restarted meanwhile".into(),
            });
        }
        *self.python.place.borrow_mut() = Some(place);
        self.catch_up(&known)
    }

    async fn start_thread(
        self: &Rc<Self>,
        thread: &PythonThread,
        name: ImageName,
    ) -> Result<(), Error> {
        let failed = |thrown| Error::load("python", &thrown);
        let mut materials = self.materials(name).await?;
        let (state, bytes) = self.python.state.borrow().packed().unzip();
        materials.start.state = state;
        let buffer = |bytes: &Uint8Array| JsValue::from(bytes.buffer());
        let given = [&materials.image, &bytes];
        let transfer: Vec<_> = given.into_iter().flatten().map(buffer).collect();
        let [image, bytes] = given.map(|bytes| bytes.as_ref().map_or(JsValue::NULL, JsValue::from));
        let modules = array(materials.modules.into_iter().map(JsValue::from));
        let start = ToPython::Start(Box::new(materials.start));
        let extras = [modules.into(), image, bytes, thread.answers()];
        thread.say(&start, &extras, &transfer).map_err(failed)?;
        match thread.next().await {
            Ok((FromPython::Ready, _)) => Ok(()),
            Ok((FromPython::Unavailable { message }, _)) | Err(message) => {
                Err(failed(message.into()))
            }
            Ok(_) => Err(failed("its thread began with something else".into())),
        }
    }

    /// What the guest is made of: what is here already, and downloads of the rest.
    async fn materials(self: &Rc<Self>, name: ImageName) -> Result<Materials, Error> {
        let opened = self.opened()?;
        let (site, verify) = (&opened.site.python, opened.verify);
        let image = site.images.get(&name);
        let needed = image.and_then(|image| site.parts.get(..image.parts));
        let needed = needed.unwrap_or(&site.parts);
        let modules = self.python.modules.borrow().clone();
        let bytes = self.python.image.take();
        let mounts = self.python.mounts.borrow().clone();
        let missing_code = needed.iter().filter(|_| modules.is_none());
        let missing_image = image.filter(|_| bytes.is_none());
        let total = missing_code.clone().map(|part| part.bytes).sum::<f64>()
            + missing_image.map_or(0.0, |image| image.asset.bytes);
        let progress = Progress::new("python", total, self.sender());
        let files = Progress::new("python files", site.mounts.bytes, self.sender());
        let compiled = missing_code.map(|part| load::module(part, &progress, verify));
        let (compiled, fetched, listed) = join3(
            try_join_all(compiled),
            fetch(missing_image, &progress, verify),
            async {
                match mounts {
                    Some(mounts) => Ok(mounts),
                    None => parsed(&load::bytes(&site.mounts.url, None, &files).await?),
                }
            },
        )
        .await;
        let (compiled, hashes): (Vec<_>, Vec<_>) = compiled?.into_iter().unzip();
        let (fetched, image_hash) = fetched?;
        let modules = modules.unwrap_or(compiled);
        let mounts = listed?;
        *self.python.modules.borrow_mut() = Some(modules.clone());
        *self.python.mounts.borrow_mut() = Some(mounts.clone());
        if total > 0.0 {
            progress.finish(hashes.into_iter().chain([image_hash]).flatten().collect());
        }
        Ok(Materials {
            modules,
            image: bytes.or(fetched),
            start: Start {
                image: image.map(|image| image.shape.clone()),
                state: None,
                mounts: with_data(mounts, &opened.sources.borrow()),
                environment: site.environment.clone(),
                interrupt: site.interrupt.clone(),
                parts: site.parts.clone(),
            },
        })
    }

    /// Takes in what the thread says beside its turns; gives back the rest.
    fn aside(
        self: &Rc<Self>,
        life: u32,
        message: FromPython,
        extras: Array,
    ) -> Option<(FromPython, Array)> {
        let part = || String::from("python packages");
        match message {
            FromPython::Checkpoint { length, pages } => {
                if self.python.life.get() == life {
                    self.keep(length, &pages, &extras);
                }
                None
            }
            FromPython::Loading { loaded, total } => {
                let part = part();
                self.send(&FromWorker::Loading {
                    part,
                    loaded,
                    total,
                });
                None
            }
            FromPython::Loaded { ms } => {
                let (part, sha256) = (part(), Vec::new());
                self.send(&FromWorker::Loaded { part, ms, sha256 });
                None
            }
            other => Some((other, extras)),
        }
    }

    /// Keeps what a turn has changed, and the image that the guest gives back.
    fn keep(&self, length: u32, pages: &[u32], extras: &Array) {
        self.python.unkept.set(false);
        if let Ok(bytes) = extras.get(0).dyn_into::<Uint8Array>() {
            let taken = self.python.state.borrow_mut().take(length, pages, &bytes);
            if taken.is_none() {
                self.fail("python", "a checkpoint of Python's state does not fit it");
            }
        }
        if let Ok(image) = extras.get(1).dyn_into::<Uint8Array>() {
            self.keep_image(image);
        }
    }

    /// Keeps the image for the next guest, if it is as long as it was.
    pub(super) fn keep_image(&self, image: Uint8Array) {
        if self
            .image_bytes()
            .is_some_and(|bytes| bytes == f64::from(image.length()))
        {
            *self.python.image.borrow_mut() = Some(image);
        }
    }

    fn image_bytes(&self) -> Option<f64> {
        let image = self.python.image_name.get()?;
        let images = &self.opened.get()?.site.python.images;
        Some(images.get(&image)?.asset.bytes)
    }

    /// Ends the guest, and begins one with the state after the last finished turn.
    pub(super) fn begin_again(self: &Rc<Self>) {
        // What the thread did not hand over goes with it.
        self.python.unkept.set(false);
        if self.python.loading.take().is_none() {
            return;
        }
        self.python.life.set(self.python.life.get().wrapping_add(1));
        if let Some(place) = self.python.place.take() {
            place.end();
        }
        self.prepare_guest(ImageName::default());
    }

    /// Waits until the state after the last finished turn is here, which a thread hands over before the
    /// next turn's first line runs. One that could not, for want of memory, is waited for in vain.
    pub(super) async fn until_kept(&self) {
        let end = Date::now() + KEEPING;
        while self.python.unkept.get() && Date::now() < end {
            if JsFuture::from(timeout(2.0)).await.is_err() {
                return;
            }
        }
    }

    /// Throws Python's state away: the next turn begins as the first did.
    pub(super) fn reset_python(self: &Rc<Self>) {
        self.python.unkept.set(false);
        *self.python.state.borrow_mut() = State::default();
        self.begin_again();
    }
}

impl Place {
    fn end(&self) {
        if let Self::Thread(thread) = self {
            thread.end();
        }
    }
}

/// An image's bytes and, if it is wanted, their digest.
async fn fetch(
    image: Option<&Image>,
    progress: &Rc<Progress>,
    hash: bool,
) -> Result<(Option<Uint8Array>, Option<String>), Error> {
    let Some(Image { asset, .. }) = image else {
        return Ok((None, None));
    };
    let bytes = load::bytes(&asset.url, asset.sha256.as_deref(), progress).await?;
    let digest = match hash {
        true => Some(
            sha256(&bytes)
                .await
                .map_err(|thrown| Error::load("python", &thrown))?,
        ),
        false => None,
    };
    Ok((Some(bytes), digest))
}

fn parsed(json: &Uint8Array) -> Result<Value, Error> {
    serde_json::from_slice(&json.to_vec()).map_err(|error| Error::Load {
        what: "python".into(),
        why: error.to_string(),
    })
}
