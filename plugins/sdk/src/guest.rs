//! The module's side of the ABI in WebAssembly: memory for the call's frame, the answer's number, and the last words.

use core::sync::atomic::{AtomicU32, Ordering};

use spoor_plugin_abi::Packed;

use crate::describe::Plugin;

/// Where the host looks after a trap: pointer and length of what is to be said.
#[repr(C)]
pub struct LastWords {
    pointer: AtomicU32,
    length: AtomicU32,
}

impl LastWords {
    /// Nothing to say.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        LastWords {
            pointer: AtomicU32::new(0),
            length: AtomicU32::new(0),
        }
    }

    fn set(&self, text: String) {
        let text = text.leak();
        self.pointer
            .store(text.as_ptr() as usize as u32, Ordering::Relaxed);
        self.length.store(text.len() as u32, Ordering::Relaxed);
    }
}

/// The export `alloc`: room that is never freed, for an instance serves one call.
pub fn alloc(length: u32) -> *mut u8 {
    let words = (length as usize).div_ceil(8);
    let mut room: Vec<u64> = Vec::new();
    if room.try_reserve_exact(words.max(1)).is_err() {
        return core::ptr::null_mut();
    }
    std::mem::ManuallyDrop::new(room).as_mut_ptr().cast()
}

/// The export `call`.
///
/// # Safety
/// `pointer` and `length` are a range that [`alloc`] gave and the host has written.
pub unsafe fn call(
    plugin: &Plugin,
    last_words: &'static LastWords,
    pointer: *const u8,
    length: u32,
) -> i64 {
    std::panic::set_hook(Box::new(|panic| {
        last_words.set(panic.to_string());
    }));
    // SAFETY: the caller's promise; nothing writes to the range while the call runs.
    let frame = unsafe { core::slice::from_raw_parts(pointer, length as usize) };
    match crate::call::call(plugin, frame) {
        Ok(answer) => packed(false, answer),
        Err(message) => packed(true, message.into_bytes()),
    }
}

fn packed(failed: bool, bytes: Vec<u8>) -> i64 {
    let bytes = bytes.leak();
    let packed = Packed {
        failed,
        pointer: bytes.as_ptr() as usize as u32,
        length: bytes.len() as u32,
    };
    // An instance with 2 GiB of memory or more has no number for this: an empty error says so.
    packed.to_i64().unwrap_or(i64::MIN)
}
