// The guests' WASI, on top of @bjorn3/browser_wasi_shim, which is JavaScript and so is extended
// here and not in Rust. The worker's Rust code imports this module by the name "spoor:wasi".
//
// What it adds to the shim: files that are fetched when they are first read, read-only folders,
// output that is handed on as it is written, and guests whose memory is shared. Nothing here knows of
// cells or kernels.

import { ConsoleStdout, Directory, Fd, Inode, OpenDirectory, OpenFile, PreopenDirectory, WASI, WASIProcExit, wasi }
  from "@bjorn3/browser_wasi_shim";
import { gunzipSync } from "fflate";

import { about, isGzip, keepFetched } from "./engines.mjs";

/** Bytes fetched at a time from a server that answers Range requests. */
const BLOCK = 1 << 20;

/**
 * Bytes at a URL, fetched in blocks when they are first read, or whole where that is refused. Where
 * the site has them in pieces, each piece is a block; a file that can be kept for the next visit is
 * fetched whole.
 */
class Store {
  constructor(url, bytes, { pieces, block, sha256 } = about(url)) {
    this.url = url;
    this.bytes = bytes;
    this.pieces = pieces ?? (sha256 && [url]);
    this.block = block ?? (sha256 ? bytes : BLOCK);
    this.blocks = new Map();
    this.whole = undefined;
  }

  /** The bytes from `start` on: up to `end`, or up to a block's end if that comes first. */
  read(start, end) {
    if (this.whole) return this.whole.subarray(start, end);
    const index = Math.floor(start / this.block);
    const block = this.blocks.get(index) ?? this.fetchBlock(index);
    if (this.whole) return this.whole.subarray(start, end);
    const at = index * this.block;
    return block.subarray(start - at, end - at);
  }

  fetchBlock(index) {
    if (this.pieces) {
      const data = fetchPiece(this.pieces[index]);
      this.blocks.set(index, data);
      return data;
    }
    const start = index * this.block;
    const { status, data } = fetchBytes(this.url, start, Math.min(start + this.block, this.bytes) - 1);
    if (status === 206) this.blocks.set(index, data);
    else if (data.length === this.bytes) this.whole = data;
    else throw new Error(`${this.url} has ${data.length} bytes where ${this.bytes} were expected`);
    return data;
  }
}

/** A read-only file: `bytes` bytes of a store, from `offset` on. */
class LazyFile extends Inode {
  constructor(store, offset, bytes) {
    super();
    this.store = store;
    this.offset = offset;
    this.bytes = bytes;
  }

  path_open(oflags, rights) {
    const writes = BigInt(wasi.RIGHTS_FD_WRITE);
    if (oflags & wasi.OFLAGS_TRUNC || (rights & writes) === writes) return { ret: wasi.ERRNO_ROFS, fd_obj: null };
    return { ret: wasi.ERRNO_SUCCESS, fd_obj: new OpenLazyFile(this) };
  }

  stat() {
    return new wasi.Filestat(this.ino, wasi.FILETYPE_REGULAR_FILE, BigInt(this.bytes));
  }

  /** The bytes from `start` up to `end`, which is within the file. */
  read(start, end) {
    const data = new Uint8Array(Math.max(end - start, 0));
    let filled = 0;
    while (filled < data.length) {
      const part = this.store.read(this.offset + start + filled, this.offset + end);
      data.set(part, filled);
      filled += part.length;
    }
    return data;
  }
}

class OpenLazyFile extends Fd {
  constructor(file) {
    super();
    this.file = file;
    this.at = 0;
  }

  fd_fdstat_get() {
    return { ret: 0, fdstat: new wasi.Fdstat(wasi.FILETYPE_REGULAR_FILE, 0) };
  }

  fd_filestat_get() {
    return { ret: 0, filestat: this.file.stat() };
  }

  fd_read(size) {
    const read = this.fd_pread(size, BigInt(this.at));
    this.at += read.data.length;
    return read;
  }

  fd_pread(size, offset) {
    const start = Number(offset);
    try {
      return { ret: 0, data: this.file.read(start, Math.min(start + size, this.file.bytes)) };
    } catch (error) {
      console.error(`Spoor: ${error.message}`);
      return { ret: wasi.ERRNO_IO, data: new Uint8Array() };
    }
  }

  fd_seek(offset, whence) {
    const base = whence === wasi.WHENCE_SET ? 0 : whence === wasi.WHENCE_CUR ? this.at : this.file.bytes;
    const at = base + Number(offset);
    if (at < 0) return { ret: wasi.ERRNO_INVAL, offset: 0n };
    this.at = at;
    return { ret: 0, offset: BigInt(at) };
  }

  fd_tell() {
    return { ret: 0, offset: BigInt(this.at) };
  }
}

/** A folder in which nothing can be made, renamed or removed. */
class ReadOnlyDirectory extends Directory {
  path_open() {
    return { ret: wasi.ERRNO_SUCCESS, fd_obj: new OpenReadOnlyDirectory(this) };
  }

  create_entry_for_path() {
    return { ret: wasi.ERRNO_ROFS, entry: null };
  }
}

const READ = BigInt(wasi.RIGHTS_FD_READ | wasi.RIGHTS_FD_READDIR);
const WRITE = BigInt(wasi.RIGHTS_FD_WRITE);

/** What `access` is told of a folder's files: the C library asks the folder's descriptor. */
function directoryRights(rights) {
  const fdstat = new wasi.Fdstat(wasi.FILETYPE_DIRECTORY, 0);
  fdstat.fs_rights_base = rights;
  fdstat.fs_rights_inherited = rights;
  return { ret: wasi.ERRNO_SUCCESS, fdstat };
}

const refuse = {
  fd_fdstat_get: () => directoryRights(READ),
  path_create_directory: () => wasi.ERRNO_ROFS,
  path_link: () => wasi.ERRNO_ROFS,
  path_unlink: () => ({ ret: wasi.ERRNO_ROFS, inode_obj: null }),
  path_unlink_file: () => wasi.ERRNO_ROFS,
  path_remove_directory: () => wasi.ERRNO_ROFS,
};

class OpenReadOnlyDirectory extends OpenDirectory {}
Object.assign(OpenReadOnlyDirectory.prototype, refuse);

class ReadOnlyPreopen extends PreopenDirectory {
  constructor(name, contents) {
    super(name, new Map());
    this.dir = new ReadOnlyDirectory(contents);
  }
}
Object.assign(ReadOnlyPreopen.prototype, refuse);

class WritablePreopen extends PreopenDirectory {
  fd_fdstat_get() {
    return directoryRights(READ | WRITE);
  }
}

/**
 * The WASI of a guest.
 *
 * `env` is an array of "NAME=value"; `mounts` an array of `{path, writable, url, bytes, files}` in
 * the order of their file descriptors (from 3 on). `files` is an array of `[name, offset, bytes]`:
 * names may hold `/`, and the files' bytes are parts of the one at `url`, of `bytes` bytes; or of
 * `[name, bytes, url]`, for files with URLs of their own.
 *
 * `write(fd, bytes)` gets what the guest writes to its standard output (1) and error (2), and
 * `rest()`, if it is given, is called after it. `sleep(ms)` is how the guest sleeps; without it, it
 * spins. Both may give a promise where the browser can suspend a guest (JSPI).
 */
export function makeWasi(env, mounts, write, sleep, rest) {
  const fds = [new OpenFile(new EmptyFile()), new ConsoleStdout((b) => write(1, b)), new ConsoleStdout((b) => write(2, b))];
  for (const mount of mounts) fds.push(preopen(mount));
  const shim = new WASI([], env, fds, { debug: false });
  const imports = shim.wasiImport;
  const { fd_write: writeNow } = imports;
  const waiting = sleep && WebAssembly.Suspending ? (call) => new WebAssembly.Suspending(call) : (call) => call;
  imports.poll_oneoff = waiting(polling(shim, sleep ?? spin));
  imports.random_get = randomness(shim);
  if (rest) {
    imports.fd_write = waiting((fd, ...parts) => {
      const result = writeNow(fd, ...parts);
      const rested = fd === 1 || fd === 2 ? rest() : undefined;
      return rested ? rested.then(() => result) : result;
    });
  }
  return {
    imports,
    attach: (instance) => { shim.inst = instance; },
    /** Adds a file, `[name, bytes, url]`, to the folder mounted at `path`, or puts it in place of one. */
    add: (path, file) => {
      const { dir, Kind } = mounted.get(fds.find((fd) => mounted.get(fd)?.path === path));
      put(dir, Kind, file[0], lazy(undefined, file));
    },
    /** Takes the file `name` away from the folder mounted at `path`. */
    remove: (path, name) => {
      mounted.get(fds.find((fd) => mounted.get(fd)?.path === path)).dir.contents.delete(name);
    },
  };
}

function spin(ms) {
  for (const end = performance.now() + ms; performance.now() < end;);
}

/** `random_get`: the browser fills no shared memory with random bytes, and at most 64 KiB at once. */
function randomness(shim) {
  return (at, length) => {
    const memory = new Uint8Array(shim.inst.exports.memory.buffer);
    if (at < 0 || length < 0 || at + length > memory.length) return wasi.ERRNO_FAULT;
    for (let done = 0; done < length; done += 65536) {
      memory.set(crypto.getRandomValues(new Uint8Array(Math.min(length - done, 65536))), at + done);
    }
    return wasi.ERRNO_SUCCESS;
  };
}

// Sizes and offsets of `subscription` and `event` in WASI preview 1.
const SUBSCRIPTION = { size: 48, tag: 8, clock: 16, timeout: 24, flags: 40 };
const EVENT = { size: 32, type: 10 };

/**
 * `poll_oneoff`. The shim's own reads a clock's flags from the wrong place, takes the end of a
 * sleep for its length, and spins. Descriptors are always ready here; clocks are waited for.
 */
function polling(shim, sleep) {
  const view = () => new DataView(shim.inst.exports.memory.buffer);

  const due = (at) => {
    if (view().getUint8(at + SUBSCRIPTION.tag) !== wasi.EVENTTYPE_CLOCK) return 0;
    const realtime = view().getUint32(at + SUBSCRIPTION.clock, true) === wasi.CLOCKID_REALTIME;
    const ms = Number(view().getBigUint64(at + SUBSCRIPTION.timeout, true)) / 1e6;
    const absolute = view().getUint16(at + SUBSCRIPTION.flags, true) & wasi.SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME;
    return absolute ? Math.max(ms - (realtime ? Date.now() : performance.now()), 0) : ms;
  };

  const report = (output, events, written) => {
    const memory = view();
    for (const [index, at] of events.entries()) {
      const to = output + index * EVENT.size;
      new Uint8Array(memory.buffer, to, EVENT.size).fill(0);
      memory.setBigUint64(to, memory.getBigUint64(at, true), true);
      memory.setUint8(to + EVENT.type, memory.getUint8(at + SUBSCRIPTION.tag));
    }
    memory.setUint32(written, events.length, true);
    return wasi.ERRNO_SUCCESS;
  };

  return (input, output, count, written) => {
    if (count <= 0 || input < 0) return wasi.ERRNO_INVAL;
    if (input + count * SUBSCRIPTION.size > shim.inst.exports.memory.buffer.byteLength) return wasi.ERRNO_FAULT;
    const all = Array.from({ length: count }, (_, index) => input + index * SUBSCRIPTION.size);
    const waits = all.map(due);
    const wait = Math.min(...waits);
    const ready = all.filter((_, index) => waits[index] === wait);
    const done = () => report(output, ready, written);
    if (wait <= 0) return done();
    const slept = sleep(wait);
    return slept ? slept.then(done) : done();
  };
}

/** A promise that is settled after `ms` milliseconds. */
export function timeout(ms) {
  return new Promise((done) => setTimeout(done, ms));
}

class EmptyFile extends Inode {
  data = new Uint8Array();
  readonly = true;
  get size() { return 0n; }
  stat() { return new wasi.Filestat(this.ino, wasi.FILETYPE_CHARACTER_DEVICE, 0n); }
}

/** What each mount's descriptor was made of: `{path, dir, Kind}`. */
const mounted = new WeakMap();

function preopen({ path, writable, url, bytes, files, block, pieces }) {
  const [Preopen, Kind] = writable ? [WritablePreopen, Directory] : [ReadOnlyPreopen, ReadOnlyDirectory];
  const fd = new Preopen(path, new Map());
  const store = url ? new Store(url, bytes, { block, pieces }) : undefined;
  for (const file of files ?? []) put(fd.dir, Kind, file[0], lazy(store, file));
  mounted.set(fd, { path, dir: fd.dir, Kind });
  return fd;
}

/** The file of a mount's `files`: a part of the mount's store, or one with a URL of its own. */
function lazy(store, [, first, second]) {
  return store ? new LazyFile(store, first, second) : new LazyFile(new Store(second, first), 0, first);
}

/** Puts a file into a folder, under a name that may hold `/`. */
function put(dir, Kind, name, file) {
  const parts = name.split("/");
  const leaf = parts.pop();
  for (const part of parts) {
    if (!(dir.contents.get(part) instanceof Directory)) {
      dir.contents.set(part, Object.assign(new Kind(new Map()), { parent: dir }));
    }
    dir = dir.contents.get(part);
  }
  dir.contents.set(leaf, file);
}

/** Whether an error thrown out of a guest is its own `exit`; the code if it is, else undefined. */
export function exitCode(error) {
  return error instanceof WASIProcExit ? error.code : undefined;
}

/**
 * Fetches a whole file and blocks until it is here: `{data}`. Dedicated workers may do so; a guest
 * that reads a file cannot wait in any other way.
 */
export function fetchNow(url) {
  const { gzip, pieces, sha256 } = about(url);
  if (gzip) return { data: joined(gzip.map(fetchPacked)) };
  if (pieces) return { data: joined(pieces.map(fetchPiece)) };
  return sha256 ? { data: fetchPiece(url) } : fetchBytes(url);
}

function fetchPiece(url) {
  const { data } = fetchBytes(url);
  keepFetched(url, data);
  return data;
}

/** A piece that is packed for itself, unless the browser has unpacked it. */
function fetchPacked(url) {
  const { data } = fetchBytes(url);
  if (!isGzip(data)) return data;
  keepFetched(url, data);
  return gunzipSync(data);
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The bytes of `url`, or `first..=last` of them where the server can; blocks meanwhile. */
function fetchBytes(url, first, last) {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.responseType = "arraybuffer";
  if (first !== undefined) request.setRequestHeader("Range", `bytes=${first}-${last}`);
  request.send();
  if (request.status !== 200 && request.status !== 206) {
    throw new Error(`${url} could not be fetched: the server answered ${request.status}`);
  }
  return { status: request.status, data: new Uint8Array(request.response) };
}
