//! A guest's memory, as it is handed from thread to thread: without its empty pages, or only with
//! those that changed; and which these are.

use std::collections::BTreeMap;

use js_sys::{Uint8Array, WebAssembly};
use wasm_bindgen::prelude::*;

use crate::wire::PAGE;
use spoor_messages::Shape;

/// A page of WebAssembly's memory, in bytes.
const UNIT: u32 = 1 << 16;
/// How large a guest's memory becomes, in bytes; its code says the same.
const MAX_MEMORY: u32 = 1 << 31;

/// Runs of bytes, and where they belong.
pub struct Pages {
    bytes: Uint8Array,
    shape: Shape,
}

impl Pages {
    /// `bytes` holds the runs one after the other. It is an error if they do not fit each other.
    pub fn new(bytes: Uint8Array, shape: Shape) -> Result<Self, JsValue> {
        let total: u64 = shape
            .runs
            .iter()
            .map(|(_, length)| u64::from(*length))
            .sum();
        let fits = |(at, length): &(u32, u32)| {
            at.checked_add(*length)
                .is_some_and(|end| end <= shape.memory)
        };
        if total != u64::from(bytes.length()) || !shape.runs.iter().all(fits) {
            return Err("the image is not as long as the site says; load the page anew".into());
        }
        Ok(Self { bytes, shape })
    }

    /// How long the memory is, in bytes.
    pub fn memory(&self) -> u32 {
        self.shape.memory
    }

    /// Puts the runs into a memory of at least [`Pages::memory`] bytes that is zero elsewhere.
    pub fn place(&self, target: &Uint8Array) {
        let mut from = 0;
        for (at, length) in &self.shape.runs {
            target.set(&self.bytes.subarray(from, from + length), *at);
            from += length;
        }
    }

    /// The runs' bytes, one after the other.
    pub fn into_bytes(self) -> Uint8Array {
        self.bytes
    }
}

/// Makes `memory` at least `length` bytes long.
pub fn grow(memory: &WebAssembly::Memory, length: u32) -> Result<(), JsValue> {
    let have = Uint8Array::new(&memory.buffer()).length();
    let missing = length.saturating_sub(have).div_ceil(UNIT);
    if missing > 0 && memory.grow(missing) == u32::MAX {
        return Err("there is no memory left for Python's last good state".into());
    }
    Ok(())
}

/// How much of two memories is compared at once, in bytes. As much lies in the cache beside the code.
const BLOCK: u32 = 1 << 18;
/// How many bytes are compared between two branches.
const CHUNK: usize = 64;

/// Which pages of `now` are not as in `base`, which is as long and has them too afterwards: their
/// numbers, and their bytes one after the other.
///
/// Both are copied here block by block, and compared by words of 64 bits, which JavaScript does not
/// have: there it takes twice as long.
pub fn take_changes(now: &Uint8Array, base: &Uint8Array) -> (Vec<u32>, Uint8Array) {
    let mut blocks = [(); 2].map(|()| vec![0; BLOCK as usize]);
    let mut pages = Vec::new();
    for from in (0..now.length()).step_by(BLOCK as usize) {
        let length = (now.length() - from).min(BLOCK);
        let [is, was] = &mut blocks;
        let (is, was) = (&mut is[..length as usize], &mut was[..length as usize]);
        now.subarray(from, from + length).copy_to(is);
        base.subarray(from, from + length).copy_to(was);
        let both = is.chunks(PAGE as usize).zip(was.chunks(PAGE as usize));
        let changed = (from / PAGE..)
            .zip(both)
            .filter(|(_, (is, was))| differ(is, was));
        pages.extend(changed.map(|(number, _)| number));
    }
    let bytes = Uint8Array::new_with_length(pages.len() as u32 * PAGE);
    for (index, number) in (0u32..).zip(&pages) {
        let page = now.subarray(number * PAGE, (number + 1) * PAGE);
        base.set(&page, number * PAGE);
        bytes.set(&page, index * PAGE);
    }
    (pages, bytes)
}

/// Whether two pages differ. A function of its own, as a browser puts optimised code in the place of
/// slow code at calls only.
#[inline(never)]
fn differ(a: &[u8], b: &[u8]) -> bool {
    let (chunks_a, rest_a) = a.as_chunks();
    let (chunks_b, rest_b) = b.as_chunks();
    chunks_a.iter().zip(chunks_b).any(|(a, b)| unlike(a, b)) || rest_a != rest_b
}

/// Whether two chunks differ: word by word, with a single branch at the end.
fn unlike(a: &[u8; CHUNK], b: &[u8; CHUNK]) -> bool {
    let words = a.as_chunks().0.iter().zip(b.as_chunks().0);
    words.fold(0, |all, (a, b)| {
        all | (u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b))
    }) != 0
}

/// A guest's state over its image: the pages that its turns have changed, as the kernel's thread
/// keeps them.
#[derive(Default)]
pub struct State {
    length: u32,
    pages: BTreeMap<u32, Uint8Array>,
}

impl State {
    /// Takes in what changed. `None`, and nothing is taken in, if the numbers do not fit the bytes.
    pub fn take(&mut self, length: u32, pages: &[u32], bytes: &Uint8Array) -> Option<()> {
        if !fits(length, pages, bytes.length()) || length < self.length {
            return None;
        }
        self.length = length;
        for (index, page) in (0u32..).zip(pages) {
            // A copy of its own, so that the whole buffer does not live as long as one page of it.
            let own = bytes.slice(index * PAGE, (index + 1) * PAGE);
            self.pages.insert(*page, own);
        }
        Some(())
    }

    /// How long the memory is, in bytes, with the changed pages' numbers; and their bytes, one after
    /// the other. None before a turn was kept.
    pub fn packed(&self) -> Option<((u32, Vec<u32>), Uint8Array)> {
        if self.pages.is_empty() {
            return None;
        }
        let bytes = Uint8Array::new_with_length(self.pages.len() as u32 * PAGE);
        for (index, page) in (0u32..).zip(self.pages.values()) {
            bytes.set(page, index * PAGE);
        }
        Some(((self.length, self.pages.keys().copied().collect()), bytes))
    }
}

/// Whether `pages` lie in a memory of `length` bytes, and `bytes` is as long as they are together.
fn fits(length: u32, pages: &[u32], bytes: u32) -> bool {
    let last = length / PAGE;
    length <= MAX_MEMORY
        && length.is_multiple_of(UNIT)
        && pages.len() <= last as usize
        && pages.len() as u32 * PAGE == bytes
        && pages.iter().all(|page| *page < last)
}

/// Puts pages, whose bytes follow each other, into a memory. Pages that are not in it are left out.
pub fn place(target: &Uint8Array, pages: &[u32], bytes: &Uint8Array) {
    if fits(target.length(), pages, bytes.length()) {
        for (index, page) in (0u32..).zip(pages) {
            target.set(
                &bytes.subarray(index * PAGE, (index + 1) * PAGE),
                page * PAGE,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_makes_a_page_differ() {
        let page = vec![7; PAGE as usize];
        assert!(!differ(&page, &page.clone()));
        for at in [0, 1, 63, 64, PAGE as usize / 2, PAGE as usize - 1] {
            let mut other = page.clone();
            other[at] ^= 0x80;
            assert!(differ(&page, &other), "{at}");
        }
        assert!(differ(&page[..70], &[[7; 69].as_slice(), &[8]].concat()));
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        assert!(fits(2 * UNIT, &[0, 7], 2 * PAGE));
        assert!(fits(UNIT, &[], 0));
        for (length, pages, bytes) in [
            (2 * UNIT, &[0, 8][..], 2 * PAGE),
            (2 * UNIT, &[0][..], 2 * PAGE),
            (UNIT + 1, &[0][..], PAGE),
            (MAX_MEMORY + UNIT, &[0][..], PAGE),
            (0, &[0][..], PAGE),
            (UNIT, &[u32::MAX][..], PAGE),
        ] {
            assert!(!fits(length, pages, bytes), "{length} {pages:?} {bytes}");
        }
    }
}
