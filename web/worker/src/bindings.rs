//! The JavaScript that the driver calls: `js/wasi.mjs`, `js/engines.mjs`, `js/threads.mjs` and
//! `js/plugins.mjs`, and JSPI, which js-sys does not name yet.

use js_sys::{Array, Function, Object, Promise, Uint8Array, WebAssembly};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "spoor:wasi")]
extern "C" {
    /// The WASI of one guest; see `makeWasi` in `js/wasi.mjs`.
    pub type Wasi;

    /// `env`: array of `NAME=value`. `mounts`: array of `{path, writable, files}`. `write(fd,
    /// bytes)`, and `sleep(ms)` and `rest()` or undefined: functions.
    #[wasm_bindgen(js_name = makeWasi)]
    pub fn make_wasi(
        env: &JsValue,
        mounts: &JsValue,
        write: &JsValue,
        sleep: &JsValue,
        rest: &JsValue,
    ) -> Wasi;
    /// A promise that is settled after `ms` milliseconds.
    pub fn timeout(ms: f64) -> Promise;
    /// The import object's `wasi_snapshot_preview1`.
    #[wasm_bindgen(method, getter)]
    pub fn imports(this: &Wasi) -> Object;
    /// Tells the WASI whose memory to use.
    #[wasm_bindgen(method)]
    pub fn attach(this: &Wasi, instance: &WebAssembly::Instance);
    /// Adds a file, `[name, bytes, url]`, to the folder at `path`.
    #[wasm_bindgen(method)]
    pub fn add(this: &Wasi, path: &str, file: &JsValue);
    /// Takes the file of this name away from the folder at `path`.
    #[wasm_bindgen(method)]
    pub fn remove(this: &Wasi, path: &str, name: &str);
    /// The exit code, if `error` is a guest's own exit.
    #[wasm_bindgen(js_name = exitCode)]
    pub fn exit_code(error: &JsValue) -> Option<i32>;
    /// Fetches a whole file and blocks meanwhile; `{data}`.
    #[wasm_bindgen(js_name = fetchNow, catch)]
    pub fn fetch_now(url: &str) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(raw_module = "spoor:engines")]
extern "C" {
    /// The response for a URL, begun early or now. What is named by its SHA-256 is kept for the
    /// next visit.
    pub fn begin(url: &str, sha256: Option<&str>) -> Promise;
    /// A response of the MIME type `kind` that reports each part's bytes as they pass.
    pub fn counted(
        response: &web_sys::Response,
        kind: &str,
        progress: &Function,
    ) -> web_sys::Response;
}

#[wasm_bindgen(raw_module = "spoor:threads")]
extern "C" {
    /// The second thread, which holds Python.
    pub type Thread;

    /// Whether Python has a thread of its own here.
    pub fn threaded() -> bool;
    /// Whether threads can share memory here.
    pub fn isolated() -> bool;
    /// The thread that was started early, or a new one.
    pub fn thread() -> Thread;
    /// `heard(head, extras)` gets what the thread says, `failed(message)` why it is no more.
    #[wasm_bindgen(method)]
    pub fn attach(this: &Thread, heard: &JsValue, failed: &JsValue);
    /// Sends JSON text, and beside it what is not JSON; fails for what cannot be sent.
    #[wasm_bindgen(method, catch)]
    pub fn post(this: &Thread, head: &str, extras: &Array, transfer: &Array)
    -> Result<(), JsValue>;
    /// Ends the thread, whatever it does.
    #[wasm_bindgen(method)]
    pub fn end(this: &Thread);
}

#[wasm_bindgen(raw_module = "spoor:plugins")]
extern "C" {
    /// A call of a plugin that is under way.
    pub type PluginCall;

    /// A promise of the compiled module.
    #[wasm_bindgen(js_name = compilePlugin)]
    pub fn compile_plugin(bytes: &Uint8Array) -> Promise;
    /// A promise of the bytes at `url`, a blob's or one of this site, of at most `most` bytes.
    #[wasm_bindgen(js_name = fetchPlugin)]
    pub fn fetch_plugin(url: &str, most: u32, signal: &web_sys::AbortSignal) -> Promise;
    /// Begins a call of a module, whose promise this is, with at most `output` bytes of answer and `wall_ms`
    /// milliseconds. `log(line)` gets what the plugin logs, `progress(permille)` how much of the call is done. The frame's buffer
    /// changes hands.
    #[wasm_bindgen(js_name = beginCall)]
    pub fn begin_call(
        module: &Promise,
        imports: &Array,
        fuel: u64,
        output: f64,
        wall_ms: f64,
        frame: &Uint8Array,
        log: &JsValue,
        progress: &JsValue,
    ) -> PluginCall;
    /// A promise of `[outcome, bytes]`: JSON of a `PluginOutcome`, and what is beside it or undefined.
    #[wasm_bindgen(method, getter)]
    pub fn ended(this: &PluginCall) -> Promise;
    /// Ends the call, whatever it does.
    #[wasm_bindgen(method)]
    pub fn end(this: &PluginCall);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = WebAssembly, js_name = Suspending)]
    type SuspendingFunction;
    #[wasm_bindgen(constructor, js_namespace = WebAssembly, js_class = "Suspending")]
    fn new(import: &Function) -> SuspendingFunction;
    #[wasm_bindgen(js_namespace = WebAssembly, js_name = promising)]
    fn promising_of(export: &Function) -> Function;
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], catch)]
    fn digest(algorithm: &str, data: &JsValue) -> Result<Promise, JsValue>;
}

/// Whether this browser can suspend a guest (JSPI: Chromium 137, Firefox 139).
pub fn can_suspend() -> bool {
    let namespace = js_sys::Reflect::get(&js_sys::global(), &"WebAssembly".into());
    namespace.is_ok_and(|found| js_sys::Reflect::has(&found, &"Suspending".into()).unwrap_or(false))
}

/// An import that suspends the guest while the promise that `import` returns is pending.
pub fn suspending(import: &Function) -> JsValue {
    SuspendingFunction::new(import).into()
}

/// An export that returns a promise and may be suspended.
pub fn promising(export: &Function) -> Function {
    promising_of(export)
}

/// SHA-256 in hexadecimal. `data` is an `ArrayBuffer`.
pub async fn sha256(data: &JsValue) -> Result<String, JsValue> {
    let digest = wasm_bindgen_futures::JsFuture::from(digest("SHA-256", data)?).await?;
    Ok(Uint8Array::new(&digest)
        .to_vec()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// The exported function `name`.
pub fn export(instance: &WebAssembly::Instance, name: &str) -> Option<Function> {
    js_sys::Reflect::get(&instance.exports(), &name.into())
        .ok()?
        .dyn_into()
        .ok()
}

/// The exported memory.
pub fn memory(instance: &WebAssembly::Instance) -> Option<WebAssembly::Memory> {
    js_sys::Reflect::get(&instance.exports(), &"memory".into())
        .ok()?
        .dyn_into()
        .ok()
}

/// A JavaScript array of `items`.
pub fn array(items: impl IntoIterator<Item = JsValue>) -> Array {
    items.into_iter().collect()
}
