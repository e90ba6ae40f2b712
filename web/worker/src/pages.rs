//! A guest's memory as it is before its first turn, without its empty pages.

use js_sys::{Uint8Array, WebAssembly};
use wasm_bindgen::prelude::*;

/// A page of WebAssembly's memory, in bytes.
const PAGE: u32 = 1 << 16;

/// Runs of bytes, and where they belong.
pub struct Pages {
    bytes: Uint8Array,
    memory: u32,
    runs: Vec<(u32, u32)>,
}

impl Pages {
    /// `bytes` holds the runs one after the other; each is an offset in a memory of `memory` bytes
    /// and a length. It is an error if they do not fit each other.
    pub fn new(bytes: Uint8Array, memory: u32, runs: Vec<(u32, u32)>) -> Result<Self, JsValue> {
        let total: u64 = runs.iter().map(|(_, length)| u64::from(*length)).sum();
        let fits = |(at, length): &(u32, u32)| at.checked_add(*length).is_some_and(|e| e <= memory);
        if total != u64::from(bytes.length()) || !runs.iter().all(fits) {
            return Err("the image is not as long as the site says; load the page anew".into());
        }
        Ok(Self {
            bytes,
            memory,
            runs,
        })
    }

    /// Puts the runs into a new memory, which is zero elsewhere.
    pub fn place(&self, memory: &WebAssembly::Memory) -> Result<(), JsValue> {
        grow(memory, self.memory)?;
        let target = Uint8Array::new(&memory.buffer());
        let mut from = 0;
        for (at, length) in &self.runs {
            target.set(&self.bytes.subarray(from, from + length), *at);
            from += length;
        }
        Ok(())
    }
}

/// Makes `memory` at least `length` bytes long.
pub fn grow(memory: &WebAssembly::Memory, length: u32) -> Result<(), JsValue> {
    let have = Uint8Array::new(&memory.buffer()).length();
    let missing = length.saturating_sub(have).div_ceil(PAGE);
    if missing > 0 && memory.grow(missing) == u32::MAX {
        return Err("there is no memory left for Python's last good state".into());
    }
    Ok(())
}
