//! The kernel's instance: events in, effects out, through the kernel's memory.
//!
//! It begins with the first part of its code ([`parts`]). A step that needs another is suspended until that is here
//! (JSPI), so steps are awaited until the whole code is. Browsers that cannot suspend load all of it first.

mod parts;

use std::cell::{Cell, OnceCell, RefCell};
use std::pin::pin;
use std::rc::{Rc, Weak};

pub use parts::Parts;

use futures::channel::oneshot;
use futures::future::{Either, select};
use js_sys::{BigInt, Function, Object, Promise, Reflect, Uint8Array, WebAssembly};
use spoor_protocol::{Effects, Event, Frame, PROTOCOL_VERSION};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use crate::bindings::{array, can_suspend, export, make_wasi, memory, promising, suspending};
use crate::error::{Error, text_of};

/// A running kernel.
pub struct Kernel {
    live: OnceCell<Live>,
    parts: Rc<Parts>,
    /// Which of the parts its functions are in.
    filled: Vec<Cell<bool>>,
    stepping: Cell<bool>,
    /// Ends the wait of a step for a part.
    waited_for: RefCell<Option<oneshot::Sender<()>>>,
}

/// The instance of the first part.
struct Live {
    exports: Object,
    memory: WebAssembly::Memory,
    alloc: Function,
    dealloc: Function,
    step: Function,
    /// The same, giving a promise: it may be suspended.
    step_suspending: Option<Function>,
}

impl Kernel {
    /// Instantiates the parts that are here and checks that the kernel speaks this driver's protocol.
    pub async fn start(parts: &Rc<Parts>) -> Result<Rc<Self>, Error> {
        if !can_suspend() {
            for part in 1..parts.count() {
                parts.clone().load(part).await?;
            }
        }
        let kernel = Rc::new(Self {
            live: OnceCell::new(),
            parts: parts.clone(),
            filled: (0..parts.count())
                .map(|part| Cell::new(part == 0))
                .collect(),
            stepping: Cell::new(false),
            waited_for: RefCell::default(),
        });
        let failed = |thrown: JsValue| Error::load("the kernel", &thrown);
        let instance = kernel.instantiate().map_err(failed)?;
        for part in 1..parts.count() {
            if parts.module(part).is_some() {
                kernel.fill(part).map_err(failed)?;
            }
        }
        if let Some(initialize) = export(&instance, "_initialize") {
            call(&initialize, &[])?;
        }
        let version = export(&instance, "spoor_kernel_protocol");
        let version = call(&version.ok_or_else(|| missing("a version"))?, &[])?;
        if version.as_f64() != Some(f64::from(PROTOCOL_VERSION)) {
            return Err(Error::Protocol(format!(
                "the kernel's protocol is {version:?}, the page's {PROTOCOL_VERSION}"
            )));
        }
        Ok(kernel)
    }

    fn instantiate(self: &Rc<Self>) -> Result<WebAssembly::Instance, JsValue> {
        let module = self.parts.module(0).ok_or("it is not loaded")?;
        let write = Closure::<dyn FnMut(u8, Uint8Array)>::new(log).into_js_value();
        let (none, nothing) = (array([]), JsValue::UNDEFINED);
        let wasi = make_wasi(&none, &none, &write, &nothing, &nothing);
        let load =
            Closure::<dyn FnMut(u32) -> Result<JsValue, JsValue>>::new(loader(Rc::downgrade(self)));
        let load: Function = load.into_js_value().unchecked_into();
        let spoor = Object::new();
        let load = if can_suspend() {
            suspending(&load)
        } else {
            load.into()
        };
        Reflect::set(&spoor, &"load".into(), &load)?;
        let imports = Object::new();
        Reflect::set(&imports, &"wasi_snapshot_preview1".into(), &wasi.imports())?;
        Reflect::set(&imports, &"spoor".into(), &spoor)?;
        let instance = WebAssembly::Instance::new(&module, &imports)?;
        wasi.attach(&instance);
        let named = |name: &str| export(&instance, name).ok_or_else(|| missing(name).to_string());
        let step = named("step")?;
        let live = Live {
            exports: instance.exports(),
            memory: memory(&instance).ok_or("it has no memory")?,
            alloc: named("alloc")?,
            dealloc: named("dealloc")?,
            step_suspending: can_suspend().then(|| promising(&step)),
            step,
        };
        // It is set here alone.
        let _ = self.live.set(live);
        Ok(instance)
    }

    fn live(&self) -> Result<&Live, Error> {
        let live = self.live.get();
        live.ok_or_else(|| Error::Kernel("it has no instance".into()))
    }

    /// How long its memory is, in bytes.
    pub fn bytes(&self) -> u32 {
        let live = self.live.get();
        live.map_or(0, |live| Uint8Array::new(&live.memory.buffer()).length())
    }

    /// Loads what is not here of the code, and puts it into its place.
    pub async fn complete(self: &Rc<Self>) -> Result<(), Error> {
        for part in 1..self.parts.count() {
            self.parts.clone().load(part).await?;
            let failed = |thrown| Error::load("the kernel", &thrown);
            self.fill(part).map_err(failed)?;
        }
        Ok(())
    }

    fn fill(&self, part: usize) -> Result<(), JsValue> {
        let filled = self.filled.get(part).ok_or("there is no such part")?;
        if !filled.get() {
            let live = self.live.get().ok_or("it has no instance")?;
            self.parts.fill(part, &live.exports)?;
            filled.set(true);
        }
        Ok(())
    }

    /// Whether all of its code is here.
    pub fn is_whole(&self) -> bool {
        self.filled.iter().all(Cell::get)
    }

    /// Whether [`Kernel::step_now`] can be called: all of its code is here, and no step is under way.
    pub fn is_ready(&self) -> bool {
        self.is_whole() && !self.stepping.get()
    }

    /// Ends the step that waits for a part, if one does: the kernel is not to be stepped again.
    pub fn give_up(&self) {
        if let Some(waited_for) = self.waited_for.take() {
            let _ = waited_for.send(());
        }
    }

    /// Loads a part for a step that waits for it, again and again until it is here or [`Kernel::give_up`] is called.
    async fn load(self: &Rc<Self>, part: usize) -> Result<(), JsValue> {
        let (given_up, stop) = oneshot::channel();
        *self.waited_for.borrow_mut() = Some(given_up);
        let loading = pin!(self.parts.clone().load_surely(part));
        let loaded = match select(loading, stop).await {
            Either::Left((loaded, _)) => loaded.map_err(|error| error.to_string().into()),
            Either::Right(_) => Err("what it needs of its code was not waited for".into()),
        };
        self.waited_for.take();
        loaded
    }

    /// One step. An error means that the kernel is not to be stepped again.
    pub async fn step(&self, event: &Frame<Event>) -> Result<Frame<Effects>, Error> {
        let live = self.live()?;
        let Some(step) = live.step_suspending.as_ref().filter(|_| !self.is_whole()) else {
            return self.step_now(event);
        };
        let given = self.give(event)?;
        self.stepping.set(true);
        let packed = match step.call2(&JsValue::UNDEFINED, &given[0], &given[1]) {
            Ok(promise) => JsFuture::from(promise.unchecked_into::<Promise>()).await,
            Err(thrown) => Err(thrown),
        };
        self.stepping.set(false);
        let packed = packed.map_err(|thrown| Error::Kernel(text_of(&thrown)))?;
        call(&live.dealloc, &given)?;
        self.take(&packed)
    }

    /// One step, of a kernel that is ready.
    pub fn step_now(&self, event: &Frame<Event>) -> Result<Frame<Effects>, Error> {
        let live = self.live()?;
        let given = self.give(event)?;
        let packed = call(&live.step, &given)?;
        call(&live.dealloc, &given)?;
        self.take(&packed)
    }

    /// Puts an event into the kernel's memory: its address and length.
    fn give(&self, event: &Frame<Event>) -> Result<[JsValue; 2], Error> {
        let bytes = event.encode()?;
        let len = JsValue::from(bytes.len() as f64);
        let ptr = address(&call(&self.live()?.alloc, std::slice::from_ref(&len))?)?;
        if ptr == 0 {
            return Err(Error::Kernel(format!(
                "it has no room for a message of {} bytes",
                bytes.len()
            )));
        }
        self.window(ptr, bytes.len())?.copy_from(&bytes);
        Ok([ptr.into(), len])
    }

    /// Reads the effects that `step` returned as `ptr << 32 | len`, and frees them.
    fn take(&self, packed: &JsValue) -> Result<Frame<Effects>, Error> {
        let packed = packed
            .dyn_ref::<BigInt>()
            .ok_or_else(|| missing("step's result"))?;
        let packed = u64::try_from(BigInt::as_uint_n(64.0, packed)).unwrap_or(0);
        let (ptr, len) = ((packed >> 32) as u32, packed as u32);
        if ptr == 0 {
            return Err(Error::Kernel("it is out of memory".into()));
        }
        let bytes = self.window(ptr, len as usize)?.to_vec();
        call(&self.live()?.dealloc, &[ptr.into(), len.into()])?;
        Ok(Frame::decode(&bytes)?)
    }

    fn window(&self, ptr: u32, len: usize) -> Result<Uint8Array, Error> {
        window(&self.live()?.memory, ptr, len)
            .ok_or_else(|| Error::Protocol("the kernel named memory that it has not".into()))
    }
}

/// Sees to it that a part is there for the kernel that asks: at once, or by a promise.
fn loader(kernel: Weak<Kernel>) -> impl FnMut(u32) -> Result<JsValue, JsValue> {
    move |part| {
        let kernel = kernel.upgrade().ok_or("there is no kernel")?;
        let part = part as usize;
        if kernel.parts.module(part).is_some() {
            return kernel.fill(part).map(|()| JsValue::UNDEFINED);
        }
        let loaded = future_to_promise(async move {
            kernel.load(part).await?;
            kernel.fill(part).map(|()| JsValue::UNDEFINED)
        });
        Ok(loaded.into())
    }
}

/// The `len` bytes at `ptr`, if the memory has them.
pub fn window(memory: &WebAssembly::Memory, ptr: u32, len: usize) -> Option<Uint8Array> {
    let all = Uint8Array::new(&memory.buffer());
    let end = u64::from(ptr) + len as u64;
    (end <= u64::from(all.length())).then(|| all.subarray(ptr, end as u32))
}

/// An i32 that JavaScript was given is signed; an address is not.
pub fn address(value: &JsValue) -> Result<u32, Error> {
    let number = value.as_f64().ok_or_else(|| missing("a number"))?;
    Ok(number as i64 as u32)
}

fn call(function: &Function, arguments: &[JsValue]) -> Result<JsValue, Error> {
    let arguments = array(arguments.iter().cloned());
    function
        .apply(&JsValue::UNDEFINED, &arguments)
        .map_err(|thrown| Error::Kernel(text_of(&thrown)))
}

fn missing(name: &str) -> Error {
    Error::Protocol(format!("the kernel lacks {name}"))
}

/// The kernel writes nothing but a panic's message, which is for whoever reads the console.
fn log(_fd: u8, bytes: Uint8Array) {
    let text = String::from_utf8_lossy(&bytes.to_vec()).into_owned();
    console_error(text.trim_end());
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(text: &str);
}
