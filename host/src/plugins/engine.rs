//! The wasmtime engine that plugins run in: not the kernel's, so that a plugin gets a smaller stack and fewer proposals, and
//! so that any thread of the usual 2 MiB can call one.

use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::engine::start_epochs;
use crate::error::Error;

/// The stack of a call, in bytes: four times what the gate lets a plugin use by its own count.
const STACK: usize = 4 * spoor_gate::DEFAULT_STACK as usize;

/// Calls that run at once, each in memory of the engine's pool; others wait. A plugin cannot call another, so that none waits for itself.
const AT_ONCE: u32 = 32;

/// Entries of a store's tables, and how many tables: the gate's caps.
pub(super) const TABLE_ENTRIES: usize = 100_000;
const TABLES: u32 = 4;

/// Bytes of a call's memory that are wiped in place for the next one, which is faster than giving them back.
const WIPED_IN_PLACE: usize = 1 << 20;

/// How often whoever waits for a place looks whether it is still wanted.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The engine, made on first use; its epoch advances as [`crate::engine::EPOCH_TICK`] says.
pub fn shared() -> Result<&'static Engine, Error> {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    if let Some(engine) = ENGINE.get() {
        return Ok(engine);
    }
    // Where the system has no address space to spare, instances are made one by one.
    let fresh = Engine::new(&pooled()).or_else(|_| Engine::new(&config()));
    let fresh = fresh.map_err(|e| Error::Engine(format!("{e:#}")))?;
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

/// Instances from a pool of memory: it is mapped once, and what a call wrote is wiped before the next one sees it.
fn pooled() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(AT_ONCE)
        .total_memories(AT_ONCE)
        .total_tables(AT_ONCE * TABLES)
        .total_stacks(1)
        .total_gc_heaps(1)
        .max_memories_per_module(1)
        .max_tables_per_module(TABLES)
        .table_elements(TABLE_ENTRIES)
        .max_memory_size(1 << 32)
        .linear_memory_keep_resident(WIPED_IN_PLACE)
        .table_keep_resident(WIPED_IN_PLACE);
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// How many calls run.
static RUNNING: Mutex<u32> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// A place among the calls that run at once, until it is dropped.
pub(super) struct Place(());

impl Place {
    /// Waits for one; none once `unwanted` says so.
    pub(super) fn take(unwanted: impl Fn() -> bool) -> Option<Place> {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        while *running >= AT_ONCE {
            if unwanted() {
                return None;
            }
            let waited = ENDED.wait_timeout(running, LOOK_AGAIN);
            running = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *running += 1;
        Some(Place(()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ENDED.notify_one();
    }
}
