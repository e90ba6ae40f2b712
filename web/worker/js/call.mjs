// One call of a plugin, from a fresh instance to where its answer lies: the steps of plugins/ABI.md, as
// the host takes them. The module is one that the kernel has admitted and rewritten to count its fuel.
// What the guest returns is a number until it is found to lie in the memory that is there; what it
// wrote is not looked at.

const MODULE = "spoor_abi_1";
const FUEL = "spoor.fuel";
const REASON = "spoor.reason";
const PANIC = "spoor_panic";
/** What frames begin at multiples of. */
const ALIGN = 8;
/** The longest message that a plugin leaves when it traps, and the longest line that it logs, in bytes. */
const LONGEST = 4096;
/** Lines that a call may log; further ones are dropped. */
const MAX_LINES = 1000;
/** Milliseconds between two tellings of how much of a call is done; what comes between is dropped. */
const BETWEEN = 100;

/** What the module's own word on a trap stands for, where it has one. */
const REASONS = { 1: "fuel", 2: "stack" };

/**
 * The kinds of traps, by what V8 and SpiderMonkey say of them. Of most calls outside a table SpiderMonkey says no more than
 * of memory.
 */
const TRAPS = [
  ["unreachable", /^unreachable/],
  ["table", /^table index|^element segment/],
  ["memory", /^memory access out of bounds|^data segment|^index out of bounds/],
  ["signature", /^null function|^function signature mismatch|^indirect call (signature mismatch|to null)/],
  ["division-by-zero", /(divide|remainder) by zero/],
  ["overflow", /divide result unrepresentable|^integer overflow/],
  ["conversion", /float unrepresentable|invalid conversion to integer/],
];

/** What broke off a call that did not trap: how it ended is `outcome`, and `bytes` are beside it. */
class End {
  constructor(outcome, bytes) {
    Object.assign(this, { outcome, bytes });
  }
}

/**
 * Makes a call. `wanted` is `{ module, imports, fuel, output, frame }`: the compiled module, the names of
 * the imports that were granted, the fuel as a BigInt, the most bytes of an answer, and the call's frame.
 * `tell` is given what the plugin says: `{ line }` that it logs, `{ permille }` of the call that are done.
 * Returns `{ outcome, bytes, fuel, memory }`: how it ended, as `PluginOutcome` in `spoor_protocol` has it
 * save for the fuel; the answer's bytes or those of its error message; the fuel used, as a BigInt; and how
 * large the memory was at its end, in bytes.
 */
export function run(wanted, tell) {
  let guest;
  try {
    guest = new Guest(wanted, tell);
  } catch (error) {
    return { outcome: unborn(error), fuel: 0n, memory: 0 };
  }
  const end = guest.end();
  return { ...end, fuel: guest.fuelUsed(), memory: guest.memory.buffer.byteLength };
}

/** An instance that serves one call. */
class Guest {
  constructor(wanted, tell) {
    this.wanted = wanted;
    this.exports = new WebAssembly.Instance(wanted.module, { [MODULE]: this.granted(tell) }).exports;
    this.memory = this.exports.memory;
  }

  /** The imports that were granted, and no others. */
  granted(tell) {
    let lines = 0;
    let told = -Infinity;
    const all = {
      log: (pointer, length) => {
        const line = this.bytes(pointer >>> 0, length >>> 0);
        if (!line) throw new WebAssembly.RuntimeError("memory access out of bounds");
        if (lines++ < MAX_LINES) tell({ line: plain(line) });
      },
      progress: (permille) => {
        const now = performance.now();
        if (now - told < BETWEEN) return;
        told = now;
        tell({ permille: Math.min(Math.max(permille, 0), 1000) });
      },
      time: () => BigInt(Date.now()) * 1_000_000n,
    };
    return Object.fromEntries(this.wanted.imports.filter((name) => Object.hasOwn(all, name)).map((name) => [name, all[name]]));
  }

  /** How the call ends. */
  end() {
    try {
      return { outcome: { kind: "answered" }, bytes: this.answer() };
    } catch (error) {
      if (error instanceof End) return error;
      return { outcome: this.trapped(error) };
    }
  }

  /** The answer's bytes. */
  answer() {
    const { exports, wanted: { fuel, frame } } = this;
    exports[FUEL].value = BigInt.asIntN(64, fuel);
    exports._initialize?.();
    const pointer = exports.alloc(frame.length) >>> 0;
    this.room(pointer, frame.length).set(frame);
    const { failed, bytes } = this.located(exports.call(pointer, frame.length));
    if (failed) throw new End({ kind: "said" }, bytes);
    return bytes;
  }

  /** Where the frame goes, by what `alloc` returned. */
  room(pointer, length) {
    if (pointer === 0) throw misplaced("range", `alloc has no room for the call's ${length} bytes: give it fewer rows or more memory`);
    if (pointer % ALIGN !== 0) throw misplaced("range", `alloc returned ${pointer}, which is no multiple of ${ALIGN}`);
    const room = this.bytes(pointer, length);
    if (!room) throw misplaced("range", `alloc returned ${pointer} for ${length} bytes, outside the memory of ${this.size()} bytes`);
    return room;
  }

  /** A copy of the answer, by the number that `call` returned, and whether it is an error message. */
  located(returned) {
    const bits = BigInt.asUintN(64, returned);
    const length = Number(bits & 0xffff_ffffn);
    const pointer = Number((bits >> 32n) & 0x7fff_ffffn);
    const { output } = this.wanted;
    if (length > output) throw misplaced("size", `it has ${length} bytes, and ${output} are allowed`);
    const bytes = this.bytes(pointer, length);
    if (!bytes) throw misplaced("range", `it is said to lie at ${pointer} with ${length} bytes, outside the memory of ${this.size()} bytes`);
    return { failed: bits >> 63n === 1n, bytes: bytes.slice() };
  }

  /** The bytes of a range of the memory, if it is there. */
  bytes(pointer, length) {
    const { buffer } = this.memory;
    return pointer + length <= buffer.byteLength ? new Uint8Array(buffer, pointer, length) : undefined;
  }

  size() {
    return this.memory.buffer.byteLength;
  }

  /** A trap: the module's own word on it goes before the engine's. */
  trapped(error) {
    const reason = REASONS[this.exports[REASON].value];
    const words = this.lastWords();
    return { kind: "trapped", trap: reason ?? trap(error), memory: this.size(), ...(words && { words }) };
  }

  /** What the plugin left to be said. Nothing of it runs for this. */
  lastWords() {
    const at = this.exports[PANIC]?.value;
    const pair = typeof at === "number" && this.bytes(at >>> 0, 8);
    if (!pair) return undefined;
    const view = new DataView(pair.buffer, pair.byteOffset, pair.length);
    const text = this.bytes(view.getUint32(0, true), Math.min(view.getUint32(4, true), LONGEST));
    return text && decoded(text);
  }

  /** The limit less what is left of it, and never beyond either end. */
  fuelUsed() {
    const { fuel } = this.wanted;
    const left = this.exports[FUEL].value;
    if (left <= 0n) return fuel;
    return left < fuel ? fuel - left : 0n;
  }
}

/** How an instance that could not be made ends: its data or elements lie outside, or the engine has no room for it. */
function unborn(error) {
  const kind = trap(error);
  if (kind === "other") return { kind: "failed", message: String(error?.message ?? error) };
  return { kind: "trapped", trap: kind, memory: 0 };
}

/** The gate's name for what an engine threw. */
export function trap(error) {
  const message = String(error?.message);
  // V8's word for a stack that ran out, and SpiderMonkey's.
  if (/^Maximum call stack|^too much recursion/.test(message)) return "stack";
  if (!(error instanceof WebAssembly.RuntimeError)) return "other";
  // V8 puts the function before what it says of an instance.
  const said = message.replace(/^WebAssembly\.\w+\(\): /, "");
  return TRAPS.find(([, pattern]) => pattern.test(said))?.[0] ?? "other";
}

/** What is to be done about an answer that breaks a rule. */
const REMEDIES = {
  range: "the plugin's author packs pointer and length as plugins/ABI.md has them",
  size: "give it fewer rows, or raise the call's output limit",
};

/** An answer that breaks a rule, in the gate's words. */
function misplaced(rule, words) {
  return new End({ kind: "misplaced", message: `the plugin's answer is refused by the rule '${rule}' at byte 0: ${words}. To mend it: ${REMEDIES[rule]}` });
}

function decoded(bytes) {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** A line that is fit to be shown: cut, and without control characters or marks that turn the direction of text. */
function plain(bytes) {
  const text = decoded(bytes.subarray(0, LONGEST)).replace(/(?![\n\t])[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
  return bytes.length > LONGEST ? `${text}…` : text;
}
