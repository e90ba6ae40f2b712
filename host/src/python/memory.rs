//! Linear memory as a mapping of files: an instant start, and checkpoints that cost what a turn
//! wrote.
//!
//! A guest's memory is mapped copy-on-write over two files. The image is shared by every
//! session and never written. The session's own file (without a name) takes whatever differs
//! from it, by units of [`UNIT`]. To [`Checkpoint::commit`] is to find the pages that were
//! written since the last time, write them to the own file, and drop the private copies, so that
//! the mapping shows the same bytes again. To [`Checkpoint::restore`] is to map both files into
//! a fresh instance.
//!
//! Which pages were written comes from `/proc/self/pagemap`: a page of a private file mapping is
//! anonymous once it has been written. Where that cannot be read the bytes are compared instead,
//! which is slower and needs nothing of the system.
//!
//! [`super::instance`] calls this between turns, when no WebAssembly code runs.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::ptr::NonNull;
use std::sync::Arc;

use rustix::mm::{Advice, MapFlags, ProtFlags};

/// The unit of what is in the own file: a WebAssembly page, which is a multiple of the system's.
pub const UNIT: usize = 64 << 10;

/// Where an instance's linear memory is, while no code runs in it.
#[derive(Debug, Clone, Copy)]
pub struct View {
    base: NonNull<u8>,
    len: usize,
}

impl View {
    /// A view of the `len` bytes at `base`.
    ///
    /// # Safety
    /// The bytes must be readable and writable private memory, aligned to [`UNIT`]'s pages and
    /// in one mapping that its owner only protects and unmaps; nobody may hold a reference into
    /// it or run code on it while the view is used.
    pub unsafe fn new(base: *mut u8, len: usize) -> io::Result<Self> {
        let base = NonNull::new(base).ok_or_else(|| io::Error::other("no memory"))?;
        if !len.is_multiple_of(UNIT)
            || !base.addr().get().is_multiple_of(rustix::param::page_size())
        {
            return Err(io::Error::other("a memory that is not made of whole pages"));
        }
        Ok(Self { base, len })
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn slice(&self, at: usize, len: usize) -> io::Result<&[u8]> {
        if at.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(io::Error::other("past the end of the memory"));
        }
        // SAFETY: in bounds as just checked; readable and unaliased by `new`'s contract.
        Ok(unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(at), len) })
    }

    /// Maps `len` bytes of `file` from offset `at` over the same part of the memory.
    fn map(&self, file: &File, at: usize, len: usize) -> io::Result<()> {
        let place = self.slice(at, len)?.as_ptr().cast_mut().cast();
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::PRIVATE | MapFlags::FIXED;
        // SAFETY: the range is the view's own, and stays readable and writable.
        unsafe { rustix::mm::mmap(place, len, protection, flags, file, at as u64) }?;
        Ok(())
    }

    /// Drops the private copies of `len` bytes at `at`: the files show through again.
    fn forget(&self, at: usize, len: usize) -> io::Result<()> {
        let place = self.slice(at, len)?.as_ptr().cast_mut().cast();
        // SAFETY: the range is the view's own; the caller has written these bytes to the file
        // that is mapped there, so the memory reads the same afterwards.
        unsafe { rustix::mm::madvise(place, len, Advice::LinuxDontNeed) }?;
        Ok(())
    }
}

/// The memory of the last good turn.
#[derive(Debug)]
pub struct Checkpoint {
    image: Arc<File>,
    image_len: usize,
    own: File,
    /// For each unit, whether the own file has it (else the image, else zeros).
    owned: Vec<bool>,
    pagemap: Option<File>,
}

impl Checkpoint {
    /// The checkpoint of a guest that has not run yet: the image, which is `image_len` bytes
    /// long.
    pub fn new(image: Arc<File>, image_len: usize) -> io::Result<Self> {
        if !image_len.is_multiple_of(UNIT) {
            return Err(io::Error::other(
                "the image is not made of whole WebAssembly pages",
            ));
        }
        let own = own_file()?;
        Ok(Self {
            image,
            image_len,
            own,
            owned: vec![false; image_len / UNIT],
            pagemap: open_pagemap(),
        })
    }

    /// How long the memory was, in bytes.
    pub fn len(&self) -> usize {
        self.owned.len() * UNIT
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.owned.is_empty()
    }

    /// Puts the checkpoint into the memory of a fresh instance, which must be as long.
    pub fn restore(&self, memory: View) -> io::Result<()> {
        if memory.len() != self.len() {
            return Err(io::Error::other("the instance's memory has another length"));
        }
        if self.image_len > 0 {
            memory.map(&self.image, 0, self.image_len)?;
        }
        let owned = Pages {
            flags: self.owned.clone(),
            size: UNIT,
        };
        owned
            .runs()
            .into_iter()
            .try_for_each(|(at, len)| memory.map(&self.own, at, len))
    }

    /// Takes the memory as it is now, which [`Checkpoint::restore`] has prepared. The memory reads
    /// as before, whether this succeeds or not; after an error the checkpoint must not be
    /// restored any more.
    pub fn commit(&mut self, memory: View) -> io::Result<()> {
        if memory.len() < self.len() {
            return Err(io::Error::other("the instance's memory has shrunk"));
        }
        self.owned.resize(memory.len() / UNIT, false);
        self.own.set_len(memory.len() as u64)?;
        let dirty = match &self.pagemap {
            Some(pagemap) => written_pages(pagemap, memory)?,
            None => self.changed_units(memory)?,
        };
        let fresh = self.adopt(&dirty, memory)?;
        for (at, len) in dirty.without(&fresh).runs() {
            self.own.write_all_at(memory.slice(at, len)?, at as u64)?;
            memory.forget(at, len)?;
        }
        Ok(())
    }

    /// Moves to the own file the units that have dirty pages and are not there yet. Returns
    /// which those are.
    fn adopt(&mut self, dirty: &Pages, memory: View) -> io::Result<Pages> {
        let mut fresh = Pages {
            flags: vec![false; self.owned.len()],
            size: UNIT,
        };
        for (at, len) in dirty.runs() {
            for unit in at / UNIT..(at + len).div_ceil(UNIT) {
                fresh.flags[unit] = !self.owned[unit];
            }
        }
        for (at, len) in fresh.runs() {
            self.own.write_all_at(memory.slice(at, len)?, at as u64)?;
            memory.map(&self.own, at, len)?;
        }
        self.owned
            .iter_mut()
            .zip(&fresh.flags)
            .for_each(|(owned, fresh)| *owned |= fresh);
        Ok(fresh)
    }

    /// The units whose bytes differ from the checkpoint's.
    fn changed_units(&self, memory: View) -> io::Result<Pages> {
        let mut kept = vec![0; UNIT];
        let mut flags = vec![false; self.owned.len()];
        for (unit, changed) in flags.iter_mut().enumerate() {
            let at = unit * UNIT;
            if self.owned[unit] {
                self.own.read_exact_at(&mut kept, at as u64)?;
            } else if at < self.image_len {
                self.image.read_exact_at(&mut kept, at as u64)?;
            } else {
                kept.fill(0);
            }
            *changed = memory.slice(at, UNIT)? != kept;
        }
        Ok(Pages { flags, size: UNIT })
    }
}

/// Some of a memory's pages, each of `size` bytes.
struct Pages {
    flags: Vec<bool>,
    size: usize,
}

impl Pages {
    /// The runs of marked pages, as (offset, length) in bytes.
    fn runs(&self) -> Vec<(usize, usize)> {
        let mut at = 0;
        let mut out = Vec::new();
        for chunk in self.flags.chunk_by(|a, b| a == b) {
            let len = chunk.len() * self.size;
            if chunk.first() == Some(&true) {
                out.push((at, len));
            }
            at += len;
        }
        out
    }

    /// These pages but for those in `others`, which are no smaller.
    fn without(&self, others: &Pages) -> Pages {
        let in_others =
            |page: usize| others.flags.get(page * self.size / others.size) == Some(&true);
        let flags = self
            .flags
            .iter()
            .enumerate()
            .map(|(page, flag)| *flag && !in_others(page))
            .collect();
        Pages {
            flags,
            size: self.size,
        }
    }
}

/// A file that only this process sees and that lives in memory where the system has such.
fn own_file() -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        let fd: OwnedFd =
            rustix::fs::memfd_create("spoor-python", rustix::fs::MemfdFlags::CLOEXEC)?;
        Ok(File::from(fd))
    }
    #[cfg(not(target_os = "linux"))]
    tempfile::tempfile()
}

/// The system's word on every page, if it can be had and tells the truth.
fn open_pagemap() -> Option<File> {
    let pagemap = File::open("/proc/self/pagemap").ok()?;
    let page = rustix::param::page_size();
    // A page of a vector that was just written: it must show as written, or nothing can be told.
    let probe = std::hint::black_box(vec![1u8; 2 * page]);
    let at = probe.as_ptr().addr().next_multiple_of(page);
    let mut entry = [0; 8];
    pagemap
        .read_exact_at(&mut entry, (at / page * 8) as u64)
        .ok()?;
    is_written(u64::from_ne_bytes(entry)).then_some(pagemap)
}

/// The kernel's documentation, admin-guide/mm/pagemap: bit 63 is "present", bit 62 "swapped",
/// bit 61 "file-page or shared-anon".
fn is_written(entry: u64) -> bool {
    entry >> 62 != 0 && entry >> 61 & 1 == 0
}

/// The pages written since they were mapped.
fn written_pages(pagemap: &File, memory: View) -> io::Result<Pages> {
    let page = rustix::param::page_size();
    let mut entries = vec![0; memory.len() / page * 8];
    let first = memory.base.addr().get() / page * 8;
    pagemap.read_exact_at(&mut entries, first as u64)?;
    let word = |bytes: &[u8]| bytes.try_into().map(u64::from_ne_bytes).unwrap_or(u64::MAX);
    let flags = entries
        .chunks_exact(8)
        .map(|bytes| is_written(word(bytes)))
        .collect();
    Ok(Pages { flags, size: page })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use super::*;

    /// A stand-in for an instance's memory, with room to grow.
    struct Memory {
        base: *mut u8,
        len: usize,
    }

    const ROOM: usize = 64 * UNIT;

    impl Memory {
        fn new(len: usize) -> Self {
            let protection = ProtFlags::READ | ProtFlags::WRITE;
            // SAFETY: a new mapping at a place of the system's choice.
            let base = unsafe {
                rustix::mm::mmap_anonymous(
                    std::ptr::null_mut(),
                    ROOM,
                    protection,
                    MapFlags::PRIVATE,
                )
                .unwrap()
            };
            Self {
                base: base.cast(),
                len,
            }
        }

        fn view(&self) -> View {
            // SAFETY: these pages are this test's own.
            unsafe { View::new(self.base, self.len).unwrap() }
        }

        fn write(&mut self, at: usize, bytes: &[u8]) {
            assert!(at + bytes.len() <= self.len);
            // SAFETY: in bounds, and no view is in use.
            unsafe {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.base.add(at), bytes.len())
            };
        }

        fn read(&self) -> Vec<u8> {
            self.view().slice(0, self.len).unwrap().to_vec()
        }
    }

    impl Drop for Memory {
        fn drop(&mut self) {
            // SAFETY: mapped in `new`, and not used after.
            unsafe { rustix::mm::munmap(self.base.cast(), ROOM).unwrap() };
        }
    }

    fn image(units: usize) -> (Arc<File>, usize) {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..units * UNIT).map(|i| (i / 1000) as u8).collect();
        file.write_all(&bytes).unwrap();
        (Arc::new(file), bytes.len())
    }

    fn both_ways(test: fn(Checkpoint, usize)) {
        let (file, len) = image(5);
        test(Checkpoint::new(file.clone(), len).unwrap(), len);
        let mut comparing = Checkpoint::new(file, len).unwrap();
        comparing.pagemap = None;
        test(comparing, len);
    }

    #[test]
    fn a_turn_that_fails_leaves_no_trace() {
        both_ways(|mut kept, len| {
            let mut memory = Memory::new(len);
            kept.restore(memory.view()).unwrap();
            memory.write(3 * UNIT + 17, b"good");
            let good = memory.read();
            kept.commit(memory.view()).unwrap();
            assert_eq!(memory.read(), good);
            memory.write(3 * UNIT + 17, b"bad!");
            memory.write(0, &[7; 3 * UNIT]);
            let next = Memory::new(len);
            kept.restore(next.view()).unwrap();
            assert_eq!(next.read(), good);
        });
    }

    #[test]
    fn memory_that_grew_is_kept_too() {
        both_ways(|mut kept, len| {
            let mut memory = Memory::new(len);
            kept.restore(memory.view()).unwrap();
            for turn in 1..6u8 {
                memory.len += 2 * UNIT;
                let end = memory.len - 3;
                memory.write(end, &[turn; 3]);
                memory.write(usize::from(turn) * 5000, &[turn; 9000]);
                kept.commit(memory.view()).unwrap();
            }
            let next = Memory::new(memory.len);
            kept.restore(next.view()).unwrap();
            assert_eq!(next.read(), memory.read());
        });
    }

    #[test]
    fn only_what_was_written_is_the_sessions_own() {
        both_ways(|mut kept, len| {
            let mut memory = Memory::new(len);
            kept.restore(memory.view()).unwrap();
            kept.commit(memory.view()).unwrap();
            assert!(!kept.owned.contains(&true));
            memory.write(2 * UNIT, b"x");
            kept.commit(memory.view()).unwrap();
            assert_eq!(kept.owned, [false, false, true, false, false]);
        });
    }

    #[test]
    fn a_memory_of_another_length_is_refused() {
        let (file, len) = image(2);
        let kept = Checkpoint::new(file, len).unwrap();
        assert!(kept.restore(Memory::new(len + UNIT).view()).is_err());
    }
}
