// The page's entry: starts the page's WebAssembly, which is Rust (`web/page/src`).

import init, { probeCells, probeFailed, probeFinished, probeLoaded, probeHeld, probeRun, probeSend, probeSignin, probeState, probeStuck, probeToken } from "spoor:page";

import { begin } from "spoor:early";

begin(location);

let started = false;

/** What tests and the console see. `run(id, source)` sets a cell's text and runs the cell. */
globalThis.spoor = {
  get cells() { return started ? probeCells() : []; },
  get loaded() { return started ? probeLoaded() : {}; },
  get failed() { return started ? probeFailed() : []; },
  get state() { return started ? probeState() : "none"; },
  get finished() { return started && probeFinished(); },
  get stuck() { return started ? probeStuck() : undefined; },
  get held() { return started ? probeHeld() : undefined; },
  run: (id, source) => probeRun(id, source),
  send: (message) => probeSend(message),
  /** Shows who is signed in to realms, and gives the SHA-256 of a token. */
  signIn: (entries) => probeSignin(entries),
  token: (realm, forceRefresh = false) => probeToken(realm, forceRefresh),
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
