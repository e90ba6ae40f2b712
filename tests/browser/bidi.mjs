// Firefox for the browser tests, spoken to by WebDriver BiDi, which it has built in: a fresh profile, one page.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

const { WebSocket } = createRequire(new URL("../../web/package.json", import.meta.url))("ws");

const KEYS = { Shift: "\uE008", Control: "\uE009", Alt: "\uE00A", Enter: "\uE007", Escape: "\uE00C", Tab: "\uE004" };

/** Calls `use(page)` with a page of a new Firefox (`$FIREFOX`, else firefox-esr), and ends both. */
export async function withFirefox(use) {
  const profile = await mkdtemp(path.join(tmpdir(), "spoor-firefox-"));
  const browser = spawn(process.env.FIREFOX ?? "firefox-esr", ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise((done) => browser.once("exit", done));
  try {
    const socket = await connected(`${await listening(browser)}/session`);
    await use(await pageOf(commands(socket)));
    socket.close();
  } finally {
    browser.kill("SIGKILL");
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The address that the browser says it listens at. */
function listening(browser) {
  return new Promise((found, failed) => {
    let said = "";
    setTimeout(() => failed(new Error(`Firefox does not listen: ${said}`)), 60_000).unref();
    browser.stderr.on("data", (data) => {
      said += data;
      const address = /WebDriver BiDi listening on (ws:\S+)/.exec(said);
      if (address) found(address[1]);
    });
    browser.once("error", failed);
    browser.once("exit", () => failed(new Error(`Firefox ended: ${said}`)));
  });
}

function connected(address) {
  return new Promise((done, failed) => {
    const socket = new WebSocket(address);
    socket.onopen = () => done(socket);
    socket.onerror = () => failed(new Error(`nothing answers at ${address}`));
  });
}

/** Sends a command; resolves to its result. */
function commands(socket) {
  const waiting = new Map();
  let last = 0;
  socket.onmessage = ({ data }) => {
    const { id, type, result, error, message } = JSON.parse(data);
    const [done, failed] = waiting.get(id) ?? [];
    waiting.delete(id);
    if (type === "error") failed?.(new Error(`${error}: ${message}`));
    else done?.(result);
  };
  socket.onclose = () => {
    for (const [, failed] of waiting.values()) failed(new Error("Firefox has ended"));
    waiting.clear();
  };
  return (method, params) => new Promise((done, failed) => {
    if (socket.readyState !== WebSocket.OPEN) return failed(new Error("Firefox has ended"));
    const id = ++last;
    waiting.set(id, [done, failed]);
    socket.send(JSON.stringify({ id, method, params }));
    setTimeout(() => {
      if (waiting.delete(id)) failed(new Error(`Firefox does not answer ${method}`));
    }, 120_000).unref();
  });
}

async function pageOf(send) {
  await send("session.new", { capabilities: {} });
  const { contexts } = await send("browsingContext.getTree", {});
  const { context } = contexts[0];
  const keys = (actions) => send("input.performActions", { context, actions: [{ type: "key", id: "keys", actions }] });
  return {
    goto: (url) => send("browsingContext.navigate", { context, url, wait: "complete" }),
    reload: () => send("browsingContext.reload", { context, wait: "complete" }),
    async evaluate(work, argument) {
      const expression = `(async () => JSON.stringify(await (${work})(${JSON.stringify(argument) ?? ""})) ?? "null")()`;
      const { type, result, exceptionDetails } = await send("script.evaluate", { expression, target: { context }, awaitPromise: true });
      if (type === "exception") throw new Error(exceptionDetails.text);
      return JSON.parse(result.value);
    },
    /** A key with its modifiers, as in `Shift+Enter`. */
    press(stroke) {
      const values = stroke.split("+").map((name) => KEYS[name] ?? name);
      return keys([...values.map((value) => ({ type: "keyDown", value })), ...values.reverse().map((value) => ({ type: "keyUp", value }))]);
    },
    type: (text) => keys([...text].flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }])),
  };
}
