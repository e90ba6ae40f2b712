// Plugins, from the kernel's thread: their bytes, their compiled modules, and calls of them, each in a
// worker that can be ended (`js/plugin.mjs`). The worker's Rust code imports this module by the name
// "spoor:plugins".

import { Spawned } from "./spawn.mjs";

/** What a worker is called, by which the page knows its script. */
const NAME = "spoor-plugin";
/** How many workers are kept for the next calls, and after a call with at most how many bytes of memory. */
const KEPT = 2;
const SMALL = 16 << 20;
/** How many calls run at once; further ones wait. */
const AT_ONCE = 4;
/** How long a worker may take to start, in milliseconds. */
const START = 60_000;
/** The longest that a timer of the browser waits, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** Compiles a module. Those who wait for the promise tell of a failure. */
export function compilePlugin(bytes) {
  const compiling = WebAssembly.compile(bytes);
  compiling.catch(() => {});
  return compiling;
}

/** The bytes at `url`, which is a blob's or of this site, if there are at most `most`. */
export async function fetchPlugin(url, most, signal) {
  const at = new URL(url, self.location.href);
  if (at.origin !== self.location.origin) throw new Error(`${at.origin} is another site: open the plugin's file instead`);
  const response = await fetch(at, { redirect: "error", signal });
  if (!response.ok) throw new Error(`the server answered ${response.status} for ${url}`);
  const parts = [];
  let length = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    length += value.length;
    if (length > most) {
      reader.cancel().catch(() => {});
      throw new Error(`it has more than ${most >> 20} MiB`);
    }
    parts.push(value);
  }
}

/**
 * Begins a call of a module, whose promise `compilePlugin` gave. `fuel` is a BigInt; `log(line)` is given
 * what the plugin logs, `progress(permille)` how much of the call is done. `ended` resolves to
 * `[outcome, bytes]`: JSON of a `PluginOutcome`, and its bytes or undefined. `end()` ends it, whatever it
 * does.
 */
export function beginCall(module, imports, fuel, output, wallMs, frame, log, progress) {
  const heard = ({ line, permille }) => (permille === undefined ? log(String(line)) : progress(Number(permille)));
  const stop = new AbortController();
  const failed = (error) => ({ outcome: { kind: "failed", message: String(error?.message ?? error) } });
  const ended = perform({ module, imports, fuel, output, frame }, wallMs, heard, stop.signal).catch(failed);
  return { ended: ended.then(told), end: () => stop.abort() };
}

async function perform({ module, ...wanted }, wallMs, heard, signal) {
  const compiled = await module;
  await place();
  try {
    if (signal.aborted) throw new Error("nobody waits for it");
    return await inWorker({ module: compiled, ...wanted }, wallMs, heard, signal);
  } finally {
    leave();
  }
}

const kept = [];

/** Makes a call in a worker that was kept or in a new one. Only one that can serve again is kept. */
async function inWorker(wanted, wallMs, heard, signal) {
  const runner = kept.pop() ?? new Runner();
  let ended;
  try {
    ended = await runner.call(wanted, wallMs, heard, signal);
    return ended;
  } finally {
    if (isClean(ended) && kept.length < KEPT) kept.push(runner);
    else runner.end();
  }
}

/** Whether a call returned and left no large memory to be collected. */
function isClean(ended) {
  return ["answered", "said"].includes(ended?.outcome.kind) && ended.memory <= SMALL;
}

/** A worker for calls, one at a time. */
class Runner {
  constructor() {
    this.worker = new Spawned(NAME);
  }

  /** What came of a call. Rejects where the worker fails, or where `signal` says that nobody waits any more. */
  call(wanted, wallMs, heard, signal) {
    let timer;
    const ended = new Promise((done, failed) => {
      // The time begins once the worker is there.
      const begin = () => {
        this.ready = true;
        clearTimeout(timer);
        timer = setTimeout(() => done(DEADLINE), Math.min(wallMs, LONGEST));
        this.worker.postMessage(wanted, [wanted.frame.buffer]);
      };
      this.worker.onmessage = ({ data }) => {
        if (data.ready) begin();
        else if (data.outcome) done(data);
        else heard(data);
      };
      this.worker.onerror = (message) => failed(new Error(message));
      signal.onabort = () => failed(new Error("nobody waits for it"));
      if (this.ready) begin();
      else timer = setTimeout(() => failed(new Error("its worker does not start")), START);
    });
    return ended.finally(() => clearTimeout(timer));
  }

  /** Ends the worker, whatever it does. */
  end() {
    this.worker.onmessage = this.worker.onerror = null;
    this.worker.terminate();
  }
}

/** How a call ends that takes too long. What memory it had went with its worker. */
const DEADLINE = { outcome: { kind: "trapped", trap: "deadline", memory: 0 } };

/** What came of a call, as Rust reads it. JSON's numbers are written out: a BigInt has none. */
function told({ outcome, bytes, fuel }) {
  const text = outcome.kind === "answered" ? `{"kind":"answered","fuel":${BigInt(fuel)}}` : JSON.stringify(outcome);
  return [text, bytes];
}

let places = AT_ONCE;
const waiting = [];

/** Waits until fewer calls run than may. */
async function place() {
  if (places > 0) places -= 1;
  else await new Promise((next) => waiting.push(next));
}

/** Hands the place to whoever waits. */
function leave() {
  const next = waiting.shift();
  if (next) next();
  else places += 1;
}
