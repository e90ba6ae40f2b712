// The entry of the worker that holds results. Messages are `{text, buffers}` both ways: JSON (see
// `web/messages/src/results.rs`) and an array of `Uint8Array`s, transferred. Between slices of work
// the worker takes what has come meanwhile, so that a newer request can replace an older one.

import init, { Worker } from "spoor:results";

const early = [];
let deliver = (message) => early.push(message);
self.onmessage = ({ data }) => deliver(data);

const post = (text, buffers) => self.postMessage({ text, buffers }, buffers.map((b) => b.buffer));

/** Waits for what is already in the queue of messages; timers would wait longer. */
const turn = new MessageChannel();

try {
  await init({ module_or_path: new URL("./results.wasm", import.meta.url) });
  const results = new Worker(post);
  let working = false;
  const go = (busy) => {
    working = busy;
    if (busy) turn.port2.postMessage(0);
  };
  turn.port1.onmessage = () => go(results.work());
  deliver = ({ text, buffers }) => {
    const busy = results.take(text, buffers?.[0]);
    if (busy && !working) go(true);
  };
  for (const message of early) deliver(message);
} catch (error) {
  const answer = { answer: "failed", message: `The table could not start: ${error?.message ?? error}. Reload the page.` };
  deliver = ({ text }) => post(JSON.stringify({ request: JSON.parse(text).request, answer }), []);
  for (const message of early) deliver(message);
}
