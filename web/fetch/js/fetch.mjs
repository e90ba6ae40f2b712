// The entry of the worker that asks workspaces. Messages are `{text, buffers}` both ways: JSON (see
// `web/messages/src/fetch.rs`) and an array of `Uint8Array`s, transferred.

import init, { Worker } from "spoor:fetch";

const early = [];
let deliver = (text) => early.push(text);
self.onmessage = ({ data }) => deliver(data.text);

const post = (text, buffers) => self.postMessage({ text, buffers }, buffers.map((b) => b.buffer));

try {
  await init({ module_or_path: new URL("./fetch.wasm", import.meta.url) });
  const worker = new Worker(post);
  deliver = (text) => worker.take(text);
} catch (cause) {
  const error = { message: `the page cannot ask workspaces: ${cause?.message ?? cause}`, hint: "reload the page" };
  deliver = (text) => {
    const { type, id } = JSON.parse(text);
    if (type === "configure") post(JSON.stringify({ type: "known", workspaces: [], mistakes: [[0, error.message]] }), []);
    else if (type === "query" || type === "schema") post(JSON.stringify({ type: "failed", id, error }), []);
  };
}
for (const text of early) deliver(text);
