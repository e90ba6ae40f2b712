//! The exports of `kernel.wasm`: a driver's way to [`Kernel::step`].
//!
//! A driver asks `alloc` for room, writes an encoded event there, calls `step` with it, reads the
//! encoded effects at the place that comes back, and frees both with `dealloc`. One kernel lives in
//! an instance; a session is an instance.

use std::alloc::Layout;
use std::cell::RefCell;

use spoor_protocol::{Effect, Effects, Event, Frame, PROTOCOL_VERSION};

use crate::Kernel;
use crate::output::without_large_outputs;

/// Frames begin at multiples of this, so that Arrow can read their buffers in place.
const ALIGN: usize = 16;

thread_local! {
    static KERNEL: RefCell<Kernel> = RefCell::new(Kernel::new());
}

/// The version of the protocol that this kernel speaks.
#[unsafe(no_mangle)]
pub extern "C" fn spoor_kernel_protocol() -> i32 {
    PROTOCOL_VERSION as i32
}

/// Room for `len` bytes; 0 if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn alloc(len: usize) -> *mut u8 {
    match layout(len) {
        // SAFETY: the layout's size is not zero.
        Some(layout) => unsafe { std::alloc::alloc(layout) },
        None => std::ptr::null_mut(),
    }
}

/// Gives back the room of `len` bytes at `ptr`.
///
/// # Safety
/// `ptr` is 0, or comes from `alloc` or `step` with the same `len` and has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dealloc(ptr: *mut u8, len: usize) {
    if let (false, Some(layout)) = (ptr.is_null(), layout(len)) {
        // SAFETY: by the function's contract the memory was allocated with this layout.
        unsafe { std::alloc::dealloc(ptr, layout) }
    }
}

/// Takes the encoded event of `len` bytes at `ptr` (which stays the driver's) and gives the
/// encoded effects as `ptr << 32 | len`, to be freed with `dealloc`; 0 if memory is out.
///
/// # Safety
/// `ptr` comes from `alloc` and has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn step(ptr: *const u8, len: usize) -> i64 {
    let bytes = if ptr.is_null() {
        &[]
    } else {
        // SAFETY: by the function's contract there are `len` bytes, and no one writes meanwhile.
        unsafe { std::slice::from_raw_parts(ptr, len) }
    };
    let effects = match Frame::<Event>::decode(bytes) {
        Ok(frame) => KERNEL.with_borrow_mut(|kernel| kernel.step(frame)),
        Err(error) => refusal(error.to_string()),
    };
    let encoded = effects
        .encode()
        .or_else(|_| without_large_outputs(effects).encode())
        .or_else(|error| refusal(error.to_string()).encode());
    hand_out(&encoded.unwrap_or_default())
}

fn refusal(reason: String) -> Frame<Effects> {
    Frame::new(vec![Effect::Refuse { reason }])
}

fn hand_out(bytes: &[u8]) -> i64 {
    let ptr = alloc(bytes.len());
    if ptr.is_null() {
        return 0;
    }
    // SAFETY: `alloc` gave room for as many bytes, apart from `bytes`.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), ptr, bytes.len()) };
    ((ptr as usize as i64) << 32) | bytes.len() as i64
}

fn layout(len: usize) -> Option<Layout> {
    Layout::from_size_align(len.max(1), ALIGN).ok()
}
