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

function start() {
  return new Worker("worker.js", { type: "module" });
}

/** Fetches the notebook; the page's own request for it takes this answer. */
function preload(href) {
  const link = Object.assign(document.createElement("link"), { rel: "preload", as: "fetch", crossOrigin: "anonymous", href });
  document.head.append(link);
}
