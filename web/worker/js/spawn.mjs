// Workers beside the kernel's thread: Python's, and those of plugins' calls. The page starts them
// (`page/js/early.mjs`) and each speaks with the kernel's thread by a port, for a busy Firefox seldom comes back
// from starting a worker inside of one. Both sides import this module.

let last = 0;
const spawned = new Map();

/** A worker by its name, which the page knows the script of. As a `Worker`, but for its errors, which have a message alone. */
export class Spawned {
  constructor(name) {
    const { port1, port2 } = new MessageChannel();
    this.id = ++last;
    this.port = port1;
    spawned.set(this.id, this);
    self.postMessage({ type: "spawn", id: this.id, name, port: port2 }, [port2]);
  }

  /** What comes before someone listens waits. */
  set onmessage(heard) {
    this.port.onmessage = heard;
  }

  /** Called with the message of a failure, of one before too. */
  set onerror(failed) {
    this.failed = failed;
    if (failed && this.failure !== undefined) failed(this.failure);
  }

  fail(message) {
    this.failure = message;
    this.failed?.(message);
  }

  postMessage(message, transfer = []) {
    this.port.postMessage(message, transfer);
  }

  /** Ends it, whatever it does. */
  terminate() {
    spawned.delete(this.id);
    this.port.close();
    self.postMessage({ type: "end_spawned", id: this.id });
  }
}

/** The page says that a worker failed. */
self.addEventListener("message", (event) => {
  if (event.data?.type !== "spawned_failed") return;
  event.stopImmediatePropagation();
  spawned.get(event.data.id)?.fail(event.data.message);
});

/** In a worker that was started so: a promise of the port to the kernel's thread. */
export function parent() {
  return new Promise((found) => {
    self.addEventListener("message", ({ data }) => found(data.port), { once: true });
  });
}
