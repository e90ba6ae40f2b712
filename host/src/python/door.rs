//! The guest's one import of Spoor's: `host.call(ptr, len, out_ptr_ptr, out_len_ptr) -> i32`.
//!
//! The request is copied out of linear memory, answered, and the answer put into memory that
//! the guest's own `host_alloc` gives. Every address and length the guest names is checked.

use serde_json::json;
use spoor_protocol::{Frame, FrameError};
use wasmtime::{Caller, Extern, Linker, Memory};

use super::instance::{State, heed};
use crate::error::Error;

/// The request was answered.
const ANSWERED: i32 = 0;
/// The request could not be read, or the answer not be placed.
const FAULT: i32 = -2;
/// The most bytes that one request has. The kernel keeps several copies of one within its memory.
const MAX_REQUEST: usize = 512 << 20;
/// The most bytes that one answer has: its length is an i32 in the guest.
const MAX_ANSWER: usize = i32::MAX as usize;

/// Why a turn was stopped by the door.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DoorFailed(#[from] pub Error);

/// Adds the import to `linker`.
pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap("host", "call", call)?;
    Ok(())
}

fn call(
    mut caller: Caller<'_, State>,
    ptr: u32,
    len: u32,
    out_ptr: u32,
    out_len: u32,
) -> wasmtime::Result<i32> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return Ok(FAULT);
    };
    heed(&mut caller, memory)?;
    let answer = if len as usize > MAX_REQUEST {
        refusal(len as usize)?
    } else {
        let Some(request) = part(&caller, memory, ptr, len) else {
            return Ok(FAULT);
        };
        (caller.data_mut().ask)(request).map_err(DoorFailed)?
    };
    if answer.len() > MAX_ANSWER {
        return Ok(FAULT);
    }
    place(&mut caller, memory, &answer, out_ptr, out_len)
}

/// The answer to a request of `len` bytes, which is too large to be passed on: the kernel's own
/// way of refusing.
fn refusal(len: usize) -> Result<Vec<u8>, FrameError> {
    let message = format!(
        "this call hands over {} MiB at once, and the limit is {} MiB: hand over fewer rows or \
         columns, or do it in several calls",
        len >> 20,
        MAX_REQUEST >> 20
    );
    let header = json!({
        "ok": false,
        "ename": "ValueError",
        "evalue": message,
        "message": message,
        "traceback": [format!("ValueError: {message}")],
    });
    Frame::new(header).encode()
}

fn part(caller: &Caller<'_, State>, memory: Memory, ptr: u32, len: u32) -> Option<Vec<u8>> {
    let start = ptr as usize;
    let end = start.checked_add(len as usize)?;
    memory.data(caller).get(start..end).map(<[u8]>::to_vec)
}

fn place(
    caller: &mut Caller<'_, State>,
    memory: Memory,
    answer: &[u8],
    out_ptr: u32,
    out_len: u32,
) -> wasmtime::Result<i32> {
    let Some(Extern::Func(alloc)) = caller.get_export("host_alloc") else {
        return Ok(FAULT);
    };
    let len = u32::try_from(answer.len())?;
    let ptr = alloc.typed::<u32, u32>(&caller)?.call(&mut *caller, len)?;
    if ptr == 0 {
        return Ok(FAULT);
    }
    let placed = memory
        .write(&mut *caller, ptr as usize, answer)
        .and_then(|()| memory.write(&mut *caller, out_ptr as usize, &ptr.to_le_bytes()))
        .and_then(|()| memory.write(&mut *caller, out_len as usize, &len.to_le_bytes()));
    Ok(if placed.is_ok() { ANSWERED } else { FAULT })
}
