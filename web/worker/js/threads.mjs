// The worker's second thread, which holds the Python guest. It runs the same script and the same
// compiled driver under another name. The worker's Rust code imports this module by the name
// "spoor:threads".

import { allKnown } from "spoor:engines";
import { Spawned } from "./spawn.mjs";

/** What the second thread is called, by which the script knows its part. */
export const PYTHON = "spoor-python";

/**
 * Whether Python has a thread of its own here. It waits for its kernel by being suspended (JSPI), or
 * by blocking on shared memory, which the browser allows in pages that are cross-origin isolated.
 */
export function threaded() {
  return "Suspending" in WebAssembly || isolated();
}

/** Whether threads can share memory here. */
export function isolated() {
  return Boolean(globalThis.crossOriginIsolated);
}

let driver;

/** The driver's code, compiled once for both threads. */
export function compileDriver() {
  driver ??= WebAssembly.compileStreaming(fetch(new URL("./driver.wasm", import.meta.url)));
  return driver;
}

let early;

/** Starts the thread before the driver is there to ask for it. */
export function beginThread() {
  if (threaded()) early ??= new Thread();
}

/** The thread that `beginThread` started, or a new one. */
export function thread() {
  const begun = early ?? new Thread();
  early = undefined;
  return begun;
}

class Thread {
  constructor() {
    this.worker = new Spawned(PYTHON);
    // A failure is told by the driver's own start.
    compileDriver().then((module) => this.worker.postMessage({ module, known: allKnown() }), () => {});
  }

  /** `heard(head, extras)` gets what the thread says, `failed(message)` why it is no more. */
  attach(heard, failed) {
    this.worker.onmessage = ({ data }) => heard(String(data?.head), Array.isArray(data?.extras) ? data.extras : []);
    this.worker.onerror = failed;
  }

  /** Sends JSON text, and beside it what is not JSON. The buffers in `transfer` change hands. */
  post(head, extras, transfer) {
    this.worker.postMessage({ head, extras }, transfer);
  }

  /** Ends the thread, whatever it does at the moment. */
  end() {
    this.worker.onmessage = this.worker.onerror = null;
    this.worker.terminate();
  }
}
