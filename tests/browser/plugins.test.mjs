// Plugins in Chromium: added and called from KQL and from Python, ended at their deadline, by fuel and by an interrupt; and
// the whole hostile corpus, which is to end as it does under wasmtime.
//
//   SPOOR_SITE=DIR SPOOR_CORPUS=DIR node --test tests/browser/plugins.test.mjs
//
// SPOOR_CORPUS is what `cargo run -p spoor-gate --example corpus -- DIR` wrote.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { becomes, restarted, until, withPage } from "./browser.mjs";
import { callable, corpus } from "./corpus.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
const folder = process.env.SPOOR_CORPUS;
if (!root || !folder) throw new Error("SPOOR_SITE is to name the site's folder, and SPOOR_CORPUS the corpus'");

const code = (id) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs: [], source: "print(1)" });
const texts = {
  "/test.ipynb": JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [code("a")] }),
  "/data/index.json": "[]",
};
const cases = await corpus(folder);
/** A plugin of the corpus, changed so that a query can call its function `f`. */
const plugin = async (name, change) => callable(await readFile(path.join(folder, `${name}.wasm`)), change);
/** The same in a plugin and with a function of other names. */
const renamed = (plugin, name) => (manifest) => {
  manifest.name = plugin;
  manifest.functions[0].name = name;
  return manifest;
};

/** Has the page's worker be overheard: `replies` has the content of each `plugin_reply` by its request. */
function overhear() {
  globalThis.replies = {};
  globalThis.Worker = class extends Worker {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        if (data?.msg_type === "plugin_reply") globalThis.replies[data.parent] = data.content;
      });
    }
  };
}

/** Serves the site and hands a page with the notebook open to `use`. */
async function opened(use, { mounts, server } = {}) {
  const site = await serve(root, { texts, mounts, ...server });
  try {
    await withPage(async (page) => {
      await page.addInitScript(overhear);
      await page.goto(`${site.url}/?nb=test.ipynb`);
      await until(page, () => globalThis.spoor?.cells.length > 0 && spoor.state === "idle");
      await use(page, site);
    });
  } finally {
    await site.close();
  }
}

let requests = 0;

/** Adds the plugin at `url`, or of these bytes; what is replied. */
async function add(page, module, more = {}) {
  const id = `add ${++requests}`;
  const given = typeof module === "string" ? { url: module } : { base64: module.toString("base64") };
  await page.evaluate(({ id, url, base64, more }) => {
    const bytes = base64 && Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    spoor.send({ type: "add_plugin", id, url: url ?? URL.createObjectURL(new Blob([bytes])), granted: [], limits: {}, ...more });
  }, { id, more, ...given });
  await until(page, (id) => id in replies, id, 60_000, 5);
  return page.evaluate((id) => replies[id], id);
}

async function run(page, source) {
  await page.evaluate((source) => spoor.run("a", source), source);
  return finished(page);
}

async function finished(page) {
  await until(page, () => spoor.finished, undefined, 120_000, 10);
  return page.evaluate(() => spoor.cells[0].outputs);
}

const text = (outputs) => outputs.map((o) => o.text ?? o.data?.["text/plain"] ?? `${o.ename}: ${o.evalue}`).join("");
const error = (outputs) => outputs.filter((o) => o.output_type === "error").map((o) => `${o.ename}: ${o.evalue}`).join();
const query = (rows, name = "f") => `%%kql\nrange x from 1 to ${rows} step 1 | evaluate ${name}()`;
const interrupt = (page) => page.evaluate(() => spoor.send({ type: "request", event: { event: "interrupt" } }));
const ENDLESS = { fuel: 2 ** 53 - 1, wall_ms: 600_000 };

async function works(page, name) {
  assert.match(text(await run(page, `%%kql\nrange x from 1 to 2 step 1 | evaluate ${name}() | summarize sum(Value)`)), /6/);
}

describe("plugins", { timeout: 1_200_000 }, () => {
  let good;
  before(async () => {
    good = await plugin("good", renamed("kind", "kind"));
  });

  test("a plugin's rows are a query's, in a cell of KQL and in Python, and gone with it", () => opened(async (page) => {
    const reply = await add(page, good);
    assert.deepEqual([reply.status, reply.name, reply.functions], ["ok", "kind", ["kind"]]);
    await works(page, "kind");
    assert.match(text(await run(page, "t = kql('range x from 1 to 2 step 1 | evaluate kind()')\nprint(list(t['Value']))")), /\[1, 2, 3\]/);
    const both = "%%kql\nrange x from 1 to 2 step 1 | evaluate kind() | union (range x from 1 to 2 step 1 | evaluate kind()) | summarize sum(Value)";
    assert.match(text(await run(page, both)), /12/);
    await restarted(page, async () => {
      await page.click("#restart");
      await page.locator("dialog[open]").getByRole("button", { name: "Restart", exact: true }).click();
    });
    await works(page, "kind");
    await page.evaluate(() => spoor.send({ type: "remove_plugin", name: "kind" }));
    assert.match(error(await run(page, query(1, "kind"))), /kind/);
  }));

  test("a plugin beside the data is used, told of and pinned, and gone with its file", () => opened(async (page, site) => {
    const keep = (name, module) => page.evaluate(({ name, base64 }) => {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      return spoor.storage.addFile(name, new Blob([bytes]));
    }, { name, base64: module.toString("base64") });
    const row = (words) => until(page, (words) => {
      const rows = [...document.querySelectorAll("#files .file")];
      return rows.some((row) => row.textContent.includes("kind.wasm") && row.textContent.includes(words));
    }, words);
    await until(page, () => spoor.storage && document.querySelector("#files .space")?.textContent);
    const id = await page.evaluate((text) => spoor.storage.create("hunt.ipynb", text), texts["/test.ipynb"]);
    await keep("text.wasm", Buffer.from("no module"));
    await until(page, () => document.querySelector("#toasts").textContent.includes("text.wasm cannot be used"));
    await keep("kind.wasm", good);
    await page.getByRole("heading", { name: "Let kind 1.0.0 run?" }).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await row("waits until you let it run");
    assert.match(error(await run(page, query(1, "kind"))), /no plugin has a function called `kind`/);
    await page.goto(`${site.url}/?file=${id}`);
    await until(page, () => globalThis.spoor?.cells.length > 0 && spoor.state === "idle" && spoor.storage);
    // A question that was not answered is not asked again by itself.
    await row("waits until you let it run");
    assert.equal(await page.locator("dialog").count(), 0);
    await page.getByRole("button", { name: "Show or hide the files" }).click();
    await page.getByRole("button", { name: "Let kind.wasm run" }).click();
    if (process.env.SPOOR_SHOTS) await page.screenshot({ path: path.join(process.env.SPOOR_SHOTS, "plugin-question.png") });
    await page.getByRole("button", { name: "Let it run" }).click();
    await until(page, () => document.querySelector("#toasts").textContent.includes("The plugin kind 1.0.0 is here"));
    await works(page, "kind");
    await row("plugin kind 1.0.0 · kind · not signed");
    // The answer is kept.
    await page.reload();
    await until(page, () => globalThis.spoor?.cells.length > 0 && spoor.state === "idle" && spoor.storage);
    await row("plugin kind 1.0.0 · kind · not signed");
    await works(page, "kind");
    await until(page, () => [...document.querySelectorAll("#files .file")].some((row) => row.textContent.includes("not a plugin")));
    // What was called is pinned by its hash, and saved so.
    await until(page, async (id) => (await spoor.storage.read(id)).includes('"sha256"'), id);
    const pinned = JSON.parse(await page.evaluate((id) => spoor.storage.read(id), id)).metadata.spoor.plugins;
    assert.deepEqual(Object.keys(pinned), ["kind"]);
    assert.match(pinned.kind.sha256, /^[0-9a-f]{64}$/);
    // Without its file the cell fails, and the page says what is missing.
    if (process.env.SPOOR_SHOTS) await page.screenshot({ path: path.join(process.env.SPOOR_SHOTS, "plugins.png") });
    await page.getByRole("button", { name: "kind.wasm: more" }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await until(page, () => ![...document.querySelectorAll("#files .file")].some((row) => row.textContent.includes("kind.wasm")));
    // The session is told just after the panel is.
    await becomes(async () => error(await run(page, query(1, "kind"))), /no plugin has a function called `kind`/);
    await until(page, () => document.querySelector("#toasts").textContent.includes("The notebook was run with kind 1.0.0"));
  }));

  test("what cannot be had, or is another than was meant, is refused with its reason", () => opened(async (page) => {
    const missing = await add(page, "nothing.wasm");
    assert.equal(missing.status, "error");
    assert.match(missing.evalue, /404/);
    assert.match((await add(page, "https://other.invalid/x.wasm")).evalue, /another site/);
    assert.match((await add(page, "data:application/wasm;base64,AGFzbQEAAAA=")).evalue, /another site/);
    assert.match((await add(page, good, { sha256: "00".repeat(32) })).evalue, /SHA-256/);
    assert.match((await add(page, await readFile(path.join(folder, "chatty.wasm")))).evalue, /log/);
    assert.match((await add(page, Buffer.alloc((16 << 20) + 1))).evalue, /16 MiB/);
    await add(page, good);
    await works(page, "kind");
  }));

  test("a page cannot send what is the driver's", () => opened(async (page) => {
    await page.evaluate(() => spoor.send({ type: "request", event: { event: "remove_plugin", name: "kind" } }));
    await until(page, () => spoor.failed.some(({ message }) => message.includes("driver's own")));
  }));

  test("an endless call ends at its deadline or without fuel, and the next one works", () => opened(async (page) => {
    const endless = await plugin("endless-loop");
    await add(page, good);
    for (const [limits, wanted] of [[{ ...ENDLESS, wall_ms: 500 }, /too long/], [{ fuel: 1_000_000 }, /out of fuel: it used the 1000000 units/]]) {
      await add(page, endless, { limits });
      assert.match(error(await run(page, query(1))), wanted);
      await works(page, "kind");
      assert.match(text(await run(page, "try:\n    kql('range x from 1 to 1 step 1 | evaluate f()')\nexcept Exception as e:\n    print(e)")), wanted);
      await works(page, "kind");
    }
  }));

  test("an interrupt ends a call, of a cell and of Python's", () => opened(async (page) => {
    await add(page, good);
    await add(page, await plugin("endless-loop"), { limits: ENDLESS });
    for (const source of [query(1), "kql('range x from 1 to 1 step 1 | evaluate f()')"]) {
      await page.evaluate((source) => spoor.run("a", source), source);
      await until(page, () => spoor.state === "busy");
      await page.waitForTimeout(1500);
      assert.equal(await page.evaluate(() => spoor.finished), false);
      const before = Date.now();
      await interrupt(page);
      assert.match(error(await finished(page)), /KeyboardInterrupt/);
      assert.ok(Date.now() - before < 60_000);
      await works(page, "kind");
    }
  }));

  test("an interrupt that comes before Python's call ends the call", () => opened(async (page) => {
    await add(page, await plugin("endless-loop"), { limits: ENDLESS });
    // In this page nothing reaches code that does not wait: the interrupt is there when the call comes.
    const busy = "import time\nend = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass\n";
    await run(page, "1");
    for (let n = 0; n < 3; n++) {
      await page.evaluate((source) => spoor.run("a", source), `${busy}kql('range x from 1 to 1 step 1 | evaluate f()')`);
      await page.waitForTimeout(400);
      await interrupt(page);
      assert.match(error(await finished(page)), /KeyboardInterrupt/);
    }
    assert.match(text(await run(page, "kql('print 41 + 1')['print_0'][0]")), /42/);
  }));

  test("a trap is an error on its cell that names the plugin and says its last words", () => opened(async (page) => {
    await add(page, await readFile(path.join(folder, "panicking.wasm")));
    const said = error(await run(page, query(1)));
    assert.match(said, /hostile/);
    assert.match(said, /unreachable.*out of luck/);
  }));

  test("what a plugin logs is on the cell, so many lines and no more", () => opened(async (page) => {
    await add(page, good);
    await add(page, await readFile(path.join(folder, "chatty.wasm")), { granted: ["log"] });
    const [stream, ...rest] = await run(page, query(1));
    assert.deepEqual([stream.output_type, stream.name], ["stream", "stderr"]);
    assert.equal(stream.text, "a line\ufffd[31m\n".repeat(1000));
    assert.match(text(rest), /3/);
  }));

  test("how much of a call is done stands under its cell while it runs", () => opened(async (page) => {
    await add(page, await readFile(path.join(folder, "slow.wasm")), { granted: ["progress"], limits: ENDLESS });
    await page.evaluate((source) => spoor.run("a", source), query(1));
    const foot = () => page.evaluate(() => document.querySelector(".cell .foot").textContent);
    await until(page, () => document.querySelector(".cell .foot").textContent.includes("43% done"));
    await interrupt(page);
    assert.match(error(await finished(page)), /KeyboardInterrupt/);
    assert.doesNotMatch(await foot(), /done/);
  }));

  test("in a browser where Python cannot wait, it is told so", async () => {
    const worker = `delete WebAssembly.Suspending;\n${await readFile(path.join(root, "worker.js"), "utf8")}`;
    await opened(async (page) => {
      await add(page, good);
      await works(page, "kind");
      assert.match(text(await run(page, "try:\n    kql('range x from 1 to 2 step 1 | evaluate kind()')\nexcept Exception as e:\n    print(e)")), /KQL cell/);
      await works(page, "kind");
    }, { server: { texts: { ...texts, "/worker.js": worker } } });
  });
});

/** How a query says of each kind of trap. */
const TRAPS = {
  fuel: /ran out of fuel/,
  stack: /lie too deep/,
  unreachable: /gave up/,
  memory: /outside its memory/,
  table: /not in its table/,
  signature: /an empty entry of its table, or a function of another type/,
  "division-by-zero": /divided by zero/,
  overflow: /overflowed/,
  conversion: /integer of a number/,
};

/** Whether an answer's fault is found where the answer lies, or later, in what it holds. */
const LIES = ["range", "size"];

describe("the hostile corpus", { timeout: 1_200_000 }, () => {
  let made;
  before(async () => {
    made = await mkdtemp(path.join(tmpdir(), "spoor-corpus-"));
    for (const { name, file, metered } of cases) {
      const module = await readFile(file);
      await writeFile(path.join(made, `${name}.wasm`), metered ? callable(module) : module);
    }
  });
  after(() => rm(made, { recursive: true, force: true }));

  test("metered modules end in a call's worker as under wasmtime, with the same fuel", () => opened(async (page) => {
    const wrong = [];
    for (const one of cases.filter(({ metered }) => metered)) {
      const came = await page.evaluate(called, one);
      const [kind, detail] = one.expect.split(/ (.*)/);
      const wanted = { trap: `trapped ${detail}`, error: "said", answer: "answered", fault: LIES.includes(detail) ? "misplaced" : "answered" }[kind];
      if (came.outcome !== wanted || came.fuel !== one.used) wrong.push(`${one.name}: wanted ${wanted} with ${one.used} units, came ${came.outcome} with ${came.fuel}`);
    }
    assert.deepEqual(wrong, []);
  }, { mounts: { "/corpus/": folder } }));

  test("plugins end in a query as they should, and the next call works", () => opened(async (page) => {
    const good = await plugin("good", renamed("kind", "kind"));
    await add(page, good);
    const wrong = [];
    for (const one of cases) {
      const came = await tried(page, one);
      if (came !== undefined) wrong.push(`${one.name}: wanted ${one.expect}, came ${came}`);
      await works(page, "kind");
    }
    assert.deepEqual(wrong, []);
    assert.equal(await page.evaluate(() => spoor.failed.length), 0);
  }, { mounts: { "/corpus/": made } }));
});

/** Makes a case's call in a worker as the driver has them: how it ended, and the fuel. Runs in the page. */
async function called({ name, fuel }) {
  const load = async (ending) => new Uint8Array(await (await fetch(`corpus/${name}.${ending}`)).arrayBuffer());
  const [module, frame] = await Promise.all([load("metered.wasm").then((bytes) => WebAssembly.compile(bytes)), load("frame")]);
  const worker = new Worker("plugin.js", { type: "module" });
  const { port1: port, port2 } = new MessageChannel();
  worker.postMessage({ port: port2 }, [port2]);
  try {
    return await new Promise((done, failed) => {
      setTimeout(() => done({ outcome: "nothing in a minute" }), 60_000);
      worker.onerror = ({ message }) => failed(new Error(message));
      port.onmessage = ({ data: { ready, outcome, fuel: used } }) => {
        if (ready) port.postMessage({ module, imports: [], fuel: BigInt(fuel), output: 64 << 20, frame });
        else if (outcome) done({ outcome: [outcome.kind, outcome.trap].filter(Boolean).join(" "), fuel: Number(used) });
      };
    });
  } finally {
    worker.terminate();
  }
}

/** Adds a case's plugin and calls it from a query: what came of it, if it is not what is wanted. */
async function tried(page, { name, expect, fuel, rows }) {
  const [kind, detail] = expect.split(/ (.*)/);
  const reply = await add(page, `corpus/${name}.wasm`, { limits: { fuel } });
  if (kind === "refused") return reply.status === "error" && /16 MiB/.test(reply.evalue) || reply.evalue?.includes(`'${detail}'`) ? undefined : JSON.stringify(reply);
  if (reply.status !== "ok") return reply.evalue;
  // A signed plugin takes no table, as its manifest cannot be changed.
  if (name.startsWith("signature")) return undefined;
  const outputs = await run(page, query(rows || 1));
  const said = error(outputs);
  const fits = {
    trap: () => TRAPS[detail].test(said),
    fault: () => said.includes(`the rule '${detail}'`),
    error: () => said.includes(detail),
    answer: () => said === "" && outputs.length > 0,
  };
  return fits[kind]() ? undefined : said || text(outputs);
}
