// The page's entry: starts the page's WebAssembly, which is Rust (`web/page/src`).

import init from "spoor:page";

try {
  await init({ module_or_path: new URL("./page.wasm", import.meta.url) });
} catch (error) {
  const message = document.createElement("p");
  message.setAttribute("role", "alert");
  message.textContent = `Spoor could not start: ${error?.message ?? error}. Reload the page; if that does not help, update the browser.`;
  document.body.prepend(message);
  throw error;
}
