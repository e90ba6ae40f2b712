// The Shannon entropy of a column of text, in AssemblyScript: what plugins/ABI.md says is all that it knows. It reads
// and writes memory directly (load, store), and takes from the heap without giving back, for an instance serves one call.

/** Called for what AssemblyScript itself refuses; it would be an import otherwise. */
function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}

export function spoor_abi_1(): void {}

export function alloc(length: i32): usize {
  return (heap.alloc(<usize>length + 8) + 7) & ~7;
}

// ---- the answer's number ----

function answer(pointer: usize, length: i32): i64 {
  return (<i64>pointer << 32) | <i64>length;
}

/** An error message: its text is ASCII, which is UTF-8 as it is. */
function failed(message: string): i64 {
  const bytes = alloc(message.length);
  for (let i = 0; i < message.length; i++) store<u8>(bytes + i, <u8>message.charCodeAt(i));
  return i64.MIN_VALUE | answer(bytes, message.length);
}

// ---- flatbuffers: what is read has to lie between `low` and `high` ----

let low: usize = 0;
let high: usize = 0;
let broken: bool = false;

/** A number of `size` bytes; 0, and `broken`, where it does not lie in what was given. */
function number(at: usize, size: i32): u64 {
  if (at < low || at > high || high - at < <usize>size) {
    broken = true;
    return 0;
  }
  let value: u64 = 0;
  for (let i = 0; i < size; i++) value |= <u64>load<u8>(at + i) << (8 * i);
  return value;
}

/** Where a field of a table is; 0 when it is left out. */
function field(table: usize, index: i32): usize {
  const vtable = table - <usize>number(table, 4);
  if (4 + 2 * index >= <i32>number(vtable, 2)) return 0;
  const offset = <usize>number(vtable + 4 + 2 * index, 2);
  return offset ? table + offset : 0;
}

/** What the offset at `at` points to. */
function follow(at: usize): usize {
  return at ? at + <usize>number(at, 4) : 0;
}

// ---- the input: one text column of one record batch ----

class Column {
  rows: i32 = 0;
  /** 0 when every row has a value. */
  validity: usize = 0;
  offsets: usize = 0;
  values: usize = 0;
  size: u32 = 0;
  wrong: string = "";
}

let found: usize = 0;
let foundSize: u64 = 0;

/** Finds a buffer of at least `need` bytes in the body, and says whether it is there. */
function buffer(buffers: usize, index: i32, body: usize, bodySize: u64, need: u64): bool {
  const offset = number(buffers + 4 + 16 * index, 8);
  foundSize = number(buffers + 4 + 16 * index + 8, 8);
  found = body + <usize>offset;
  return !broken && offset <= bodySize && foundSize <= bodySize - offset && foundSize >= need;
}

function readBatch(message: usize, body: usize, bodySize: u64): Column {
  const column = new Column();
  const kind = field(message, 1);
  const batch = follow(field(message, 2));
  if (!kind || number(kind, 1) != 3 || !batch || field(batch, 3)) {
    column.wrong = "what follows the schema is no plain record batch";
    return column;
  }
  const rows = field(batch, 0);
  const nodes = follow(field(batch, 1));
  const buffers = follow(field(batch, 2));
  const count = rows ? number(rows, 8) : 0;
  if (!nodes || !buffers || number(buffers, 4) < 3 || count > 0x0fffffff) {
    column.wrong = "the input has no text column";
    return column;
  }
  const nulls = number(nodes + 12, 8);
  column.rows = <i32>count;
  let whole = buffer(buffers, 0, body, bodySize, nulls ? (count + 7) / 8 : 0);
  if (nulls) column.validity = found;
  whole = whole && buffer(buffers, 1, body, bodySize, count ? 4 * (count + 1) : 0);
  column.offsets = found;
  whole = whole && buffer(buffers, 2, body, bodySize, 0);
  column.values = found;
  column.size = <u32>foundSize;
  if (!whole) column.wrong = "a buffer of the input does not lie in its body";
  return column;
}

function readInput(frame: usize, length: u32): Column {
  low = frame;
  high = frame + length;
  broken = false;
  const column = new Column();
  let at = frame + <usize>number(frame + 16, 4);
  // The schema is stepped over; the record batch is the second message.
  for (let message = 0; message < 2; message++) {
    const size = <usize>number(at + 4, 4);
    if (number(frame, 4) < 2 || number(at, 4) != 0xffffffff || broken || size > high - at - 8) break;
    const root = at + 8 + <usize>number(at + 8, 4);
    const length = field(root, 3);
    const bodySize = length ? number(length, 8) : 0;
    const body = at + 8 + size;
    if (broken || bodySize > high - body) break;
    if (message == 1) return readBatch(root, body, bodySize);
    at = body + <usize>bodySize;
  }
  column.wrong = "there is no input table, or it ends inside a message";
  return column;
}

// ---- the work ----

const counts = memory.data(256 * 4, 4);

function entropy(text: usize, length: u32): f64 {
  memory.fill(counts, 0, 256 * 4);
  for (let i: u32 = 0; i < length; i++) {
    const count = counts + ((<usize>load<u8>(text + i)) << 2);
    store<u32>(count, load<u32>(count) + 1);
  }
  let sum: f64 = 0;
  for (let i = 0; i < 256; i++) {
    const count = load<u32>(counts + (<usize>i << 2));
    if (count) {
      const share = <f64>count / <f64>length;
      sum -= share * Math.log2(share);
    }
  }
  return sum;
}

// ---- the answer: ABI.md's metadata of one nullable real, and its figures ----

// prettier-ignore
const SCHEMA = memory.data<u8>([
  0x10, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x18, 0x00, 0x06, 0x00, 0x05, 0x00, 0x08, 0x00, 0x10, 0x00,
  0x0c, 0x00, 0x00, 0x00, 0x00, 0x01, 0x04, 0x00, 0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x08, 0x00, 0x00, 0x00, 0x04, 0x00,
  0x08, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00,
  0x10, 0x00, 0x14, 0x00, 0x08, 0x00, 0x04, 0x00, 0x05, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x10, 0x00,
  0x10, 0x00, 0x00, 0x00, 0x01, 0x03, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x00,
  0x10, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x45, 0x6e, 0x74, 0x72, 0x6f, 0x70, 0x79, 0x00,
  0x00, 0x00, 0x00, 0x00, 0x06, 0x00, 0x08, 0x00, 0x04, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00,
  0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
], 8);
const SCHEMA_SIZE: usize = 136;

// prettier-ignore
const BATCH = memory.data<u8>([
  0x10, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x18, 0x00, 0x06, 0x00, 0x05, 0x00, 0x08, 0x00, 0x10, 0x00,
  0x0c, 0x00, 0x00, 0x00, 0x00, 0x03, 0x04, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x18, 0x00, 0x10, 0x00, 0x04, 0x00,
  0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x18, 0x00, 0x00, 0x00,
  0x2c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
  0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
], 8);
const BATCH_SIZE: usize = 144;

function putMetadata(at: usize, metadata: usize, size: usize): usize {
  store<u32>(at, 0xffffffff);
  store<u32>(at + 4, <u32>size);
  memory.copy(at + 8, metadata, size);
  return at + 8;
}

function writeAnswer(column: Column): i64 {
  const rows = column.rows;
  const validity: usize = column.validity ? <usize>((rows + 7) / 8) : 0;
  const padded = (validity + 7) & ~7;
  const body = padded + 8 * <usize>rows;
  const stream: usize = 8 + SCHEMA_SIZE + 8 + BATCH_SIZE + body + 8;
  const frame = alloc(<i32>stream + 32);
  store<u64>(frame, 2);
  store<u32>(frame + 8, 24);
  store<u32>(frame + 12, 2);
  store<u32>(frame + 16, 32);
  store<u32>(frame + 20, <u32>stream);
  store<u64>(frame + 24, 0x7d7b); // {}
  putMetadata(frame + 32, SCHEMA, SCHEMA_SIZE);
  const batch = putMetadata(frame + 32 + 8 + SCHEMA_SIZE, BATCH, BATCH_SIZE);
  const at = batch + BATCH_SIZE;
  memory.copy(at, column.validity, validity);
  memory.fill(at + validity, 0, padded - validity);
  let nulls = 0;
  for (let row = 0; row < rows; row++) {
    const start = load<u32>(column.offsets + 4 * row);
    const end = load<u32>(column.offsets + 4 * row + 4);
    if (start > end || end > column.size) return failed("an offset of the input's text is wrong");
    const valid = !column.validity || (load<u8>(column.validity + (row >> 3)) >> <u8>(row & 7)) & 1;
    if (!valid) nulls++;
    store<f64>(at + padded + 8 * row, valid ? entropy(column.values + start, end - start) : 0);
  }
  store<u64>(batch + 32, body);
  store<u64>(batch + 72, rows);
  store<u64>(batch + 88, rows);
  store<u64>(batch + 96, nulls);
  store<u64>(batch + 120, validity);
  store<u64>(batch + 128, padded);
  store<u64>(batch + 136, 8 * rows);
  store<u64>(at + body, 0xffffffff);
  return answer(frame, <i32>stream + 32);
}

export function call(frame: usize, length: i32): i64 {
  const column = readInput(frame, <u32>length);
  return column.wrong.length ? failed(column.wrong) : writeAnswer(column);
}
