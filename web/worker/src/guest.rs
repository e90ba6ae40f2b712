//! The Python guest's instance: turns, the door's two ends in its memory, and rollback.
//!
//! Linear memory is the whole state of the guest between turns. After a turn that ended well its
//! memory is copied when there is time ([`Guest::checkpoint`]), at the latest before the next turn
//! begins. A turn that traps leaves the instance unusable, so a new one is made of the module and
//! given the copy: the session goes on from the state before that turn. What the guest wrote to
//! its folders is not rolled back.
//!
//! The memory is shared where the code says so: what the browser refuses for such memory (decoding
//! text, random bytes) is done with copies, here and in `js/wasi.mjs`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Atomics, Function, Object, Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::bindings::{Wasi, can_suspend, exit_code, export, memory, promising, suspending};
use crate::error::text_of;
use crate::kernel::{address, window};
use crate::pages::{Pages, grow, take_changes};
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
    live: RefCell<Option<Rc<Live>>>,
    kept: RefCell<Kept>,
    changed: Cell<bool>,
}

/// The memory to go back to.
pub enum Kept {
    /// None: the guest starts itself.
    Nothing,
    /// That of before the first turn.
    Image(Pages),
    /// All of it.
    Copy(Uint8Array),
}

/// What a turn changed in the guest's memory.
pub struct Checkpoint {
    /// How long the memory is, in bytes.
    pub length: u32,
    /// The pages that changed, of [`PAGE`](crate::wire::PAGE) bytes.
    pub pages: Vec<u32>,
    /// Their bytes, one after the other.
    pub bytes: Uint8Array,
    /// The image's bytes, the first time: they are not needed any more.
    pub image: Option<Uint8Array>,
}

struct Live {
    exports: Object,
    memory: WebAssembly::Memory,
    alloc: Function,
    turn: Function,
}

impl Guest {
    /// A guest of `modules`, its code's first parts, and the memory that it begins with. It has no
    /// instance until its first turn. `pokes` are what makes its running code raise
    /// `KeyboardInterrupt`.
    pub fn new(
        modules: Vec<WebAssembly::Module>,
        kept: Kept,
        wasi: Wasi,
        calls: Calls,
        pokes: Vec<Poke>,
    ) -> Self {
        Self {
            modules: RefCell::new(modules.into_iter().map(Some).collect()),
            wasi,
            calls,
            pokes,
            live: RefCell::default(),
            kept: RefCell::new(kept),
            changed: Cell::new(false),
        }
    }

    /// Adds a file, as `makeWasi` takes those with URLs of their own, to the folder at `path`.
    pub fn add_file(&self, path: &str, file: &JsValue) {
        self.wasi.add(path, file);
    }

    /// Takes the file of this name away from the folder at `path`.
    pub fn remove_file(&self, path: &str, name: &str) {
        self.wasi.remove(path, name);
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
        poke(&live.memory, &self.pokes);
    }

    /// Makes the instance, if there is none: what a first turn would otherwise wait for. `true` if
    /// it is a new one.
    pub fn warm(&self) -> Result<bool, JsValue> {
        if self.live.borrow().is_some() {
            return Ok(false);
        }
        let live = Rc::new(self.instantiate()?);
        *self.live.borrow_mut() = Some(live);
        Ok(true)
    }

    /// The instance's memory.
    pub fn memory(&self) -> Option<WebAssembly::Memory> {
        Some(self.live.borrow().as_ref()?.memory.clone())
    }

    /// How long the instance's memory is, in bytes.
    pub fn bytes(&self) -> u32 {
        self.memory()
            .map_or(0, |memory| Uint8Array::new(&memory.buffer()).length())
    }

    /// Runs `source` in the guest's namespace. The error says why it trapped; the memory is as it
    /// was before then.
    pub async fn turn(&self, source: &str) -> Result<(), String> {
        let live = self.live.borrow().clone();
        let live = live.ok_or("the guest has no instance")?;
        match run(&live, source).await {
            Ok(()) => {
                self.changed.set(true);
                Ok(())
            }
            Err(thrown) => {
                *self.live.borrow_mut() = None;
                Err(trap_text(&thrown))
            }
        }
    }

    /// Copies what the last good turn has changed in the memory, if that was not done yet.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        let live = self.live.borrow().clone()?;
        if !self.changed.replace(false) {
            return None;
        }
        let now = Uint8Array::new(&live.memory.buffer());
        let kept = self.kept.replace(Kept::Nothing);
        let (copy, image) = match kept {
            Kept::Copy(copy) => (longer(copy, now.length()), None),
            Kept::Image(image) => {
                let copy = Uint8Array::new_with_length(now.length());
                image.place(&copy);
                (copy, Some(image.into_bytes()))
            }
            Kept::Nothing => (Uint8Array::new_with_length(now.length()), None),
        };
        let (pages, bytes) = take_changes(&now, &copy);
        *self.kept.borrow_mut() = Kept::Copy(copy);
        Some(Checkpoint {
            length: now.length(),
            pages,
            bytes,
            image,
        })
    }

    /// The bytes of a request that the guest put at `ptr`; `None` if they are not in its memory.
    pub fn request(&self, ptr: u32, len: u32) -> Option<Uint8Array> {
        let live = self.live.borrow().clone()?;
        Some(window(&live.memory, ptr, len as usize)?.slice(0, len))
    }

    /// Puts an answer into the guest's memory and its address and length where the guest wants
    /// them. Returns what the door returns: 0, or a fault.
    pub fn answer(&self, bytes: &Uint8Array, out_ptr: u32, out_len: u32) -> i32 {
        self.place_answer(bytes, out_ptr, out_len)
            .map_or(HOST_FAULT, |()| 0)
    }

    /// What the door returns where there is no answer.
    pub fn fault() -> i32 {
        HOST_FAULT
    }

    fn place_answer(&self, bytes: &Uint8Array, out_ptr: u32, out_len: u32) -> Option<()> {
        let live = self.live.borrow().clone()?;
        let ptr = place(&live, bytes).ok()?;
        window(&live.memory, out_ptr, 4)?.copy_from(&ptr.to_le_bytes());
        window(&live.memory, out_len, 4)?.copy_from(&bytes.length().to_le_bytes());
        Some(())
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
        match &*self.kept.borrow() {
            Kept::Copy(copy) => {
                grow(&live.memory, copy.length())?;
                Uint8Array::new(&live.memory.buffer()).set(copy, 0);
            }
            Kept::Image(image) => {
                grow(&live.memory, image.memory())?;
                image.place(&Uint8Array::new(&live.memory.buffer()));
            }
            Kept::Nothing => {
                if let Some(initialize) = export(&instance, "_initialize") {
                    initialize.call0(&JsValue::UNDEFINED)?;
                }
            }
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
    let ptr = place(live, &Uint8Array::from(source.as_bytes()))?;
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
fn place(live: &Live, bytes: &Uint8Array) -> Result<u32, JsValue> {
    let arguments = Array::of1(&bytes.length().into());
    let ptr = address(&live.alloc.apply(&JsValue::UNDEFINED, &arguments)?)
        .map_err(|error| error.to_string())?;
    match window(&live.memory, ptr, bytes.length() as usize).filter(|_| ptr != 0) {
        Some(window) => window.set(bytes, 0),
        None => return Err(format!("the guest has no room for {} bytes", bytes.length()).into()),
    }
    Ok(ptr)
}

/// Sets the flags of a pending interrupt, whether or not the guest runs in another thread.
pub fn poke(memory: &WebAssembly::Memory, pokes: &[Poke]) {
    change(memory, pokes, |byte, poke| {
        Atomics::or(byte, 0, i32::from(poke.or))
    });
}

/// Clears what [`poke`] sets: an interrupt that came too late for its turn.
pub fn unpoke(memory: &WebAssembly::Memory, pokes: &[Poke]) {
    change(memory, pokes, |byte, poke| {
        Atomics::and(byte, 0, i32::from(!poke.or))
    });
}

/// Whether all flags that [`poke`] sets are set: the guest has not gone on since.
pub fn is_poked(memory: &WebAssembly::Memory, pokes: &[Poke]) -> bool {
    let is_set = |poke: &Poke| {
        let byte = window(memory, poke.address, 1);
        let value = byte.and_then(|byte| Atomics::load(&byte, 0).ok());
        value.is_some_and(|value| value & i32::from(poke.or) == i32::from(poke.or))
    };
    !pokes.is_empty() && pokes.iter().all(is_set)
}

fn change(
    memory: &WebAssembly::Memory,
    pokes: &[Poke],
    how: impl Fn(&Uint8Array, &Poke) -> Result<i32, JsValue>,
) {
    for poke in pokes {
        if let Some(byte) = window(memory, poke.address, 1) {
            // Fails only for what is no array of integers.
            let _ = how(&byte, poke);
        }
    }
}

/// A copy of a memory that has since become as long as this.
fn longer(copy: Uint8Array, length: u32) -> Uint8Array {
    if copy.length() == length {
        return copy;
    }
    let longer = Uint8Array::new_with_length(length);
    longer.set(&copy, 0);
    longer
}

fn trap_text(thrown: &JsValue) -> String {
    match exit_code(thrown) {
        Some(code) => format!("the interpreter exited with code {code}"),
        None => text_of(thrown),
    }
}
