// The worker's entry. It starts the downloads that will be needed before the Rust driver is there
// to ask for them, then hands every message to the driver. See `web/messages` for the messages.

import init, { start } from "spoor:driver";
import { prefetch } from "spoor:engines";

let site;
const early = [];
let deliver = (text) => early.push(text);

self.onmessage = ({ data }) => {
  if (data.type === "open") {
    site = data.site;
    prefetch(site.kernel);
  }
  if (data.type === "prepare_python") prefetchPython(site.python, data.image ?? "pandas");
  deliver(JSON.stringify(data));
};

/** The parts of Python's code that the driver loads at once with each image (`web/messages`). */
const PARTS = { bare: 1, pandas: 2 };

function prefetchPython({ parts, images, mounts }, image) {
  for (const asset of [...parts.slice(0, PARTS[image]), images?.[image], mounts]) if (asset) prefetch(asset);
}

const post = (text, buffers) => self.postMessage({ ...JSON.parse(text), buffers }, buffers.map((b) => b.buffer));

try {
  await init({ module_or_path: new URL("./driver.wasm", import.meta.url) });
  const handle = start(post);
  for (const text of early) handle(text);
  deliver = handle;
} catch (error) {
  post(JSON.stringify({ type: "failed", part: "driver", message: `The worker could not start: ${error}` }), []);
}
