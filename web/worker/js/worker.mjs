// The worker's entry, and that of its second thread, which holds Python (`js/threads.mjs`).
//
// The worker starts the downloads that will be needed before the Rust driver is there to ask for
// them, then hands every message of the page to the driver. See `web/messages` for the messages
// of the page, and `src/wire.rs` for those of the threads.

import init, { start, startPython } from "spoor:driver";
import { know, prefetch } from "spoor:engines";
import { PYTHON, beginThread, compileDriver } from "spoor:threads";
import { parent } from "./spawn.mjs";

if (self.name === PYTHON) await python();
else await worker();

async function worker() {
  let site;
  const early = [];
  let deliver = (...message) => early.push(message);
  const post = (text, buffers) => self.postMessage({ ...JSON.parse(text), buffers }, buffers.map((b) => b.buffer));
  const driver = compileDriver();
  expectKernel(() => site === undefined).catch(() => {});
  self.onmessage = ({ data: { buffers, ...data } }) => {
    if (data.type === "open") {
      site = data.site;
      know([...site.kernel, ...assets(site), ...(data.sources ?? [])]);
      // A browser that cannot suspend a kernel needs all of it first.
      for (const part of "Suspending" in WebAssembly ? site.kernel.slice(0, 1) : site.kernel) prefetch(part);
    }
    if (data.type === "prepare_python") {
      beginThread();
      prefetchPython(site.python, data.image ?? "pandas");
    }
    deliver(JSON.stringify(data), buffers ?? []);
  };
  try {
    await init({ module_or_path: await driver });
    const handle = start(post);
    for (const message of early) handle(...message);
    deliver = handle;
  } catch (error) {
    post(JSON.stringify({ type: "failed", part: "driver", message: `The worker could not start: ${error}` }), []);
  }
}

/** Begins the kernel's download before the page says what the site has. Compiling it as early would slow the page's own start. */
async function expectKernel(wanted) {
  const response = await fetch("site.json");
  const { kernel } = await response.json();
  // The page was sooner: its download may be taken already.
  if (!wanted()) return;
  know(kernel);
  prefetch(kernel[0]);
}

/** Python's files that come whole. */
function assets({ python: { parts, images } }) {
  return [...parts, ...Object.values(images ?? {})];
}

function prefetchPython({ parts, images, mounts }, name) {
  const image = images?.[name];
  for (const asset of [...parts.slice(0, image?.parts), image, mounts]) if (asset) prefetch(asset);
}

/** The compiled driver comes first or after some messages, which wait for it, and with it what the site has in pieces. */
async function python() {
  const early = [];
  let deliver = (message) => early.push(message);
  const port = await parent();
  const { module, known } = await new Promise((ready) => {
    port.onmessage = ({ data }) => (data.module instanceof WebAssembly.Module ? ready(data) : deliver(data));
  });
  know(known);
  await init({ module_or_path: module });
  const handle = startPython((head, extras, transfer) => port.postMessage({ head, extras }, transfer));
  for (const { head, extras } of early) handle(head, extras);
  deliver = ({ head, extras }) => handle(head, extras);
}
