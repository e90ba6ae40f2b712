//! One instance of kernel.wasm under wasmtime.
//!
//! `session` and `replay` call it. A step takes the bytes of an event frame and returns those of
//! an effects frame; what they mean is not looked at here. The kernel is not trusted: every
//! pointer and length that it returns is checked, its memory and each step's time are limited,
//! and it is linked with WASI preview 1 alone, in which nothing is opened and nothing is set. A
//! kernel that broke is not called again: it answers with why it broke.

use std::path::Path;
use std::time::Duration;

use spoor_protocol::PROTOCOL_VERSION;
use wasmtime::{Instance, Linker, Memory, Module, ResourceLimiter, Store, TypedFunc};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::{WasiP1Ctx, add_to_linker_sync};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

use crate::ambient::Ambient;
use crate::aot::{Cache, Progress};
use crate::engine;
use crate::error::Error;

mod divide;
mod watch;

pub use divide::{Divided, divide};

/// The kernel's file name among the assets.
pub const FILE: &str = "kernel.wasm";

/// What of the kernel's dying words is kept, in bytes.
const LAST_WORDS: usize = 64 << 10;

/// What an instance may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, in bytes.
    pub memory_bytes: usize,
    /// The time of one step. Steps are slices of some tens of milliseconds; this is for a kernel
    /// that has lost its way.
    pub step_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 4 << 30,
            step_time: Duration::from_secs(120),
        }
    }
}

/// The compiled kernel and the digest of its bytes, shared by all instances.
#[derive(Clone)]
pub struct Code {
    module: Module,
    sha256: String,
}

impl Code {
    /// Loads kernel.wasm from `path` through the cache.
    pub fn load(path: &Path, cache: &Cache, progress: &dyn Fn(Progress)) -> Result<Self, Error> {
        let sha256 = cache.digest_of(path)?;
        let module = cache.load(engine::shared()?, path, &sha256, progress)?;
        Ok(Self { module, sha256 })
    }

    /// A kernel that is compiled already and that nothing tells by its digest.
    fn of(module: Module) -> Self {
        let sha256 = String::new();
        Self { module, sha256 }
    }

    /// The SHA-256 of kernel.wasm, in hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// A running kernel.
pub struct Kernel {
    /// Why it broke, once it has.
    broke: Option<String>,
    store: Store<State>,
    instance: Instance,
    memory: Memory,
    alloc: TypedFunc<u32, u32>,
    dealloc: TypedFunc<(u32, u32), ()>,
    step: TypedFunc<(u32, u32), u64>,
    limits: Limits,
}

struct State {
    wasi: WasiP1Ctx,
    memory: MemoryLimit,
    stderr: MemoryOutputPipe,
}

impl Kernel {
    /// A fresh instance whose clocks and randomness are `ambient`.
    pub fn start(code: &Code, limits: Limits, ambient: &Ambient) -> Result<Self, Error> {
        let mut store = Store::new(code.module.engine(), State::new(limits, ambient));
        store.limiter(|state| &mut state.memory);
        store.set_epoch_deadline(engine::epochs(limits.step_time));
        let mut linker = Linker::new(code.module.engine());
        add_to_linker_sync(&mut linker, |state: &mut State| &mut state.wasi).map_err(broken)?;
        let instance = linker
            .instantiate(&mut store, &code.module)
            .map_err(unusable)?;
        let mut kernel = Self::of(&instance, store, limits)?;
        if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut kernel.store, "_initialize")
        {
            let began = initialize.call(&mut kernel.store, ());
            kernel.explain(began)?;
        }
        check_protocol(&instance, &mut kernel.store)?;
        Ok(kernel)
    }

    fn of(instance: &Instance, mut store: Store<State>, limits: Limits) -> Result<Self, Error> {
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or_else(|| missing("memory"))?;
        let alloc = instance
            .get_typed_func(&mut store, "alloc")
            .map_err(unusable)?;
        let dealloc = instance
            .get_typed_func(&mut store, "dealloc")
            .map_err(unusable)?;
        let step = instance
            .get_typed_func(&mut store, "step")
            .map_err(unusable)?;
        Ok(Self {
            broke: None,
            store,
            instance: *instance,
            memory,
            alloc,
            dealloc,
            step,
            limits,
        })
    }

    /// Gives the kernel one event and returns its answer, both encoded frames. After an error
    /// the kernel's memory is in no known state: every further step is refused.
    pub fn step(&mut self, event: &[u8]) -> Result<Vec<u8>, Error> {
        self.check()?;
        self.store
            .set_epoch_deadline(engine::epochs(self.limits.step_time));
        let stepped = self.try_step(event);
        let answer = self.explain(stepped);
        if let Err(error) = &answer {
            self.broke = Some(error.to_string());
        }
        answer
    }

    /// An error if the kernel broke.
    pub fn check(&self) -> Result<(), Error> {
        match &self.broke {
            None => Ok(()),
            Some(why) => Err(Error::Kernel(format!(
                "it broke before and takes nothing more until it is started anew ({why})"
            ))),
        }
    }

    fn try_step(&mut self, event: &[u8]) -> wasmtime::Result<Vec<u8>> {
        let len = u32::try_from(event.len())?;
        let ptr = self.alloc.call(&mut self.store, len)?;
        wasmtime::ensure!(
            ptr != 0,
            "it has no memory left for an event of {len} bytes"
        );
        self.memory.write(&mut self.store, ptr as usize, event)?;
        let packed = self.step.call(&mut self.store, (ptr, len))?;
        self.dealloc.call(&mut self.store, (ptr, len))?;
        wasmtime::ensure!(packed != 0, "it has no memory left for its answer");
        let (at, size) = unpack(packed);
        let end = (at as usize).saturating_add(size as usize);
        let answer = self.memory.data(&self.store).get(at as usize..end);
        let Some(answer) = answer.map(<[u8]>::to_vec) else {
            wasmtime::bail!("its answer of {size} bytes at {at} is not within its memory");
        };
        self.dealloc.call(&mut self.store, (at, size))?;
        Ok(answer)
    }

    /// Says why a call failed in words that help: the limit that was passed, or the panic.
    fn explain<T>(&self, result: wasmtime::Result<T>) -> Result<T, Error> {
        let error = match result {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let state = self.store.data();
        if let Some(wasmtime::Trap::Interrupt) = error.downcast_ref() {
            return Err(Error::Kernel(format!(
                "one step took longer than {:?}",
                self.limits.step_time
            )));
        }
        if state.memory.refused {
            let mib = state.memory.bytes >> 20;
            return Err(Error::Kernel(format!(
                "it needed more than its {mib} MiB of memory"
            )));
        }
        let words = String::from_utf8_lossy(&state.stderr.contents())
            .trim()
            .to_owned();
        let reason = match error.downcast_ref::<wasmtime::Trap>() {
            Some(trap) => trap.to_string(),
            None => format!("{error:#}"),
        };
        Err(Error::Kernel(if words.is_empty() {
            reason
        } else {
            format!("{words} ({reason})")
        }))
    }
}

/// `step` answers with `ptr << 32 | len`.
fn unpack(packed: u64) -> (u32, u32) {
    ((packed >> 32) as u32, (packed & u64::from(u32::MAX)) as u32)
}

impl State {
    fn new(limits: Limits, ambient: &Ambient) -> Self {
        let stderr = MemoryOutputPipe::new(LAST_WORDS);
        let wasi = WasiCtxBuilder::new()
            .stderr(stderr.clone())
            .wall_clock(ambient.clone())
            .monotonic_clock(ambient.clone())
            .secure_random(ambient.clone())
            .build_p1();
        Self {
            wasi,
            memory: MemoryLimit {
                bytes: limits.memory_bytes,
                refused: false,
            },
            stderr,
        }
    }
}

/// Caps linear memory, and remembers having done so.
struct MemoryLimit {
    bytes: usize,
    refused: bool,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.refused |= desired > self.bytes;
        Ok(desired <= self.bytes)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= 1 << 20)
    }
}

fn check_protocol(instance: &Instance, store: &mut Store<State>) -> Result<(), Error> {
    let version = instance
        .get_typed_func::<(), u32>(&mut *store, "spoor_kernel_protocol")
        .map_err(unusable)?;
    let found = version.call(store, ()).map_err(broken)?;
    if found == PROTOCOL_VERSION {
        return Ok(());
    }
    let reason = format!(
        "it speaks version {found} of the protocol, and this spoor speaks {PROTOCOL_VERSION}. \
         Run `cargo xtask setup` to build a matching one"
    );
    Err(Error::Module {
        name: FILE.into(),
        reason,
    })
}

fn missing(what: &str) -> Error {
    Error::Module {
        name: FILE.into(),
        reason: format!("it has no {what}"),
    }
}

fn unusable(error: wasmtime::Error) -> Error {
    Error::Module {
        name: FILE.into(),
        reason: format!("{error:#}"),
    }
}

fn broken(error: wasmtime::Error) -> Error {
    Error::Kernel(format!("{error:#}"))
}

#[cfg(test)]
mod tests;
