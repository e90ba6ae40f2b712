//! The wasmtime engine that plugins run in: not the kernel's, so that a plugin gets a smaller stack and fewer proposals, and
//! so that any thread of the usual 2 MiB can call one.

use std::sync::OnceLock;

use wasmtime::{Config, Engine};

use crate::engine::start_epochs;
use crate::error::Error;

/// The stack of a call, in bytes: four times what the gate lets a plugin use by its own count.
const STACK: usize = 4 * spoor_gate::DEFAULT_STACK as usize;

/// The engine, made on first use; its epoch advances as [`crate::engine::EPOCH_TICK`] says.
pub fn shared() -> Result<&'static Engine, Error> {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    if let Some(engine) = ENGINE.get() {
        return Ok(engine);
    }
    let fresh = Engine::new(&config()).map_err(|e| Error::Engine(format!("{e:#}")))?;
    let mut made_here = false;
    let engine = ENGINE.get_or_init(|| {
        made_here = true;
        fresh
    });
    if made_here {
        start_epochs(engine)?;
    }
    Ok(engine)
}

/// The gate admits less than this engine could run. What is switched off here is off twice.
fn config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.max_wasm_stack(STACK);
    config.async_stack_size(STACK + (1 << 20));
    config.wasm_backtrace_max_frames(None);
    config.wasm_threads(false);
    config.wasm_memory64(false);
    config.wasm_multi_memory(false);
    config.wasm_tail_call(false);
    config.wasm_relaxed_simd(false);
    config
}
