// A session in Chromium, by the page: what happens when a cell traps, sleeps, asks, prints, is
// interrupted or stopped, or brings hostile HTML; on pages that are cross-origin isolated and that are
// not; and on servers and browsers that can do less.
//
//   SPOOR_SITE=DIR node --test tests/browser/session.test.mjs

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, test } from "node:test";

import { restarted, until, withPage } from "./browser.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
if (!root) throw new Error("SPOOR_SITE is to name the site's folder");

const cell = (id, source) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs: [], source });
const notebook = { nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [cell("a", "print(1)")] };
const csv = "Account,Count\nana,3\nbo,10\n";
const texts = {
  "/test.ipynb": JSON.stringify(notebook),
  "/data/index.json": JSON.stringify([{ name: "Logons", file: "Logons.csv", url: "data/Logons.csv", bytes: csv.length, format: "csv" }]),
  "/data/Logons.csv": csv,
};

/** The worker's script as a browser without JSPI would run it. */
const withoutJspi = `delete WebAssembly.Suspending;\n${await readFile(path.join(root, "worker.js"), "utf8")}`;

/** Serves the site as `server` says and hands a page with the notebook open to `use`; `before(page)` comes first. */
async function opened(use, { server = {}, before } = {}) {
  const site = await serve(root, { texts, ...server });
  try {
    await withPage(async (page) => {
      await before?.(page);
      await page.goto(`${site.url}/?nb=test.ipynb`);
      await until(page, () => globalThis.spoor?.cells.length > 0 && spoor.state === "idle");
      await use(page);
    });
  } finally {
    await site.close();
  }
}

/** Runs `source` in the notebook's cell; its outputs. */
async function run(page, source) {
  await page.evaluate((code) => spoor.run("a", code), source);
  await until(page, () => spoor.finished, undefined, 300_000);
  return page.evaluate(() => spoor.cells[0].outputs);
}

const text = (outputs) => outputs.map((o) => o.text ?? o.data?.["text/plain"] ?? `${o.ename}: ${o.evalue}`).join("");

/** Begins to run `source` and waits until its outputs hold `marker`. */
async function begin(page, source, marker) {
  await page.evaluate((code) => spoor.run("a", code), source);
  await until(page, (wanted) => JSON.stringify(spoor.cells[0].outputs).includes(wanted), marker);
}

/** A query of functions that no hunt of the gallery's calls. */
const UNUSUAL = "%%kql\nprint reverse('abc'), strrep('ab', 2), translate('abc', 'xyz', 'cab'), hash_md5('a')";

/** Restarts the kernel, which asks first where something has run. */
async function restart(page) {
  await restarted(page, async () => {
    await page.click("#restart");
    await page.locator("dialog[open]").getByRole("button", { name: "Restart", exact: true }).click();
  });
}

const LOOP = "n = 0\nprint('begun')\nwhile True:\n    n += 1";

async function interrupted(page) {
  await page.click("#stop");
  await until(page, () => spoor.finished);
  return page.evaluate(() => spoor.cells[0].outputs.at(-1));
}

const isolated = { server: { isolated: true } };

describe("a session", { timeout: 1_200_000 }, () => {
  test("a trap is an error on its cell, and the state before it is kept", () => opened(async (page) => {
    await run(page, "kept = 41");
    const [error] = await run(page, "lost = 1\nimport os\nos._exit(3)");
    assert.equal(error.output_type, "error");
    assert.equal(text(await run(page, "kept + 1, 'lost' in globals()")), "(42, False)");
  }));

  test("output shows while the cell still runs; sleep and loops that print can be interrupted", () => opened(async (page) => {
    await begin(page, "import time\nn = 5\nprint('begun')\ntime.sleep(600)", "begun");
    assert.equal((await interrupted(page)).ename, "KeyboardInterrupt");
    await begin(page, "while True:\n    n += 1\n    print('turn', n)\n    time.sleep(0.001)", "turn");
    assert.equal((await interrupted(page)).ename, "KeyboardInterrupt");
    assert.match(text(await run(page, "print(n > 5)")), /True/);
  }));

  test("an interrupt that comes while the cell is only about to run stops it", () => opened(async (page) => {
    await run(page, "turns = 0");
    for (let turn = 0; turn < 20; turn++) {
      await page.evaluate((code) => { spoor.run("a", code); spoor.send({ type: "request", event: { event: "interrupt" } }); }, "turns += 1\nwhile True:\n    pass");
      await until(page, () => spoor.finished);
      assert.equal((await page.evaluate(() => spoor.cells[0].outputs.at(-1))).ename, "KeyboardInterrupt");
    }
    assert.match(text(await run(page, "turns")), /^\d+$/);
  }, isolated));

  test("input is asked for and given", () => opened(async (page) => {
    const outputs = run(page, "name = input('Who? ')\nprint('Hello', name)");
    await page.getByLabel("Who?").first().fill("Ana");
    await page.keyboard.press("Enter");
    assert.match(text(await outputs), /Hello Ana/);
  }));

  let answers = 0;
  test("a query waits for what it needs of the kernel, which is fetched until it comes", () => opened(async (page) => {
    assert.match(text(await run(page, UNUSUAL)), /cba .*abab/s);
    const failed = await page.evaluate(() => spoor.failed.map(({ message }) => message));
    assert.match(failed.join(), /more of the kernel could not be loaded.*tried again in 2 s/);
    assert.match(text(await run(page, "1 + 1")), /2/);
  }, { before: (page) => page.route("**/kernel1.wasm", (route) => (++answers > 2 ? route.continue() : route.fulfill({ status: 503 }))) }));

  test("nobody has to wait for a part of the kernel that does not come", () => opened(async (page) => {
    await page.evaluate((code) => spoor.run("a", code), UNUSUAL);
    await until(page, () => spoor.state === "busy");
    await page.waitForTimeout(500);
    assert.equal((await interrupted(page)).ename, "KernelError");
    assert.match(text(await run(page, "%%kql\nprint 1 + 1")), /2/);
  }, { before: (page) => page.route("**/kernel1.wasm", () => {}) }));

  test("restart forgets", () => opened(async (page) => {
    await run(page, "gone = 1");
    await restart(page);
    assert.match(text(await run(page, "gone")), /NameError/);
  }));

  test("a restart asks before it forgets, and only where there is something to forget", () => opened(async (page) => {
    const question = page.locator("dialog[open]", { hasText: "Restart the kernel?" });
    const zeros = async () => {
      await page.locator(".cell").first().focus();
      await page.keyboard.press("0");
      await page.keyboard.press("0");
    };
    await zeros();
    await page.getByText("The kernel was restarted").waitFor();
    assert.equal(await question.count(), 0);
    await run(page, "here = 1");
    await zeros();
    await question.waitFor();
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "detached" });
    assert.match(text(await run(page, "here")), /1/);
    await zeros();
    await question.waitFor();
    await restarted(page, () => page.keyboard.press("Enter"));
    assert.match(text(await run(page, "here")), /NameError/);
  }));

  test("scripts of a cell's HTML run apart and cannot reach the page", () => opened(async (page) => {
    const html = "<b id=b>shown</b><script>parent.stolen=1;document.title='x'</script><img src=x onerror='document.body.dataset.tried=1;parent.postMessage({height:9999},`*`);parent.stolen=1'>";
    await run(page, `from IPython.display import HTML, display\ndisplay(HTML(${JSON.stringify(html)}))`);
    const frame = page.frameLocator("iframe");
    await frame.locator("#b").waitFor();
    await frame.locator("body[data-tried]").waitFor({ state: "attached" });
    await page.waitForTimeout(300);
    assert.equal(await page.evaluate(() => "stolen" in globalThis), false);
    assert.equal(await page.locator("iframe").getAttribute("sandbox"), "allow-scripts");
    assert.ok((await page.locator("iframe").boundingBox()).height < 1000);
  }));

  const data = "t = kql('Logons | summarize Total = sum(Count)')\nprint(t['Total'][0], open('/data/Logons.csv').readline())";
  const unloaded = "import sqlite3, wave";

  test("data is a table of KQL's and a file of Python's", () => opened(async (page) => {
    assert.match(text(await run(page, data)), /^13 Account,Count/);
  }));

  const packages = "import numpy, scipy.linalg\nprint(scipy.linalg.det(numpy.diag([2.0, 3.0])))";

  test("packages' code is loaded when it is called, and again after a trap", () => opened(async (page) => {
    assert.match(text(await run(page, packages)), /^6\.0/);
    const [error] = await run(page, "import os\nos._exit(3)");
    assert.equal(error.output_type, "error");
    assert.match(text(await run(page, "print(scipy.linalg.det(numpy.diag([2.0, 5.0])))")), /^10\.0/);
  }));

  test("arithmetic on frames loads nothing of the packages that fewer notebooks import", () => opened(async (page) => {
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    const frames = "import numpy, pandas\nframe = pandas.DataFrame({'a': [1.0, 4.0]})\nprint(numpy.log2(frame['a'] + frame['a'] * 7).sum() + numpy.random.default_rng(1).integers(1))";
    assert.equal(text(await run(page, frames)), "8.0\n");
    assert.deepEqual(asked.filter((name) => /part\d/.test(name)), ["/python/part1.wasm"]);
  }));

  test("a server that refuses ranges will do", () => opened(async (page) => {
    assert.equal(text(await run(page, `${unloaded}\nprint('imported')`)), "imported\n");
  }, { server: { ranges: false } }));

  test("where threads share memory, a loop that never calls out is interrupted and its state kept", () => opened(async (page) => {
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
    await run(page, "kept = 41");
    await begin(page, LOOP, "begun");
    assert.equal((await interrupted(page)).ename, "KeyboardInterrupt");
    assert.equal(text(await run(page, "kept + 1, n > 0")), "(42, True)");
    const [error] = await run(page, "lost = 1\nimport os\nos._exit(3)");
    assert.equal(error.output_type, "error");
    await begin(page, LOOP, "begun");
    assert.equal((await interrupted(page)).ename, "KeyboardInterrupt");
    assert.equal(text(await run(page, "kept, 'lost' in globals()")), "(41, False)");
    await begin(page, "import time\nprint('begun')\ntime.sleep(600)", "begun");
    assert.equal((await interrupted(page)).ename, "KeyboardInterrupt");
  }, isolated));

  test("where they do not, such a loop is stopped, and the state before it is kept", () => opened(async (page) => {
    await run(page, "import numpy\nkept = numpy.arange(10)");
    for (const turn of [1, 2]) {
      await begin(page, LOOP, "begun");
      await page.click("#stop");
      await until(page, () => spoor.stuck);
      assert.deepEqual(await page.evaluate(() => spoor.stuck), { can_interrupt: false });
      const error = await interrupted(page);
      assert.equal(error.output_type, "error");
      assert.match(error.traceback.join(), /stopped/);
      assert.equal(text(await run(page, `int(kept[${turn}:].sum()), 'n' in globals()`)), `(${45 - turn + 1}, False)`);
    }
  }));

  test("code that has no end is stopped in the first cell too", () => opened(async (page) => {
    await begin(page, LOOP, "begun");
    await page.click("#stop");
    await until(page, () => spoor.stuck);
    await interrupted(page);
    assert.equal(text(await run(page, "'n' in globals()")), "False");
  }));

  test("a source is added to a session, and put in place of one", () => opened(async (page) => {
    assert.match(text(await run(page, data)), /^13 Account,Count/);
    await page.evaluate(() => {
      const add = (name, content) => {
        const blob = new Blob([content]);
        const url = URL.createObjectURL(blob);
        spoor.send({ type: "add_source", source: { name, file: `${name}.csv`, url, bytes: blob.size, format: "csv" } });
      };
      add("Hosts", "Host\nalpha\nbeta\n");
      add("Logons", "Account,Count\ncy,7\n");
    });
    const read = "h = kql('Hosts | summarize n = count()')\nprint(h['n'][0], open('/data/Hosts.csv').read().split())";
    assert.equal(text(await run(page, read)), "2 ['Host', 'alpha', 'beta']\n");
    assert.match(text(await run(page, data)), /^7 Account,Count/);
    await restart(page);
    assert.equal(text(await run(page, read)), "2 ['Host', 'alpha', 'beta']\n");
  }));

  test("the page is told how much memory the engines hold", () => opened(async (page) => {
    await run(page, "big = bytearray(100 << 20)");
    await until(page, () => spoor.held.kernel > 1 << 20 && spoor.held.python > 100 << 20);
  }));

  test("a long stream comes whole, by its additions", () => opened(async (page) => {
    const outputs = await run(page, "for i in range(20000): print('line', i)\nprint('\\x1b[31mred', end='')\nprint('\\rover')");
    const lines = text(outputs).split("\n");
    assert.equal(outputs.length, 1);
    assert.equal(lines[19999], "line 19999");
    await until(page, () => document.querySelector(".outputs").textContent.includes("\nline 19999\n"));
    const { appended } = await page.evaluate(() => spoor.held);
    assert.ok(appended > 100_000, `${appended} characters were appended`);
  }));

  const suite = async (page) => {
    assert.match(text(await run(page, data)), /^13 Account,Count/);
    assert.match(text(await run(page, packages)), /^6\.0/);
    assert.match(text(await run(page, "import time\ntime.sleep(0.05)\nprint('slept')")), /slept/);
  };

  test("a browser without JSPI will do", () => opened(async (page) => {
    await suite(page);
    assert.match(text(await run(page, "input('?')")), /StdinNotImplementedError|input/);
  }, { server: { texts: { ...texts, "/worker.js": withoutJspi } } }));

  test("a browser without JSPI can do the same in an isolated page", () => opened(async (page) => {
    await suite(page);
    await begin(page, LOOP, "begun");
    assert.equal((await interrupted(page)).ename, "KeyboardInterrupt");
    await begin(page, "print('begun')\ntime.sleep(600)", "begun");
    assert.equal((await interrupted(page)).ename, "KeyboardInterrupt");
    const outputs = run(page, "t = kql('range x from 1 to 400000 step 1')\nprint(len(t['x']), input('Who? '), n > 0)");
    await page.getByLabel("Who?").first().fill("Ana");
    await page.keyboard.press("Enter");
    assert.match(text(await outputs), /400000 Ana True/);
  }, { server: { texts: { ...texts, "/worker.js": withoutJspi }, isolated: true } }));
});
