//! `memcmp` for kernel.wasm. The WASI C library's goes byte by byte, and a group-by or a join on
//! text compares a string for each row: a group-by of a million rows took about a fifth less time
//! with this one. The linker prefers it, since the library's is only for those who have none.

use std::cmp::Ordering;
use std::ffi::{c_int, c_void};

/// Compares the `len` bytes at `left` and at `right`, as C's function of that name.
///
/// # Safety
/// Both must be readable for `len` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const c_void, right: *const c_void, len: usize) -> c_int {
    let (left, right) = (left.cast::<u8>(), right.cast::<u8>());
    // SAFETY: every offset below is at most `len` less the bytes that are read there.
    let order = unsafe {
        match len {
            8.. => words(left, right, len),
            4.. => narrow(left, right, 0).then_with(|| narrow(left, right, len - 4)),
            _ => bytes(left, right, len),
        }
    };
    order as c_int
}

/// Eight bytes at a time, the last of them the end of both, whatever was seen of it.
unsafe fn words(left: *const u8, right: *const u8, len: usize) -> Ordering {
    let word = |from: *const u8, at: usize| unsafe { from.add(at).cast::<u64>().read_unaligned() };
    let differ = |at| word(left, at) != word(right, at);
    let last = len - 8;
    let mut at = 0;
    while at < last && !differ(at) {
        at += 8;
    }
    let at = at.min(last);
    word(left, at)
        .swap_bytes()
        .cmp(&word(right, at).swap_bytes())
}

unsafe fn narrow(left: *const u8, right: *const u8, at: usize) -> Ordering {
    let word = |from: *const u8| unsafe { from.add(at).cast::<u32>().read_unaligned() };
    word(left).swap_bytes().cmp(&word(right).swap_bytes())
}

unsafe fn bytes(left: *const u8, right: *const u8, len: usize) -> Ordering {
    let byte = |from: *const u8, at: usize| unsafe { *from.add(at) };
    let differs = (0..len).find(|&at| byte(left, at) != byte(right, at));
    differs.map_or(Ordering::Equal, |at| byte(left, at).cmp(&byte(right, at)))
}
