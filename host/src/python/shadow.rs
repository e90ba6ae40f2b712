//! The calls of preview 1 whose ways in wasmtime-wasi do not suit a session: sleeping, which
//! must end at an interrupt or a limit, and writing, which must have an end at all.
//!
//! Each stands before wasmtime-wasi's own function of the same name and, where it can, leaves
//! the work to that. Whatever the guest passes is checked; what is wrong is an errno.

mod quota;
mod sleep;

use std::future::Future;

use wasmtime::{AsContextMut, Caller, Extern, Linker, Memory};
use wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1;
use wiggle::GuestMemory;

use super::instance::State;
use super::wasi::System;

pub use quota::Quota;

/// The module whose functions these are.
const MODULE: &str = "wasi_snapshot_preview1";

/// Preview 1's numbers for errors, as far as they are given here.
mod errno {
    pub const SUCCESS: i32 = 0;
    pub const FAULT: i32 = 21;
    pub const INVAL: i32 = 28;
    pub const NOMEM: i32 = 48;
    pub const NOSPC: i32 = 51;
}

/// Puts these calls before those that `linker` has.
pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    sleep::add_to_linker(linker)?;
    quota::add_to_linker(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn memory_of(caller: &mut Caller<'_, State>) -> wasmtime::Result<Memory> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => wasmtime::bail!("the guest exports no memory"),
    }
}

/// The guest's memory and its system, as wasmtime-wasi's own functions want them.
fn parts<'a>(
    caller: &'a mut Caller<'_, State>,
) -> wasmtime::Result<(GuestMemory<'a>, &'a mut System)> {
    let memory = memory_of(caller)?;
    let fuel = caller.as_context_mut().hostcall_fuel();
    let (bytes, state) = memory.data_and_store_mut(caller);
    state.system.ctx.set_hostcall_fuel(fuel);
    Ok((GuestMemory::Unshared(bytes), &mut state.system))
}

/// Waits for one of wasmtime-wasi's functions. With blocking allowed they are done at once.
fn finish<F: Future>(call: F) -> F::Output {
    wasmtime_wasi::runtime::in_tokio(call)
}

/// The little-endian numbers at `at` in `bytes`.
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let part = bytes.get(at..at.checked_add(4)?)?;
    part.try_into().ok().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(8)?)?;
    part.try_into().ok().map(u64::from_le_bytes)
}
