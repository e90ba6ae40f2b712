// The script of a worker in which calls of plugins run, one at a time (`js/plugins.mjs` is the other
// side). It has no other task, so that it can be ended in the midst of one. A message is a call as
// `js/call.mjs` takes it; the answers are what the plugin says meanwhile, and what came of it.

import { run } from "./call.mjs";
import { parent } from "./spawn.mjs";

const port = await parent();
port.onmessage = ({ data }) => {
  const ended = run(data, (said) => port.postMessage(said));
  port.postMessage(ended, ended.bytes ? [ended.bytes.buffer] : []);
};
port.postMessage({ ready: true });
