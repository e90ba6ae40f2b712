//! One call of a plugin in a wasmtime store of its own.
//!
//! The gate's metering is what bounds a call; the store's limits and the epoch deadline stand behind it. Every number
//! that the guest returns is the gate's to check before it is used.

use std::time::{Duration, Instant};

use spoor_gate::answer::{self, Answer, Bounds};
use spoor_gate::{FUEL_EXPORT, REASON_EXPORT, Reason, Trap, fuel_used};
use spoor_plugin_abi::{
    Capability, EXPORT_ALLOC, EXPORT_CALL, EXPORT_INITIALIZE, EXPORT_MEMORY, EXPORT_PANIC,
    Function, IMPORT_LOG, IMPORT_MODULE, IMPORT_PROGRESS, IMPORT_TIME, MAX_PANIC,
};
use wasmtime::{
    Caller, Instance, InstancePre, Linker, Memory, Store, StoreLimits, StoreLimitsBuilder,
    UpdateDeadline, Val, WasmParams, WasmResults,
};

use super::control::{Control, Heard};
use super::engine::{Place, TABLE_ENTRIES};
use super::{Failure, Limits, Trapped};

/// Lines that a call may log; further ones are dropped.
const MAX_LINES: u32 = 1_000;

/// What came of a call.
#[derive(Debug)]
pub struct Outcome {
    /// The answer, or why there is none.
    pub answer: Result<Answer, Failure>,
    /// The answer's bytes as the plugin wrote them; empty where there are none.
    pub bytes: Vec<u8>,
    /// Fuel used, in units; never more than the limit.
    pub fuel: u64,
    /// Linear memory at its largest, in bytes.
    pub memory: u64,
    /// Time taken, from the instance's making to the answer's check.
    pub wall: Duration,
}

/// What the host keeps of a call.
pub(super) struct State {
    limits: StoreLimits,
    control: Control,
    lines: u32,
}

/// Why a call was stopped from outside.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Stopped {
    #[error("the deadline passed")]
    Deadline,
    #[error("the call was cancelled")]
    Cancelled,
}

/// Defines the import of a capability.
pub(super) fn link(linker: &mut Linker<State>, capability: Capability) -> wasmtime::Result<()> {
    match capability {
        Capability::Log => linker.func_wrap(IMPORT_MODULE, IMPORT_LOG, log).map(drop),
        Capability::Progress => linker
            .func_wrap(
                IMPORT_MODULE,
                IMPORT_PROGRESS,
                |caller: Caller<'_, State>, permille: i32| {
                    let permille = permille.clamp(0, 1_000) as u16;
                    caller.data().control.hear(Heard::Progress(permille));
                },
            )
            .map(drop),
        Capability::Time => linker
            .func_wrap(IMPORT_MODULE, IMPORT_TIME, |caller: Caller<'_, State>| {
                caller.data().control.clock.now()
            })
            .map(drop),
    }
}

fn log(mut caller: Caller<'_, State>, pointer: i32, length: i32) -> wasmtime::Result<()> {
    let memory = caller
        .get_export(EXPORT_MEMORY)
        .and_then(|export| export.into_memory());
    let (bytes, state) = match &memory {
        Some(memory) => memory.data_and_store_mut(&mut caller),
        None => return Err(wasmtime::Trap::MemoryOutOfBounds.into()),
    };
    let start = pointer as u32 as usize;
    let line = start
        .checked_add(length as u32 as usize)
        .and_then(|end| bytes.get(start..end))
        .ok_or(wasmtime::Trap::MemoryOutOfBounds)?;
    if state.lines < MAX_LINES {
        state.lines += 1;
        state.control.hear(Heard::Log(answer::message(line)));
    }
    Ok(())
}

/// What came of a call before its answer is read.
#[derive(Debug)]
pub struct Called {
    /// The answer's bytes, or why there are none.
    pub answered: Result<Vec<u8>, Failure>,
    /// Fuel used, in units.
    pub fuel: u64,
    /// Linear memory at its largest, in bytes.
    pub memory: u64,
}

/// Runs a call from a fresh instance to a checked answer.
pub(super) fn run(
    pre: &InstancePre<State>,
    limits: &Limits,
    function: &Function,
    frame: &[u8],
    rows: u64,
    control: &Control,
) -> Outcome {
    let began = Instant::now();
    let Called {
        answered,
        fuel,
        memory,
    } = call(pre, limits, frame, control);
    let (answer, bytes) = match answered {
        Ok(bytes) => {
            let answer = answer::read(&bytes, function, rows, &bounds(limits));
            (answer.map_err(Failure::Answer), bytes)
        }
        Err(failure) => (Err(failure), Vec::new()),
    };
    Outcome {
        answer,
        bytes,
        fuel,
        memory,
        wall: began.elapsed(),
    }
}

/// Runs a call in a fresh instance, which is gone afterwards.
pub(super) fn call(
    pre: &InstancePre<State>,
    limits: &Limits,
    frame: &[u8],
    control: &Control,
) -> Called {
    let Some(_place) = Place::take(|| control.is_cancelled()) else {
        return Called {
            answered: Err(Failure::Cancelled),
            fuel: 0,
            memory: 0,
        };
    };
    let mut store = store(pre, limits, control, Instant::now());
    let instance = match pre.instantiate(&mut store) {
        Ok(instance) => instance,
        Err(error) => return unborn(&error, limits),
    };
    let mut guest = Guest {
        store,
        instance,
        limits: *limits,
    };
    Called {
        answered: guest.answer(frame),
        fuel: guest.fuel_used(),
        memory: guest.memory_size(),
    }
}

fn bounds(limits: &Limits) -> Bounds {
    Bounds {
        output: limits.output,
        ..Bounds::default()
    }
}

fn store(
    pre: &InstancePre<State>,
    limits: &Limits,
    control: &Control,
    began: Instant,
) -> Store<State> {
    let memory = usize::try_from(limits.memory).unwrap_or(usize::MAX);
    let state = State {
        limits: StoreLimitsBuilder::new()
            .memory_size(memory)
            .table_elements(TABLE_ENTRIES)
            .instances(1)
            .memories(1)
            .build(),
        control: control.clone(),
        lines: 0,
    };
    let mut store = Store::new(pre.module().engine(), state);
    store.limiter(|state| &mut state.limits);
    // Looked at once a tick: a call that nobody wants ends as soon as one whose time is up.
    let end = began.checked_add(limits.wall);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |store| {
        if store.data().control.is_cancelled() {
            return Err(Stopped::Cancelled.into());
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            return Err(Stopped::Deadline.into());
        }
        Ok(UpdateDeadline::Continue(1))
    });
    store
}

/// What came of an instance that could not be made: its data or elements lie outside.
fn unborn(error: &wasmtime::Error, limits: &Limits) -> Called {
    let failure = match trap(error) {
        Trap::Other => Failure::Engine(format!("{error:#}")),
        trap => Failure::Trap(Trapped {
            trap,
            limits: *limits,
            memory: 0,
            words: None,
        }),
    };
    Called {
        answered: Err(failure),
        fuel: 0,
        memory: 0,
    }
}

/// An instance that serves one call.
struct Guest {
    store: Store<State>,
    instance: Instance,
    limits: Limits,
}

impl Guest {
    /// The answer's bytes, or why there are none.
    fn answer(&mut self, frame: &[u8]) -> Result<Vec<u8>, Failure> {
        if self.store.data().control.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        let fuel = Val::I64(i64::try_from(self.limits.fuel).unwrap_or(i64::MAX));
        let global = self.instance.get_global(&mut self.store, FUEL_EXPORT);
        let global = global.ok_or_else(|| lost(FUEL_EXPORT))?;
        global.set(&mut self.store, fuel).map_err(broken)?;
        let memory = self.memory().ok_or_else(|| lost(EXPORT_MEMORY))?;
        if self
            .instance
            .get_func(&mut self.store, EXPORT_INITIALIZE)
            .is_some()
        {
            self.invoke::<(), ()>(EXPORT_INITIALIZE, ())?;
        }
        let length = i32::try_from(frame.len()).map_err(|_| too_long(frame.len()))?;
        let pointer: i32 = self.invoke(EXPORT_ALLOC, length)?;
        let room = answer::room(pointer, frame.len(), self.memory_size());
        let room = room.map_err(Failure::Answer)?;
        memory
            .write(&mut self.store, room.start, frame)
            .map_err(|error| Failure::Engine(error.to_string()))?;
        let returned: i64 = self.invoke(EXPORT_CALL, (pointer, length))?;
        let located = answer::locate(returned, self.memory_size(), &bounds(&self.limits));
        let located = located.map_err(Failure::Answer)?;
        let bytes = memory.data(&self.store).get(located.range);
        let bytes = bytes.ok_or_else(|| lost("the answer"))?;
        if located.failed {
            return Err(Failure::Said(answer::message(bytes)));
        }
        Ok(bytes.to_vec())
    }

    fn invoke<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &str,
        params: P,
    ) -> Result<R, Failure> {
        let function = self
            .instance
            .get_typed_func::<P, R>(&mut self.store, name)
            .map_err(broken)?;
        function
            .call(&mut self.store, params)
            .map_err(|error| self.explain(&error))
    }

    /// Why a call of an export ended: the module's own word on it goes before the engine's.
    fn explain(&mut self, error: &wasmtime::Error) -> Failure {
        let trap = match error.downcast_ref() {
            Some(Stopped::Cancelled) => return Failure::Cancelled,
            Some(Stopped::Deadline) => Trap::Deadline,
            None => trap(error).because(self.reason()),
        };
        Failure::Trap(Trapped {
            trap,
            limits: self.limits,
            memory: self.memory_size(),
            words: self.last_words(),
        })
    }

    fn reason(&mut self) -> Reason {
        let global = self.instance.get_global(&mut self.store, REASON_EXPORT);
        let value = global.and_then(|global| global.get(&mut self.store).i32());
        Reason::from_global(value.unwrap_or(0))
    }

    /// What the plugin left to be said when it trapped. Nothing of it runs for this.
    fn last_words(&mut self) -> Option<String> {
        let global = self.instance.get_global(&mut self.store, EXPORT_PANIC)?;
        let at = global.get(&mut self.store).i32()? as u32 as usize;
        let bytes = self.memory()?.data(&self.store);
        let word = |at: usize| -> Option<usize> {
            let word = bytes.get(at..at.checked_add(4)?)?;
            Some(u32::from_le_bytes(word.try_into().ok()?) as usize)
        };
        let (start, length) = (word(at)?, word(at.checked_add(4)?)?);
        let text = bytes.get(start..start.checked_add(length.min(MAX_PANIC))?)?;
        (!text.is_empty()).then(|| answer::message(text))
    }

    fn memory(&mut self) -> Option<Memory> {
        self.instance.get_memory(&mut self.store, EXPORT_MEMORY)
    }

    fn memory_size(&mut self) -> u64 {
        match self.memory() {
            Some(memory) => memory.data_size(&self.store) as u64,
            None => 0,
        }
    }

    fn fuel_used(&mut self) -> u64 {
        let global = self.instance.get_global(&mut self.store, FUEL_EXPORT);
        let left = global.and_then(|global| global.get(&mut self.store).i64());
        fuel_used(self.limits.fuel, left.unwrap_or(0))
    }
}

fn too_long(length: usize) -> Failure {
    Failure::Argument(format!(
        "the call's input has {length} bytes, and a plugin can be given 2 GiB: give it fewer rows or columns"
    ))
}

/// The gate sees to it that this is there.
fn lost(what: &str) -> Failure {
    Failure::Engine(format!("{what} is not there"))
}

fn broken(error: wasmtime::Error) -> Failure {
    Failure::Engine(format!("{error:#}"))
}

fn trap(error: &wasmtime::Error) -> Trap {
    use wasmtime::Trap as T;
    match error.downcast_ref::<T>() {
        Some(T::StackOverflow) => Trap::Stack,
        Some(T::MemoryOutOfBounds) => Trap::Memory,
        Some(T::TableOutOfBounds) => Trap::Table,
        Some(T::IndirectCallToNull | T::BadSignature) => Trap::Signature,
        Some(T::IntegerOverflow) => Trap::Overflow,
        Some(T::IntegerDivisionByZero) => Trap::DivisionByZero,
        Some(T::BadConversionToInteger) => Trap::Conversion,
        Some(T::UnreachableCodeReached) => Trap::Unreachable,
        Some(T::Interrupt) => Trap::Deadline,
        _ => Trap::Other,
    }
}
