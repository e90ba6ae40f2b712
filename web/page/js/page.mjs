// The page's entry: starts the page's WebAssembly, which is Rust (`web/page/src`).

import init, { probeCells, probeFailed, probeFinished, probeLoaded, probeRun, probeState } from "spoor:page";

let started = false;

/** What tests and the console see. `run(id, source)` sets a cell's text and runs the cell. */
globalThis.spoor = {
  get cells() { return started ? probeCells() : []; },
  get loaded() { return started ? probeLoaded() : {}; },
  get failed() { return started ? probeFailed() : []; },
  get state() { return started ? probeState() : "none"; },
  get finished() { return started && probeFinished(); },
  run: (id, source) => probeRun(id, source),
};

try {
  await init({ module_or_path: new URL("./page.wasm", import.meta.url) });
  started = true;
} catch (error) {
  const message = document.createElement("p");
  message.setAttribute("role", "alert");
  message.textContent = `Spoor could not start: ${error?.message ?? error}. Reload the page; if that does not help, update the browser.`;
  document.body.prepend(message);
  throw error;
}
