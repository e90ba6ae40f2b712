//! A guest on the thread that runs it: its instance, its limits, and its checkpoint.
//!
//! [`super::session`] keeps one on a thread of its own; [`super::snapshot`] uses one to make the
//! image. A turn that ends badly (a trap, no memory, no time) costs the instance: a fresh one
//! takes over with the memory of the last good turn. Open files stay open across that, and
//! files in `/tmp` are not rolled back.

use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use spoor_protocol::Outcome;
use wasmtime::{
    AsContextMut, Engine, Instance, InstancePre, Linker, Memory, ResourceLimiter, Store,
    StoreContextMut, TypedFunc, UpdateDeadline,
};
use wasmtime_wasi::I32Exit;

use super::assets::{Poke, PythonAssets};
use super::clock::{OutOfTime, Signals, TurnClock, Verdict};
use super::door::{self, DoorFailed};
use super::memory::{Checkpoint, UNIT, View};
use super::split::INTERRUPT;
use super::wasi::{Output, System};
use super::{Limits, Mount, shadow};
use crate::aot::{Cache, Progress};
use crate::engine;
use crate::error::Error;

/// Answers a request of the guest.
pub type Ask = Box<dyn FnMut(Vec<u8>) -> Result<Vec<u8>, Error> + Send>;

/// The interpreter, loaded once and shared by every session of the process.
pub struct Interpreter {
    pub(super) assets: PythonAssets,
    pre: InstancePre<State>,
    image: Arc<File>,
    image_len: usize,
    pokes: Arc<[Poke]>,
}

impl Interpreter {
    /// Loads the guest at `assets`: the code from the ahead-of-time `cache`, or compiled, which
    /// takes about a minute and is reported to `progress`; the image is only opened.
    pub fn load(
        assets: &PythonAssets,
        cache: &Cache,
        progress: &dyn Fn(Progress),
    ) -> Result<Arc<Self>, Error> {
        let engine = engine::shared()?;
        let manifest = assets.manifest();
        let wasm = assets.path(&manifest.module.file);
        let module = cache.load(engine, &wasm, &manifest.module.sha256, progress)?;
        let not_ours = |e: wasmtime::Error| Error::Module {
            name: manifest.module.file.clone(),
            reason: format!("{e:#}"),
        };
        let pre = linker(engine)
            .and_then(|linker| linker.instantiate_pre(&module))
            .map_err(not_ours)?;
        let path = assets.path(&manifest.image.file);
        let image = File::open(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => Error::MissingAsset { path: path.clone() },
            _ => Error::File {
                what: "cannot read",
                path: path.clone(),
                source,
            },
        })?;
        let found = image
            .metadata()
            .map_err(Error::file("cannot read", &path))?
            .len();
        if found != manifest.image.bytes || !found.is_multiple_of(UNIT as u64) {
            let reason = format!(
                "it is {found} bytes long, and the manifest says {}",
                manifest.image.bytes
            );
            return Err(Error::Module {
                name: manifest.image.file.clone(),
                reason,
            });
        }
        Ok(Arc::new(Self {
            assets: assets.clone(),
            pre,
            image: Arc::new(image),
            image_len: usize::try_from(found).map_err(|e| Error::Engine(e.to_string()))?,
            pokes: manifest.interrupt.clone().into(),
        }))
    }
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p1::add_to_linker_sync(&mut linker, |state: &mut State| &mut state.system.ctx)?;
    shadow::add_to_linker(&mut linker)?;
    door::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// What the guest's imports and its limits work on.
pub struct State {
    pub(super) system: System,
    pub(super) ask: Ask,
    memory: MemoryLimit,
    turn: TurnClock,
    signals: Arc<Signals>,
    pokes: Arc<[Poke]>,
    output: Output,
}

struct MemoryLimit {
    bytes: usize,
    /// Whether growth was refused in this turn.
    refused: bool,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let within = desired <= self.bytes;
        self.refused |= !within;
        Ok(within)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= 1 << 20)
    }
}

/// A guest and what it needs to outlive a bad turn.
pub struct Guest {
    interpreter: Arc<Interpreter>,
    limits: Limits,
    output: Output,
    /// None once the guest could not be restarted.
    live: Option<Live>,
    checkpoint: Checkpoint,
    /// Whether the checkpoint can be trusted.
    sound: bool,
    status: i32,
}

/// One instance.
struct Live {
    store: Store<State>,
    instance: Instance,
    memory: Memory,
    alloc: TypedFunc<u32, u32>,
    turn: TypedFunc<(u32, u32), i32>,
}

impl Guest {
    /// A guest as the image has it.
    pub fn new(
        interpreter: Arc<Interpreter>,
        limits: Limits,
        mounts: &[Mount],
        ask: Ask,
        output: Output,
        signals: Arc<Signals>,
    ) -> Result<Self, Error> {
        let checkpoint = fresh_checkpoint(&interpreter)?;
        let system = System::new(&interpreter.assets, mounts, &output, limits.written_bytes)?;
        let state = State {
            system,
            ask,
            memory: MemoryLimit {
                bytes: usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX),
                refused: false,
            },
            turn: TurnClock::new(limits.turn_time),
            signals,
            pokes: interpreter.pokes.clone(),
            output: output.clone(),
        };
        let live = Live::new(&interpreter, &checkpoint, state)?;
        Ok(Self {
            interpreter,
            limits,
            output,
            live: Some(live),
            checkpoint,
            sound: true,
            status: 0,
        })
    }

    /// Runs `source` in the guest. After a good turn [`Guest::settle`] is to be called; a bad
    /// one is already rolled back.
    pub fn turn(&mut self, source: &str) -> Outcome {
        let Some(live) = &mut self.live else {
            return Outcome::Unavailable {
                message: "Python has ended; restart the session".into(),
            };
        };
        match live.run(source) {
            Ok(status) => {
                self.status = status;
                Outcome::Returned
            }
            Err(error) => {
                let outcome = self.outcome_of(&error);
                self.roll_back(outcome)
            }
        }
    }

    /// Makes the state as it is now the one to come back to.
    pub fn settle(&mut self) {
        let Some(live) = &self.live else { return };
        if let Err(error) = live.view().and_then(|view| self.checkpoint.commit(view)) {
            self.sound = false;
            let note =
                format!("spoor: this state of Python could not be kept to come back to: {error}\n");
            (self.output)(2, note.as_bytes());
        }
    }

    fn outcome_of(&self, error: &wasmtime::Error) -> Outcome {
        if error.is::<OutOfTime>() {
            let limit = self.limits.turn_time.unwrap_or_default();
            return Outcome::TimedOut {
                limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            };
        }
        if let Some(I32Exit(code)) = error.downcast_ref() {
            return Outcome::Trapped {
                message: format!("the code ended the interpreter with exit code {code}"),
            };
        }
        if let Some(failed) = error.downcast_ref::<DoorFailed>() {
            return Outcome::Trapped {
                message: failed.to_string(),
            };
        }
        if self
            .live
            .as_ref()
            .is_some_and(|live| live.store.data().memory.refused)
        {
            return Outcome::OutOfMemory {
                limit: self.limits.memory_bytes,
            };
        }
        let message = match error.downcast_ref::<wasmtime::Trap>() {
            Some(trap) => trap.to_string(),
            None => format!("{error:#}"),
        };
        Outcome::Trapped { message }
    }

    /// A fresh instance with the memory of the last good turn, or, where that is lost, of none.
    fn roll_back(&mut self, outcome: Outcome) -> Outcome {
        let lost = !self.sound;
        match self.replace() {
            Ok(()) if lost => {
                let note = "spoor: the state before this cell could not be brought back; Python has started anew\n";
                (self.output)(2, note.as_bytes());
                outcome
            }
            Ok(()) => outcome,
            Err(error) => Outcome::Unavailable {
                message: format!("Python could not be restarted: {error}"),
            },
        }
    }

    fn replace(&mut self) -> Result<(), Error> {
        if !self.sound {
            self.checkpoint = fresh_checkpoint(&self.interpreter)?;
            self.sound = true;
        }
        let Some(live) = self.live.take() else {
            return Err(Error::Engine("it has ended".into()));
        };
        let state = live.store.into_data();
        self.live = Some(Live::new(&self.interpreter, &self.checkpoint, state)?);
        Ok(())
    }
}

fn fresh_checkpoint(interpreter: &Interpreter) -> Result<Checkpoint, Error> {
    Checkpoint::new(interpreter.image.clone(), interpreter.image_len).map_err(|e| memory_error(&e))
}

fn memory_error(error: &std::io::Error) -> Error {
    Error::Engine(format!("no memory for the Python guest: {error}"))
}

impl Live {
    fn new(
        interpreter: &Interpreter,
        checkpoint: &Checkpoint,
        state: State,
    ) -> Result<Self, Error> {
        let mut store = Store::new(interpreter.pre.module().engine(), state);
        store.limiter(|state| &mut state.memory);
        store.set_epoch_deadline(1);
        let started = Self::instantiate(&interpreter.pre, store, checkpoint.len());
        let mut live =
            started.map_err(|e| Error::Engine(format!("the Python guest did not start: {e:#}")))?;
        live.view()
            .and_then(|view| checkpoint.restore(view))
            .map_err(|e| memory_error(&e))?;
        live.watch();
        Ok(live)
    }

    fn instantiate(
        pre: &InstancePre<State>,
        mut store: Store<State>,
        len: usize,
    ) -> wasmtime::Result<Self> {
        let instance = pre.instantiate(&mut store)?;
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or_else(|| missing("memory"))?;
        let grow = len
            .checked_sub(memory.data_size(&store))
            .ok_or_else(|| missing("a memory within the image"))?;
        memory.grow(&mut store, (grow / UNIT) as u64)?;
        let alloc = instance.get_typed_func(&mut store, "host_alloc")?;
        let turn = instance.get_typed_func(&mut store, "turn")?;
        Ok(Self {
            store,
            memory,
            alloc,
            turn,
            instance,
        })
    }

    /// The instance's memory, for the checkpoint.
    fn view(&self) -> std::io::Result<View> {
        let base = self.memory.data_ptr(&self.store);
        // SAFETY: wasmtime's on-demand allocator gives a memory one private anonymous mapping,
        // made accessible from its start as it grows, and only unmaps it in the end. Nothing
        // borrows from the store here, and no code runs in it: both would need `&mut self.store`
        // on this thread.
        unsafe { View::new(base, self.memory.data_size(&self.store)) }
    }

    /// Runs one turn. The export reports Python's own exceptions as a status, after showing
    /// them; `spoor.guest` lets none out.
    fn run(&mut self, source: &str) -> wasmtime::Result<i32> {
        let state = self.store.data_mut();
        state.memory.refused = false;
        state.turn.begin(Instant::now());
        self.store.set_epoch_deadline(1);
        let len = u32::try_from(source.len())?;
        let ptr = self.alloc.call(&mut self.store, len)?;
        self.memory
            .write(&mut self.store, ptr as usize, source.as_bytes())?;
        self.turn.call(&mut self.store, (ptr, len))
    }

    /// Looks, at every tick of the engine's clock, for an interrupt and for the time limit.
    fn watch(&mut self) {
        let memory = self.memory;
        self.store.epoch_deadline_callback(move |mut store| {
            heed(&mut store, memory)?;
            Ok(UpdateDeadline::Continue(1))
        });
    }
}

/// Looks for an interrupt and for the time limit. True if an interrupt was raised in the guest
/// just now; an error stops the turn. Whatever keeps a turn going calls this: the engine's
/// clock while code runs, the door at each call, a sleep at each slice.
pub(super) fn heed(
    store: &mut impl AsContextMut<Data = State>,
    memory: Memory,
) -> wasmtime::Result<bool> {
    let mut store = store.as_context_mut();
    let state = store.data_mut();
    if state.signals.is_stopped() {
        return Err(wasmtime::format_err!("nobody waits for it any more"));
    }
    let mut wanted = state.signals.take_interrupt();
    match state.turn.look(Instant::now()) {
        Verdict::InTime => {}
        Verdict::Over => return Err(OutOfTime.into()),
        Verdict::Again => wanted = true,
        Verdict::First { limit } => {
            wanted = true;
            let note =
                format!("spoor: the cell passed its time limit of {limit:?} and was interrupted\n");
            (state.output)(2, note.as_bytes());
        }
    }
    if wanted {
        let pokes = state.pokes.clone();
        set_pending(&mut store, memory, &pokes);
    }
    Ok(wanted)
}

/// Sets the interpreter's pending-signal flags: the loop that runs raises `KeyboardInterrupt` at
/// its next check.
fn set_pending(store: &mut StoreContextMut<'_, State>, memory: Memory, pokes: &[Poke]) {
    let bytes = memory.data_mut(store);
    for poke in pokes {
        if let Some(byte) = bytes.get_mut(poke.address as usize) {
            *byte |= poke.or;
        }
    }
}

fn missing(what: &str) -> wasmtime::Error {
    wasmtime::format_err!("the module has no {what}")
}

/// What the image is made with: the parts of a guest that a session has no business with.
impl Guest {
    /// A copy of linear memory.
    pub(super) fn memory_image(&self) -> Result<Vec<u8>, Error> {
        let live = self.live()?;
        Ok(live.memory.data(&live.store).to_vec())
    }

    /// What the last turn's export returned: 0 unless an exception got out.
    pub(super) fn last_status(&self) -> i32 {
        self.status
    }

    /// Calls an export that takes and returns nothing.
    pub(super) fn call(&mut self, export: &str) -> Result<(), Error> {
        self.with_live(|live| {
            let function = live
                .instance
                .get_typed_func::<(), ()>(&mut live.store, export)?;
            function.call(&mut live.store, ())
        })
    }

    /// Marks SIGINT as pending, as a signal handler would.
    pub(super) fn mark_interrupted(&mut self) -> Result<(), Error> {
        const SIGINT: i32 = 2;
        self.with_live(|live| {
            let function = live
                .instance
                .get_typed_func::<i32, i32>(&mut live.store, INTERRUPT)?;
            function.call(&mut live.store, SIGINT).map(drop)
        })
    }

    fn live(&self) -> Result<&Live, Error> {
        self.live
            .as_ref()
            .ok_or_else(|| Error::Engine("the Python guest has ended".into()))
    }

    fn with_live(
        &mut self,
        work: impl FnOnce(&mut Live) -> wasmtime::Result<()>,
    ) -> Result<(), Error> {
        let live = self
            .live
            .as_mut()
            .ok_or_else(|| Error::Engine("the Python guest has ended".into()))?;
        work(live).map_err(|e| Error::Engine(format!("{e:#}")))
    }
}
