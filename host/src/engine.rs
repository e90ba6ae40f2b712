//! The one wasmtime engine of the process: how it is configured, and the clock behind its epochs.
//!
//! Called by everything that loads or runs WebAssembly (`aot`, `kernel`, `python`). One engine
//! serves every session of the process, so that compiled code is shared. It knows nothing of
//! what the modules are.

use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use wasmtime::{Config, Engine};

use crate::error::Error;

/// How often the engine's epoch moves on. Deadlines are counted in these ticks.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// The stack that WebAssembly code may use, in bytes. CPython recurses deeply in C.
pub const WASM_STACK: usize = 4 << 20;

/// The stack of a thread that runs WebAssembly, in bytes: [`WASM_STACK`] and room for the host's
/// own frames below it.
pub const THREAD_STACK: usize = WASM_STACK + (4 << 20);

/// The process's engine, made on first use. Its epoch advances every [`EPOCH_TICK`] for as long
/// as the process lives.
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

/// How many epochs cover `time`, at least one.
pub fn epochs(time: Duration) -> u64 {
    let ticks = time.as_millis().div_ceil(EPOCH_TICK.as_millis());
    u64::try_from(ticks).unwrap_or(u64::MAX / 2).max(1)
}

/// Whatever changes here changes [`Engine::precompile_compatibility_hash`] where it matters to
/// compiled code, and so the names of the entries of the ahead-of-time cache.
fn config() -> Config {
    let mut config = Config::new();
    config.wasm_exceptions(true);
    config.epoch_interruption(true);
    config.max_wasm_stack(WASM_STACK);
    // Unused by the synchronous calls made here, but wasmtime wants it no smaller.
    config.async_stack_size(WASM_STACK + (1 << 20));
    config
}

/// Has the engine's epoch advance every [`EPOCH_TICK`] from now on.
pub(crate) fn start_epochs(engine: &'static Engine) -> Result<(), Error> {
    let tick = move || {
        loop {
            thread::sleep(EPOCH_TICK);
            engine.increment_epoch();
        }
    };
    thread::Builder::new()
        .name("spoor-epochs".into())
        .spawn(tick)
        .map(drop)
        .map_err(|e| Error::Engine(format!("no thread for the engine's clock: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_zero_epochs() {
        assert_eq!(epochs(Duration::ZERO), 1);
        assert_eq!(epochs(Duration::from_millis(11)), 2);
        assert_eq!(epochs(Duration::MAX), u64::MAX / 2);
    }
}
