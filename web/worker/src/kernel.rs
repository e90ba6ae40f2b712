//! The kernel's instance: events in, effects out, through the kernel's memory.

use js_sys::{BigInt, Function, Object, Reflect, Uint8Array, WebAssembly};
use spoor_protocol::{Effects, Event, Frame, PROTOCOL_VERSION};
use wasm_bindgen::prelude::*;

use crate::bindings::{array, export, make_wasi, memory};
use crate::error::{Error, text_of};

/// A running kernel.
pub struct Kernel {
    memory: WebAssembly::Memory,
    alloc: Function,
    dealloc: Function,
    step: Function,
}

impl Kernel {
    /// Instantiates `module` and checks that it speaks this driver's protocol.
    pub fn start(module: &WebAssembly::Module) -> Result<Self, Error> {
        let write = Closure::<dyn FnMut(u8, Uint8Array)>::new(log).into_js_value();
        let wasi = make_wasi(
            &array([]),
            &array([]),
            &write,
            &JsValue::UNDEFINED,
            &JsValue::UNDEFINED,
        );
        let imports = Object::new();
        let failed = |thrown: JsValue| Error::load("the kernel", &thrown);
        Reflect::set(&imports, &"wasi_snapshot_preview1".into(), &wasi.imports())
            .map_err(failed)?;
        let instance = WebAssembly::Instance::new(module, &imports).map_err(failed)?;
        wasi.attach(&instance);
        let named = |name: &str| export(&instance, name).ok_or_else(|| missing(name));
        let kernel = Self {
            memory: memory(&instance).ok_or_else(|| missing("memory"))?,
            alloc: named("alloc")?,
            dealloc: named("dealloc")?,
            step: named("step")?,
        };
        if let Some(initialize) = export(&instance, "_initialize") {
            call(&initialize, &[])?;
        }
        let version = call(&named("spoor_kernel_protocol")?, &[])?;
        if version.as_f64() != Some(f64::from(PROTOCOL_VERSION)) {
            return Err(Error::Protocol(format!(
                "the kernel's protocol is {version:?}, the page's {PROTOCOL_VERSION}"
            )));
        }
        Ok(kernel)
    }

    /// How long its memory is, in bytes.
    pub fn bytes(&self) -> u32 {
        Uint8Array::new(&self.memory.buffer()).length()
    }

    /// One step. An error means that the kernel is not to be stepped again.
    pub fn step(&self, event: &Frame<Event>) -> Result<Frame<Effects>, Error> {
        let bytes = event.encode()?;
        let len = JsValue::from(bytes.len() as f64);
        let ptr = address(&call(&self.alloc, std::slice::from_ref(&len))?)?;
        if ptr == 0 {
            return Err(Error::Kernel(format!(
                "it has no room for a message of {} bytes",
                bytes.len()
            )));
        }
        self.window(ptr, bytes.len())?.copy_from(&bytes);
        let packed = call(&self.step, &[ptr.into(), len.clone()])?;
        call(&self.dealloc, &[ptr.into(), len])?;
        self.take(&packed)
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
        call(&self.dealloc, &[ptr.into(), len.into()])?;
        Ok(Frame::decode(&bytes)?)
    }

    fn window(&self, ptr: u32, len: usize) -> Result<Uint8Array, Error> {
        window(&self.memory, ptr, len)
            .ok_or_else(|| Error::Protocol("the kernel named memory that it has not".into()))
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
