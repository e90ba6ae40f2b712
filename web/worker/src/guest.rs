//! The Python guest's instance: turns, the door's two ends in its memory, and rollback.
//!
//! Linear memory is the whole state of the guest between turns. After a turn that ended well its
//! memory is copied when there is time ([`Guest::checkpoint`]), at the latest before the next turn
//! begins. A turn that traps leaves the instance unusable, so a new one is made of the module and
//! given the copy: the session goes on from the state before that turn. What the guest wrote to
//! its folders is not rolled back.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect, Uint8Array, WebAssembly};
use spoor_protocol::Outcome;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::bindings::{Wasi, can_suspend, exit_code, export, memory, promising, suspending};
use crate::error::{Error, text_of};
use crate::kernel::{address, window};
use crate::pages::{Pages, grow};
use spoor_messages::Poke;

/// What the guest is told when the door could not be served.
const HOST_FAULT: i32 = -2;
/// What the code's further parts import the first one's exports from.
const PART_0: &str = "part0";

/// What a guest calls beside WASI. Both may give a promise where there is JSPI.
pub struct Calls {
    /// `host.call(ptr, len, out_ptr_ptr, out_len_ptr)`: an i32.
    pub door: Closure<dyn FnMut(u32, u32, u32, u32) -> JsValue>,
    /// `spoor.load(part)`: sees to it that a part of the code is there ([`Guest::fill`]).
    pub load: Closure<dyn FnMut(u32) -> Result<JsValue, JsValue>>,
}

/// A Python guest, whichever instance it has at the moment.
pub struct Guest {
    /// The parts of the code, as far as they are loaded; the first is the guest.
    modules: RefCell<Vec<Option<WebAssembly::Module>>>,
    wasi: Wasi,
    calls: Calls,
    pokes: Vec<Poke>,
    image: Option<Pages>,
    live: RefCell<Option<Rc<Live>>>,
    saved: RefCell<Option<Uint8Array>>,
    changed: Cell<bool>,
}

struct Live {
    exports: Object,
    memory: WebAssembly::Memory,
    alloc: Function,
    turn: Function,
}

impl Guest {
    /// A guest of `modules`, its code's first parts, and, for one that was started at build time,
    /// the memory it had then. It has no instance until its first turn.
    /// `pokes` are what makes its running code raise `KeyboardInterrupt`.
    pub fn new(
        modules: Vec<WebAssembly::Module>,
        image: Option<Pages>,
        wasi: Wasi,
        calls: Calls,
        pokes: Vec<Poke>,
    ) -> Self {
        let (live, saved, changed) = (RefCell::default(), RefCell::default(), Cell::new(false));
        Self {
            modules: RefCell::new(modules.into_iter().map(Some).collect()),
            wasi,
            calls,
            pokes,
            image,
            live,
            saved,
            changed,
        }
    }

    /// Whether the module of a part is here.
    pub fn has(&self, part: usize) -> bool {
        matches!(self.modules.borrow().get(part), Some(Some(_)))
    }

    /// Keeps the module of a part.
    pub fn put(&self, part: usize, module: WebAssembly::Module) {
        let mut modules = self.modules.borrow_mut();
        if modules.len() <= part {
            modules.resize(part + 1, None);
        }
        modules[part] = Some(module);
    }

    /// Adds a part that is here to the instance: its functions take their places in the table.
    pub fn fill(&self, part: usize) -> Result<(), JsValue> {
        let live = self.live.borrow().clone().ok_or("there is no instance")?;
        let module = self.modules.borrow().get(part).cloned().flatten();
        let imports = Object::new();
        Reflect::set(&imports, &PART_0.into(), &live.exports)?;
        WebAssembly::Instance::new(&module.ok_or("the part is not loaded")?, &imports)?;
        Ok(())
    }

    /// Makes the guest's code raise `KeyboardInterrupt` when it goes on. For a guest that is
    /// suspended: nothing reaches one that runs.
    pub fn interrupt(&self) {
        let Some(live) = self.live.borrow().clone() else {
            return;
        };
        for poke in &self.pokes {
            if let Some(byte) = window(&live.memory, poke.address, 1) {
                byte.set_index(0, byte.get_index(0) | poke.or);
            }
        }
    }

    /// Makes the instance, if there is none: what a first turn would otherwise wait for.
    pub fn warm(&self) -> Result<(), Error> {
        self.live().map(|_| ())
    }

    /// Runs `source` in the guest's namespace.
    pub async fn turn(&self, source: &str) -> Outcome {
        self.checkpoint();
        let live = match self.live() {
            Ok(live) => live,
            Err(error) => {
                return Outcome::Unavailable {
                    message: error.to_string(),
                };
            }
        };
        match run(&live, source).await {
            Ok(()) => {
                self.changed.set(true);
                Outcome::Returned
            }
            Err(thrown) => {
                *self.live.borrow_mut() = None;
                Outcome::Trapped {
                    message: trap_text(&thrown),
                }
            }
        }
    }

    /// Copies the memory as it is after the last good turn, if it was not copied yet.
    pub fn checkpoint(&self) {
        let Some(live) = self.live.borrow().clone() else {
            return;
        };
        if !self.changed.replace(false) {
            return;
        }
        let now = Uint8Array::new(&live.memory.buffer());
        let mut saved = self.saved.borrow_mut();
        match saved.as_ref().filter(|copy| copy.length() == now.length()) {
            Some(copy) => copy.set(&now, 0),
            None => *saved = Some(now.slice(0, now.length())),
        }
    }

    /// Throws the state away: the next turn begins as the first did.
    pub fn reset(&self) {
        *self.live.borrow_mut() = None;
        *self.saved.borrow_mut() = None;
        self.changed.set(false);
    }

    /// The bytes of a request that the guest put at `ptr`; `None` if they are not in its memory.
    pub fn request(&self, ptr: u32, len: u32) -> Option<Vec<u8>> {
        let live = self.live.borrow().clone()?;
        Some(window(&live.memory, ptr, len as usize)?.to_vec())
    }

    /// Puts an answer into the guest's memory and its address and length where the guest wants
    /// them. Returns what the door returns: 0, or a fault.
    pub fn answer(&self, bytes: &[u8], out_ptr: u32, out_len: u32) -> i32 {
        self.place_answer(bytes, out_ptr, out_len)
            .map_or(HOST_FAULT, |()| 0)
    }

    /// What the door returns where there is no answer.
    pub fn fault() -> i32 {
        HOST_FAULT
    }

    fn place_answer(&self, bytes: &[u8], out_ptr: u32, out_len: u32) -> Option<()> {
        let live = self.live.borrow().clone()?;
        let ptr = place(&live, bytes).ok()?;
        window(&live.memory, out_ptr, 4)?.copy_from(&ptr.to_le_bytes());
        window(&live.memory, out_len, 4)?.copy_from(&(bytes.len() as u32).to_le_bytes());
        Some(())
    }

    fn live(&self) -> Result<Rc<Live>, Error> {
        if let Some(live) = self.live.borrow().clone() {
            return Ok(live);
        }
        let live = Rc::new(
            self.instantiate()
                .map_err(|thrown| Error::load("Python", &thrown))?,
        );
        *self.live.borrow_mut() = Some(live.clone());
        Ok(live)
    }

    fn instantiate(&self) -> Result<Live, JsValue> {
        let module = self.modules.borrow().first().cloned().flatten();
        let module = module.ok_or("the guest has no code")?;
        let instance = WebAssembly::Instance::new(&module, &self.imports()?)?;
        self.wasi.attach(&instance);
        let memory = memory(&instance).ok_or("the guest has no memory")?;
        let named = |name: &str| {
            export(&instance, name).ok_or_else(|| JsValue::from(format!("the guest lacks {name}")))
        };
        let turn = named("turn")?;
        let live = Live {
            exports: instance.exports(),
            memory,
            alloc: named("host_alloc")?,
            turn: if can_suspend() {
                promising(&turn)
            } else {
                turn
            },
        };
        if let Some(saved) = self.saved.borrow().as_ref() {
            grow(&live.memory, saved.length())?;
            Uint8Array::new(&live.memory.buffer()).set(saved, 0);
        } else if let Some(image) = &self.image {
            image.place(&live.memory)?;
        } else if let Some(initialize) = export(&instance, "_initialize") {
            initialize.call0(&JsValue::UNDEFINED)?;
        }
        Ok(live)
    }

    fn imports(&self) -> Result<Object, JsValue> {
        let imports = Object::new();
        let door = self.calls.door.as_ref().unchecked_ref();
        let load = self.calls.load.as_ref().unchecked_ref();
        for (module, name, call) in [("host", "call", door), ("spoor", "load", load)] {
            let names = Object::new();
            Reflect::set(&names, &name.into(), &waiting(call))?;
            Reflect::set(&imports, &module.into(), &names)?;
        }
        Reflect::set(
            &imports,
            &"wasi_snapshot_preview1".into(),
            &self.wasi.imports(),
        )?;
        Ok(imports)
    }
}

/// An import for which the guest waits, where it can be suspended.
fn waiting(import: &Function) -> JsValue {
    if can_suspend() {
        suspending(import)
    } else {
        import.clone().into()
    }
}

async fn run(live: &Live, source: &str) -> Result<(), JsValue> {
    let ptr = place(live, source.as_bytes())?;
    let ended = live.turn.call2(
        &JsValue::UNDEFINED,
        &ptr.into(),
        &(source.len() as f64).into(),
    )?;
    if let Ok(promise) = ended.dyn_into::<js_sys::Promise>() {
        JsFuture::from(promise).await?;
    }
    Ok(())
}

/// Copies bytes into memory that the guest allots for them.
fn place(live: &Live, bytes: &[u8]) -> Result<u32, JsValue> {
    let arguments = Array::of1(&(bytes.len() as f64).into());
    let ptr = address(&live.alloc.apply(&JsValue::UNDEFINED, &arguments)?)
        .map_err(|error| error.to_string())?;
    match window(&live.memory, ptr, bytes.len()).filter(|_| ptr != 0) {
        Some(window) => window.copy_from(bytes),
        None => return Err(format!("the guest has no room for {} bytes", bytes.len()).into()),
    }
    Ok(ptr)
}

fn trap_text(thrown: &JsValue) -> String {
    match exit_code(thrown) {
        Some(code) => format!("the interpreter exited with code {code}"),
        None => text_of(thrown),
    }
}
