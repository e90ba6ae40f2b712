/* The Shannon entropy of a column of text, in C without a library: what plugins/ABI.md says is all that it knows.
 *
 * Build, where clang finds a linker for WebAssembly (`wasm-ld`; Rust brings one as `rust-lld -flavor wasm`):
 *   clang --target=wasm32 -O2 -nostdlib -fno-builtin -c entropy.c manifest.s
 *   wasm-ld --no-entry --strip-debug -o entropy.wasm entropy.o manifest.o
 *
 * It reads the input's record batch, and answers with a stream whose schema never changes: those bytes are written down
 * below, once, and only lengths are filled in. */

typedef unsigned char u8;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;

#define EXPORT(name) __attribute__((export_name(name)))

/* ---- memory: what is given out is never taken back, for an instance serves one call ---- */

extern u8 __heap_base;
static u32 heap;

EXPORT("alloc") u32 alloc(u32 length) {
    if (heap == 0) heap = ((u32)&__heap_base + 7) & ~7u;
    u32 size = (u32)__builtin_wasm_memory_size(0) << 16;
    u64 end = (u64)heap + (((u64)length + 7) & ~7ull);
    if (end > 0x7fff0000u) return 0;
    if (end > size) {
        u32 pages = (u32)((end - size + 0xffff) >> 16);
        if (__builtin_wasm_memory_grow(0, pages) == (unsigned long)-1) return 0;
    }
    u32 pointer = heap;
    heap = (u32)end;
    return pointer;
}

EXPORT("spoor_abi_1") void marker(void) {}

static void copy(u8 *to, const u8 *from, u32 length) { __builtin_memcpy(to, from, length); }

void *memcpy(void *to, const void *from, unsigned long length) {
    for (unsigned long at = 0; at < length; at++) ((volatile u8 *)to)[at] = ((const u8 *)from)[at];
    return to;
}

/* ---- the answer's number ---- */

static i64 answer(const u8 *bytes, u32 length) { return (i64)((u64)(u32)bytes << 32 | length); }

static i64 failed(const char *message) {
    u32 length = 0;
    while (message[length]) length++;
    return (i64)(1ull << 63 | (u64)answer((const u8 *)message, length));
}

/* ---- flatbuffers: a table's fields are found through its vtable ---- */

/* Bytes that a read must stay in: one that does not sets `broken` and answers 0. */
typedef struct {
    const u8 *bytes;
    u32 length;
    int broken;
} view;

static u64 read(view *of, u32 at, u32 size) {
    u64 value = 0;
    if (at > of->length || of->length - at < size) {
        of->broken = 1;
        return 0;
    }
    for (u32 i = 0; i < size; i++) value |= (u64)of->bytes[at + i] << (8 * i);
    return value;
}

/* Where field `index` of the table at `table` is; 0 when it is left out. */
static u32 field(view *of, u32 table, u32 index) {
    u32 vtable = table - (u32)read(of, table, 4);
    if (4 + 2 * index >= read(of, vtable, 2)) return 0;
    u32 offset = (u32)read(of, vtable + 4 + 2 * index, 2);
    return offset ? table + offset : 0;
}

/* The table that a buffer begins with. */
static u32 root(view *of) { return (u32)read(of, 0, 4); }

/* What the offset at `at` points to. */
static u32 follow(view *of, u32 at) { return at ? at + (u32)read(of, at, 4) : 0; }

/* ---- the input: one text column of one record batch ---- */

typedef struct {
    u32 rows;
    const u8 *validity; /* 0 when every row has a value */
    const u8 *offsets;  /* rows + 1 of them */
    const u8 *values;
    u32 size;           /* bytes of values */
} column;

static const char *read_buffer(view *meta, view *body, u32 buffers, u32 index, u32 need, const u8 **found, u32 *size) {
    u64 offset = read(meta, buffers + 4 + 16 * index, 8);
    u64 length = read(meta, buffers + 4 + 16 * index + 8, 8);
    if (meta->broken || offset > body->length || length > body->length - offset || length < need)
        return "a buffer of the input does not lie in its body";
    *found = body->bytes + offset;
    *size = (u32)length;
    return 0;
}

static const char *read_batch(view *meta, view *body, column *out) {
    u32 message = root(meta);                   /* Message */
    u32 kind = field(meta, message, 1);              /* .header's type: 3 is a RecordBatch */
    u32 batch = follow(meta, field(meta, message, 2));
    if (!kind || read(meta, kind, 1) != 3 || !batch) return "what follows the schema is no record batch";
    if (field(meta, batch, 3)) return "the input is compressed";
    u32 rows = field(meta, batch, 0);
    u32 nodes = follow(meta, field(meta, batch, 1)); /* a count, then (length, nulls) of 8 bytes each */
    u32 buffers = follow(meta, field(meta, batch, 2));
    if (!nodes || !buffers || read(meta, buffers, 4) < 3) return "the input has no text column";
    u64 count = rows ? read(meta, rows, 8) : 0;
    u64 nulls = read(meta, nodes + 4 + 8, 8);
    if (meta->broken || count > 0x0fffffff) return "the input's metadata is broken";
    out->rows = (u32)count;
    u32 size;
    const char *wrong = read_buffer(meta, body, buffers, 0, nulls ? (out->rows + 7) / 8 : 0, &out->validity, &size);
    if (!nulls) out->validity = 0;
    if (!wrong) wrong = read_buffer(meta, body, buffers, 1, out->rows ? 4 * (out->rows + 1) : 0, &out->offsets, &size);
    if (!wrong) wrong = read_buffer(meta, body, buffers, 2, 0, &out->values, &out->size);
    return wrong;
}

/* Steps over one message: its metadata, and where what follows it begins. */
static const char *next_message(view *stream, u32 *at, view *meta, u32 *body) {
    if (read(stream, *at, 4) != 0xffffffff) return "a message does not begin with FF FF FF FF";
    u32 length = (u32)read(stream, *at + 4, 4);
    if (stream->broken || length > stream->length - *at - 8) return "the input ends inside a message";
    *meta = (view){stream->bytes + *at + 8, length, 0};
    u32 of_body = field(meta, root(meta), 3);
    *body = of_body ? (u32)read(meta, of_body, 8) : 0;
    *at += 8 + length;
    return meta->broken || *body > stream->length - *at ? "the input ends inside a message" : 0;
}

static const char *read_input(view *frame, column *out) {
    if (read(frame, 0, 4) < 2) return "there is no input table";
    u32 start = (u32)read(frame, 16, 4), length = (u32)read(frame, 20, 4);
    if (frame->broken || start > frame->length || length > frame->length - start) return "the frame is broken";
    view stream = {frame->bytes + start, length, 0}, meta;
    u32 at = 0, body = 0;
    const char *wrong = next_message(&stream, &at, &meta, &body);
    if (!wrong) wrong = next_message(&stream, &at, &meta, &body);
    if (wrong) return wrong;
    view bytes = {stream.bytes + at, body, 0};
    return read_batch(&meta, &bytes, out);
}

/* ---- the work ---- */

/* log2 of a number above 0: its exponent, and a series for its fraction. */
static double log2_of(double x) {
    union { double real; u64 bits; } of = {x};
    i32 exponent = (i32)(of.bits >> 52) - 1023;
    of.bits = (of.bits & 0x000fffffffffffffull) | 0x3ff0000000000000ull;
    if (of.real > 1.4142135623730951) {
        of.real /= 2;
        exponent++;
    }
    double s = (of.real - 1) / (of.real + 1), square = s * s, sum = 0, power = s;
    for (i32 n = 1; n < 30; n += 2) {
        sum += power / n;
        power *= square;
    }
    return exponent + 2 * sum * 1.4426950408889634;
}

static double entropy(const u8 *text, u32 length) {
    u32 counts[256];
    for (u32 i = 0; i < 256; i++) counts[i] = 0;
    for (u32 i = 0; i < length; i++) counts[text[i]]++;
    double sum = 0;
    for (u32 i = 0; i < 256; i++)
        if (counts[i]) {
            double share = (double)counts[i] / length;
            sum -= share * log2_of(share);
        }
    return sum;
}

/* ---- the answer: ABI.md's metadata of one nullable real, and its figures ---- */

static const u8 SCHEMA[136] = {
    0x10, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x18, 0x00, 0x06, 0x00, 0x05, 0x00, 0x08, 0x00, 0x10, 0x00,
    0x0c, 0x00, 0x00, 0x00, 0x00, 0x01, 0x04, 0x00, 0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x08, 0x00, 0x00, 0x00, 0x04, 0x00,
    0x08, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00,
    0x10, 0x00, 0x14, 0x00, 0x08, 0x00, 0x04, 0x00, 0x05, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x10, 0x00,
    0x10, 0x00, 0x00, 0x00, 0x01, 0x03, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x00,
    0x10, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x45, 0x6e, 0x74, 0x72, 0x6f, 0x70, 0x79, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x06, 0x00, 0x08, 0x00, 0x04, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00,
    0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static const u8 BATCH[144] = {
    0x10, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x18, 0x00, 0x06, 0x00, 0x05, 0x00, 0x08, 0x00, 0x10, 0x00,
    0x0c, 0x00, 0x00, 0x00, 0x00, 0x03, 0x04, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x18, 0x00, 0x10, 0x00, 0x04, 0x00,
    0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x18, 0x00, 0x00, 0x00,
    0x2c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static void put(u8 *at, u64 value, u32 size) {
    for (u32 i = 0; i < size; i++) at[i] = (u8)(value >> (8 * i));
}

static u8 *put_metadata(u8 *at, const u8 *metadata, u32 length) {
    put(at, 0xffffffff, 4);
    put(at + 4, length, 4);
    copy(at + 8, metadata, length);
    return at + 8;
}

static i64 write_answer(const column *of) {
    u32 validity = of->validity ? (of->rows + 7) / 8 : 0, padded = (validity + 7) & ~7u;
    u32 nulls = 0, values = 8 * of->rows, body = padded + values;
    u32 header = 24, table = header + 8; /* the frame's table, {} and padding */
    u32 stream = 8 + sizeof SCHEMA + 8 + sizeof BATCH + body + 8;
    u8 *frame = (u8 *)alloc(table + stream);
    if (!frame) return failed("there is no memory for the answer: send fewer rows");
    put(frame, 2, 8);
    put(frame + 8, header, 4);
    put(frame + 12, 2, 4);
    put(frame + 16, table, 4);
    put(frame + 20, stream, 4);
    put(frame + 24, '{' | '}' << 8, 8);
    put_metadata(frame + table, SCHEMA, sizeof SCHEMA);
    u8 *batch = put_metadata(frame + table + 8 + sizeof SCHEMA, BATCH, sizeof BATCH);
    u8 *at = batch + sizeof BATCH;
    copy(at, of->validity, validity);
    for (u32 i = validity; i < padded; i++) at[i] = 0;
    for (u32 row = 0; row < of->rows; row++) {
        union { double real; u64 bits; } value = {0};
        int valid = !of->validity || (of->validity[row / 8] >> (row % 8) & 1);
        u32 start, end;
        copy((u8 *)&start, of->offsets + 4 * row, 4);
        copy((u8 *)&end, of->offsets + 4 * row + 4, 4);
        if (start > end || end > of->size) return failed("an offset of the input's text is wrong");
        if (valid) value.real = entropy(of->values + start, end - start);
        nulls += !valid;
        put(at + padded + 8 * row, value.bits, 8);
    }
    put(batch + 32, body, 8);
    put(batch + 72, of->rows, 8);
    put(batch + 88, of->rows, 8);
    put(batch + 96, nulls, 8);
    put(batch + 120, validity, 8);
    put(batch + 128, padded, 8);
    put(batch + 136, values, 8);
    put(at + body, 0xffffffff, 8);
    return answer(frame, table + stream);
}

EXPORT("call") i64 call(const u8 *bytes, u32 length) {
    view frame = {bytes, length, 0};
    column text;
    const char *wrong = read_input(&frame, &text);
    return wrong ? failed(wrong) : write_answer(&text);
}
