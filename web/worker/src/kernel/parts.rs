//! The kernel's code in parts, of which a session begins with the first. Instances of the kernel share
//! them: one that is started anew downloads nothing again.

use std::cell::RefCell;
use std::rc::Rc;

use futures::FutureExt;
use futures::future::{LocalBoxFuture, Shared};
use js_sys::{Object, Reflect, WebAssembly};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::bindings::timeout;
use crate::error::Error;
use crate::load::{self, Progress};
use spoor_messages::{Asset, FromWorker};

/// What the further parts import the first one's exports from.
const PART_0: &str = "part0";
/// What people are told is loading.
const REST: &str = "more of the kernel";

/// Milliseconds until what did not come is tried again: the first time, and at most.
const AGAIN: f64 = 1000.0;
const LONGEST: f64 = 30_000.0;

/// A download that several may wait for.
type Loading = Shared<LocalBoxFuture<'static, Result<(), String>>>;

/// The parts.
pub struct Parts {
    assets: Vec<Asset>,
    modules: RefCell<Vec<Option<WebAssembly::Module>>>,
    loading: RefCell<Vec<Option<Loading>>>,
    verify: bool,
    post: Box<dyn Fn(FromWorker)>,
}

impl Parts {
    /// The parts that a site has. What becomes of the further ones' downloads is told by `post`.
    pub fn new(
        assets: &[Asset],
        first: WebAssembly::Module,
        verify: bool,
        post: impl Fn(FromWorker) + 'static,
    ) -> Rc<Self> {
        let mut modules = vec![None; assets.len().max(1)];
        modules[0] = Some(first);
        Rc::new(Self {
            loading: RefCell::new(vec![None; modules.len()]),
            assets: assets.to_vec(),
            modules: RefCell::new(modules),
            verify,
            post: Box::new(post),
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.modules.borrow().len()
    }

    /// The code of a part, if it is here.
    pub fn module(&self, part: usize) -> Option<WebAssembly::Module> {
        self.modules.borrow().get(part)?.clone()
    }

    /// Loads a part, unless it is here or under way.
    pub async fn load(self: Rc<Self>, part: usize) -> Result<(), Error> {
        if self.module(part).is_some() {
            return Ok(());
        }
        let under_way = self.loading.borrow().get(part).cloned().flatten();
        let loading = match under_way {
            Some(loading) => loading,
            None => {
                let own = self.clone();
                let fetched = async move { own.fetch(part).await };
                let loading = fetched.boxed_local().shared();
                let mut all = self.loading.borrow_mut();
                let slot = all.get_mut(part);
                let slot = slot.ok_or_else(|| Error::load(REST, &no_part(part)))?;
                slot.insert(loading).clone()
            }
        };
        let loaded = loading.await;
        // Whoever asks next tries again.
        if loaded.is_err()
            && let Some(slot) = self.loading.borrow_mut().get_mut(part)
        {
            *slot = None;
        }
        loaded.map_err(|why| Error::load(REST, &why.into()))
    }

    /// Loads a part that cannot be done without, and says so each time that it does not come.
    pub async fn load_surely(self: Rc<Self>, part: usize) -> Result<(), Error> {
        let mut pause = AGAIN;
        while let Err(error) = self.clone().load(part).await {
            let message = format!("{error} It is tried again in {} s.", pause / 1000.0);
            (self.post)(FromWorker::Failed {
                part: REST.into(),
                message,
            });
            let waited = JsFuture::from(timeout(pause)).await;
            waited.map_err(|thrown| Error::load(REST, &thrown))?;
            pause = (2.0 * pause).min(LONGEST);
        }
        Ok(())
    }

    async fn fetch(self: Rc<Self>, part: usize) -> Result<(), String> {
        let asset = self.assets.get(part);
        let asset = asset.ok_or_else(|| format!("the site has no part {part} of it"))?;
        let own = self.clone();
        let progress = Progress::new(REST, asset.bytes, move |message| (own.post)(message));
        let loaded = load::module(asset, &progress, self.verify).await;
        let (module, hash) = loaded.map_err(|error| match error {
            Error::Load { why, .. } => why,
            other => other.to_string(),
        })?;
        self.modules.borrow_mut()[part] = Some(module);
        progress.finish(hash.into_iter().collect());
        Ok(())
    }

    /// Adds a part that is here to an instance of the first, whose `exports` these are.
    pub fn fill(&self, part: usize, exports: &Object) -> Result<(), JsValue> {
        let module = self.module(part).ok_or_else(|| no_part(part))?;
        let imports = Object::new();
        Reflect::set(&imports, &PART_0.into(), exports)?;
        WebAssembly::Instance::new(&module, &imports).map(|_| ())
    }
}

fn no_part(part: usize) -> JsValue {
    format!("there is no part {part} of it").into()
}
