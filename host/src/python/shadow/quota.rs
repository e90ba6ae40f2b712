//! How much a session's guest may write to its files, and the calls that write.
//!
//! Counted is how much files grow, and something for every file, folder and link that is made.
//! So what is counted is never less than what is on the disk, however the guest writes: over
//! and over, with holes, or to files that it has deleted and still has open.

use wasmtime::{Caller, Linker};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::types::{Fd, Filetype};
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as preview1, WasiSnapshotPreview1};
use wiggle::GuestMemory;

use super::super::instance::State;
use super::super::wasi::{Output, System};
use super::{MODULE, errno, finish, parts, u32_at};

/// What is counted for a new file, folder or link.
const ENTRY: u64 = 4096;
/// The flag of `path_open` that makes a file.
const CREATE: i32 = 1;
/// The most parts of a write that are looked at.
const PARTS: usize = 1024;

pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "fd_write", fd_write)?;
    linker.func_wrap(MODULE, "fd_pwrite", fd_pwrite)?;
    linker.func_wrap(MODULE, "fd_filestat_set_size", fd_filestat_set_size)?;
    linker.func_wrap(MODULE, "path_open", path_open)?;
    linker.func_wrap(MODULE, "path_create_directory", path_create_directory)?;
    linker.func_wrap(MODULE, "path_link", path_link)?;
    linker.func_wrap(MODULE, "path_symlink", path_symlink)?;
    Ok(())
}

/// What the guest may still write.
pub struct Quota {
    limit: u64,
    left: u64,
    output: Output,
    /// Whether the cell was told that there is no space left.
    told: bool,
}

impl Quota {
    /// A quota of `limit` bytes. Its end is told to `output`.
    pub fn new(limit: u64, output: Output) -> Self {
        Self {
            limit,
            left: limit,
            output,
            told: false,
        }
    }

    /// Whether there is room for `bytes` more.
    fn has(&mut self, bytes: u64) -> bool {
        if bytes <= self.left {
            return true;
        }
        if !std::mem::replace(&mut self.told, true) {
            let note = format!(
                "spoor: Python has no space left for files: {} MiB is all that a session may write. \
                 Deleting files gives none of it back; keep data in variables, or restart the session\n",
                self.limit >> 20
            );
            (self.output)(2, note.as_bytes());
        }
        false
    }

    /// A file grew, or shrank, from `before` to `after` bytes.
    fn resized(&mut self, before: u64, after: u64) {
        self.left = self.left.saturating_sub(after.saturating_sub(before));
        let back = self.left.saturating_add(before.saturating_sub(after));
        self.left = back.min(self.limit);
    }
}

fn fd_write(
    mut caller: Caller<'_, State>,
    fd: i32,
    list: i32,
    count: i32,
    written: i32,
) -> wasmtime::Result<i32> {
    let (mut memory, system) = parts(&mut caller)?;
    let Some(before) = room(system, &mut memory, fd, list, count) else {
        return Ok(errno::NOSPC);
    };
    let errno = finish(preview1::fd_write(
        &mut system.ctx,
        &mut memory,
        fd,
        list,
        count,
        written,
    ))?;
    resized(system, &mut memory, fd, before);
    Ok(errno)
}

fn fd_pwrite(
    mut caller: Caller<'_, State>,
    fd: i32,
    list: i32,
    count: i32,
    offset: i64,
    written: i32,
) -> wasmtime::Result<i32> {
    let (mut memory, system) = parts(&mut caller)?;
    let Some(before) = room(system, &mut memory, fd, list, count) else {
        return Ok(errno::NOSPC);
    };
    let errno = finish(preview1::fd_pwrite(
        &mut system.ctx,
        &mut memory,
        fd,
        list,
        count,
        offset,
        written,
    ))?;
    resized(system, &mut memory, fd, before);
    Ok(errno)
}

fn fd_filestat_set_size(
    mut caller: Caller<'_, State>,
    fd: i32,
    size: i64,
) -> wasmtime::Result<i32> {
    let (mut memory, system) = parts(&mut caller)?;
    let before = file_size(&mut system.ctx, &mut memory, fd);
    let more = before.map_or(0, |before| size.cast_unsigned().saturating_sub(before));
    if !system.quota.has(more) {
        return Ok(errno::NOSPC);
    }
    let errno = finish(preview1::fd_filestat_set_size(
        &mut system.ctx,
        &mut memory,
        fd,
        size,
    ))?;
    resized(system, &mut memory, fd, before);
    Ok(errno)
}

/// The size of the file that is to be written to, if it is a file. None if there is no room for
/// the write: wasmtime-wasi writes the first part that is not empty.
fn room(
    system: &mut System,
    memory: &mut GuestMemory<'_>,
    fd: i32,
    list: i32,
    count: i32,
) -> Option<Option<u64>> {
    let before = file_size(&mut system.ctx, memory, fd);
    let len = match (before, memory) {
        (Some(_), GuestMemory::Unshared(bytes)) => first_part(bytes, list, count),
        _ => 0,
    };
    system.quota.has(len).then_some(before)
}

/// The length of the first part that is not empty. A list outside of memory has none; the write
/// itself will say what is wrong with it.
fn first_part(bytes: &[u8], list: i32, count: i32) -> u64 {
    let list = list.cast_unsigned() as usize;
    let parts = (count.cast_unsigned() as usize).min(PARTS);
    let mut lengths = (0..parts).map_while(|part| u32_at(bytes, list.checked_add(part * 8 + 4)?));
    lengths.find(|len| *len > 0).map_or(0, u64::from)
}

/// The size of the file that `fd` is; none for a stream, a folder, or nothing.
fn file_size(ctx: &mut WasiP1Ctx, memory: &mut GuestMemory<'_>, fd: i32) -> Option<u64> {
    let stat = finish(ctx.fd_filestat_get(memory, Fd::from(fd.cast_unsigned()))).ok()?;
    (stat.filetype == Filetype::RegularFile).then_some(stat.size)
}

fn resized(system: &mut System, memory: &mut GuestMemory<'_>, fd: i32, before: Option<u64>) {
    let Some(before) = before else { return };
    if let Some(after) = file_size(&mut system.ctx, memory, fd) {
        system.quota.resized(before, after);
    }
}

/// Counts what was made, if it was.
fn made(system: &mut System, errno: i32) -> i32 {
    if errno == errno::SUCCESS {
        system.quota.resized(0, ENTRY);
    }
    errno
}

#[allow(clippy::too_many_arguments)] // preview 1's own
fn path_open(
    mut caller: Caller<'_, State>,
    dir: i32,
    lookup: i32,
    path: i32,
    len: i32,
    flags: i32,
    rights: i64,
    inheriting: i64,
    fd_flags: i32,
    opened: i32,
) -> wasmtime::Result<i32> {
    let (mut memory, system) = parts(&mut caller)?;
    let creates = flags & CREATE != 0;
    if creates && !system.quota.has(ENTRY) {
        return Ok(errno::NOSPC);
    }
    let errno = finish(preview1::path_open(
        &mut system.ctx,
        &mut memory,
        dir,
        lookup,
        path,
        len,
        flags,
        rights,
        inheriting,
        fd_flags,
        opened,
    ))?;
    Ok(if creates { made(system, errno) } else { errno })
}

fn path_create_directory(
    mut caller: Caller<'_, State>,
    dir: i32,
    path: i32,
    len: i32,
) -> wasmtime::Result<i32> {
    let (mut memory, system) = parts(&mut caller)?;
    if !system.quota.has(ENTRY) {
        return Ok(errno::NOSPC);
    }
    let errno = finish(preview1::path_create_directory(
        &mut system.ctx,
        &mut memory,
        dir,
        path,
        len,
    ))?;
    Ok(made(system, errno))
}

#[allow(clippy::too_many_arguments)] // preview 1's own
fn path_link(
    mut caller: Caller<'_, State>,
    old_dir: i32,
    lookup: i32,
    old: i32,
    old_len: i32,
    new_dir: i32,
    new: i32,
    new_len: i32,
) -> wasmtime::Result<i32> {
    let (mut memory, system) = parts(&mut caller)?;
    if !system.quota.has(ENTRY) {
        return Ok(errno::NOSPC);
    }
    let errno = finish(preview1::path_link(
        &mut system.ctx,
        &mut memory,
        old_dir,
        lookup,
        old,
        old_len,
        new_dir,
        new,
        new_len,
    ))?;
    Ok(made(system, errno))
}

fn path_symlink(
    mut caller: Caller<'_, State>,
    old: i32,
    old_len: i32,
    dir: i32,
    new: i32,
    new_len: i32,
) -> wasmtime::Result<i32> {
    let (mut memory, system) = parts(&mut caller)?;
    if !system.quota.has(ENTRY) {
        return Ok(errno::NOSPC);
    }
    let errno = finish(preview1::path_symlink(
        &mut system.ctx,
        &mut memory,
        old,
        old_len,
        dir,
        new,
        new_len,
    ))?;
    Ok(made(system, errno))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn growth_counts_and_shrinking_gives_back() {
        let said = Arc::new(Mutex::new(String::new()));
        let hear = said.clone();
        let output = move |_: u8, bytes: &[u8]| {
            hear.lock()
                .unwrap()
                .push_str(&String::from_utf8_lossy(bytes));
        };
        let mut quota = Quota::new(3 << 20, Arc::new(output));
        assert!(quota.has(3 << 20));
        quota.resized(0, 2 << 20);
        assert!(quota.has(1 << 20));
        assert_eq!(*said.lock().unwrap(), "");
        assert!(!quota.has((1 << 20) + 1));
        assert!(!quota.has(u64::MAX));
        let note = said.lock().unwrap().clone();
        assert_eq!(note.matches("3 MiB is all").count(), 1, "{note}");
        quota.resized(2 << 20, 1 << 20);
        assert!(quota.has(2 << 20));
        quota.resized(u64::MAX, 0);
        assert!(quota.has(3 << 20) && !quota.has((3 << 20) + 1));
        quota.resized(0, u64::MAX);
        assert!(!quota.has(1));
    }

    #[test]
    fn the_first_part_with_bytes_is_what_a_write_writes() {
        let mut bytes = [0; 40];
        bytes[12] = 5;
        bytes[20] = 9;
        assert_eq!(first_part(&bytes, 0, 3), 5);
        assert_eq!(first_part(&bytes, 0, 1), 0);
        assert_eq!(first_part(&bytes, 16, 1), 9);
        assert_eq!(first_part(&bytes, 38, i32::MAX), 0);
        assert_eq!(first_part(&bytes, -1, -1), 0);
    }
}
