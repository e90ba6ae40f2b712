//! Downloads: modules compiled while they stream in, and whole files, both with progress.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Date, Promise, Uint8Array, WebAssembly};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use crate::bindings::{begin, counted, sha256};
use crate::error::Error;
use spoor_messages::{Asset, FromWorker};

/// Milliseconds between two reports of progress of one part.
const REPORT_EVERY: f64 = 100.0;

/// One part's downloads, of which there may be several at once.
pub struct Progress {
    part: String,
    total: f64,
    post: Box<dyn Fn(FromWorker)>,
    begun: f64,
    loaded: Cell<f64>,
    reported: Cell<f64>,
}

impl Progress {
    /// For `part`, as people call it, of `total` bytes; reported by `post`.
    pub fn new(part: &str, total: f64, post: impl Fn(FromWorker) + 'static) -> Rc<Self> {
        let (begun, zero) = (Date::now(), Cell::new(0.0));
        let post = Box::new(post);
        Rc::new(Self {
            part: part.into(),
            total,
            post,
            begun,
            loaded: zero.clone(),
            reported: zero,
        })
    }

    /// Reports that the part is ready.
    pub fn finish(&self, sha256: Vec<String>) {
        let ms = Date::now() - self.begun;
        (self.post)(FromWorker::Loaded {
            part: self.part.clone(),
            ms,
            sha256,
        });
    }

    fn add(&self, bytes: f64) {
        self.loaded.set(self.loaded.get() + bytes);
        let now = Date::now();
        if now - self.reported.get() >= REPORT_EVERY || self.loaded.get() >= self.total {
            self.reported.set(now);
            let (part, loaded, total) = (self.part.clone(), self.loaded.get(), self.total);
            (self.post)(FromWorker::Loading {
                part,
                loaded,
                total,
            });
        }
    }
}

/// Fetches and compiles `asset`. With `hash`, its bytes are collected first, and the SHA-256 of
/// the very bytes that are compiled is given back.
pub async fn module(
    asset: &Asset,
    progress: &Rc<Progress>,
    hash: bool,
) -> Result<(WebAssembly::Module, Option<String>), Error> {
    let failed = |thrown| Error::load(&progress.part, &thrown);
    if hash {
        let bytes = bytes(&asset.url, asset.sha256.as_deref(), progress).await?;
        let hash = sha256(&bytes).await.map_err(failed)?;
        let module = JsFuture::from(WebAssembly::compile(&bytes))
            .await
            .map_err(failed)?;
        return Ok((module.unchecked_into(), Some(hash)));
    }
    let sha256 = asset.sha256.as_deref();
    let response = response(&asset.url, sha256, "application/wasm", progress).await?;
    let compiling = WebAssembly::compile_streaming(&Promise::resolve(&JsValue::from(response)));
    Ok((
        JsFuture::from(compiling)
            .await
            .map_err(failed)?
            .unchecked_into(),
        None,
    ))
}

/// Fetches a whole file, of the SHA-256 if that is known.
pub async fn bytes(
    url: &str,
    sha256: Option<&str>,
    progress: &Rc<Progress>,
) -> Result<Uint8Array, Error> {
    let failed = |thrown| Error::load(&progress.part, &thrown);
    let response = response(url, sha256, "application/octet-stream", progress).await?;
    let buffer = JsFuture::from(response.array_buffer().map_err(failed)?)
        .await
        .map_err(failed)?;
    Ok(Uint8Array::new(&buffer))
}

async fn response(
    url: &str,
    sha256: Option<&str>,
    kind: &str,
    progress: &Rc<Progress>,
) -> Result<Response, Error> {
    let failed = |thrown| Error::load(&progress.part, &thrown);
    let response: Response = JsFuture::from(begin(url, sha256))
        .await
        .map_err(failed)?
        .unchecked_into();
    if !response.ok() {
        let why = format!("the server answered {} for {url}", response.status());
        return Err(Error::Load {
            what: progress.part.clone(),
            why,
        });
    }
    let counter = progress.clone();
    let report = Closure::<dyn FnMut(f64)>::new(move |bytes| counter.add(bytes));
    // JavaScript owns it from here on, and drops it with the stream.
    Ok(counted(
        &response,
        kind,
        &report.into_js_value().unchecked_into(),
    ))
}
