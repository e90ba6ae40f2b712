// What a page that shows a notebook will need, begun while the page's WebAssembly is still to come. The page's
// Rust code imports this module by the name "spoor:early".

/** Set where the address names a notebook: the worker, and what it has said before anyone listened. */
let early;

/** Begins what the address asks for. `src/app/route.rs` reads the same address. */
export function begin({ search, hash }) {
  const query = new URLSearchParams(search);
  const link = hash.startsWith("#nb=");
  if (!link && !["nb", "file", "server"].some((name) => query.get(name))) return;
  const said = [];
  try {
    early = { worker: start(), said };
  } catch {
    // The session's own attempt will tell why.
    return;
  }
  early.worker.onmessage = ({ data }) => said.push(data);
  const url = query.get("nb");
  if (url && !link) preload(url);
}

/** A worker for a session: the one that was begun, or a new one. What it said comes once the caller listens. */
export function startWorker() {
  if (!early) return start();
  const { worker, said } = early;
  early = undefined;
  worker.onmessage = null;
  setTimeout(() => {
    for (const data of said) worker.dispatchEvent(new MessageEvent("message", { data }));
  });
  return worker;
}

/** The scripts of the workers that a session's worker may want, by their names. */
const SCRIPTS = { "spoor-python": "worker.js", "spoor-plugin": "plugin.js" };

/** A session's worker. Those that it wants beside it (`worker/js/spawn.mjs`) are started here, and end with it. */
function start() {
  const worker = new Worker("worker.js", { type: "module" });
  const others = new Map();
  worker.addEventListener("message", (event) => {
    const { type, id, name, port } = event.data;
    if (type === "spawn") {
      others.set(id, beside(name, port, (message) => worker.postMessage({ type: "spawned_failed", id, message })));
    } else if (type === "end_spawned") {
      others.get(id)?.terminate();
      others.delete(id);
    } else return;
    event.stopImmediatePropagation();
  });
  worker.addEventListener("error", (event) => tell(worker, event));
  worker.terminate = () => {
    for (const other of others.values()) other?.terminate();
    Worker.prototype.terminate.call(worker);
  };
  return worker;
}

function beside(name, port, failed) {
  if (!Object.hasOwn(SCRIPTS, name)) return void failed(`there is no worker ${name}`);
  let other;
  try {
    other = new Worker(SCRIPTS[name], { type: "module", name });
  } catch (error) {
    return void failed(String(error));
  }
  other.onerror = (event) => {
    event.preventDefault();
    failed(event.message || "its script could not be loaded");
  };
  other.postMessage({ port }, [port]);
  return other;
}

/** A worker whose script cannot be loaded, or breaks, says nothing itself. */
function tell(worker, { message }) {
  const failed = { type: "failed", part: "worker", message: `The worker broke: ${message || "its script could not be loaded"}. Reload the page to try again.` };
  for (const data of [failed, { type: "state", state: "dead" }]) worker.dispatchEvent(new MessageEvent("message", { data }));
}

/** Fetches the notebook; the page's own request for it takes this answer. */
function preload(href) {
  const link = Object.assign(document.createElement("link"), { rel: "preload", as: "fetch", crossOrigin: "anonymous", href });
  document.head.append(link);
}
