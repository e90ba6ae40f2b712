// The core of a session in Firefox: the first screen, a hunt, a query, Python, an interrupt, and a
// notebook of one's own that a reload brings back.
//
//   SPOOR_SITE=DIR [FIREFOX=PATH] node --test tests/browser/firefox.test.mjs

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { withFirefox } from "./bidi.mjs";
import { until } from "./browser.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
if (!root) throw new Error("SPOOR_SITE is to name the site's folder");

const code = (id, source) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs: [], source });
const texts = {
  "/data/index.json": "[]",
  "/hunt.ipynb": JSON.stringify({
    nbformat: 4, nbformat_minor: 5, metadata: {},
    cells: [code("q", "%%kql\nprint before = 1"), code("p", "kept = 41\nprint(kept + 1)"), code("c", "%%kql\nrange n from 1 to 5 step 1 | extend squared = n * n | render columnchart")],
  }),
};

const sites = {};
before(async () => {
  for (const isolated of [false, true]) sites[isolated] = await serve(root, { texts, isolated });
});
after(async () => {
  for (const site of Object.values(sites)) await site.close();
});

/** A kernel that does not come says how far it has. */
const idle = (page) => until(page, () => globalThis.spoor?.state === "idle", undefined, 180_000).catch(async (late) => {
  const reached = await page.evaluate(() => ({ state: spoor.state, loaded: spoor.loaded, failed: spoor.failed }));
  throw new Error(`${late.message}: ${JSON.stringify(reached)}`);
});
const finished = (page) => until(page, () => spoor.finished, undefined, 180_000);
const there = (page, selector) => until(page, (selector) => document.querySelector(selector) !== null, selector);
/** Clicks the first that fits, once it is there. */
async function click(page, selector) {
  await there(page, selector);
  await page.evaluate((selector) => document.querySelector(selector).click(), selector);
}
/** Opens the editor of the first cell and puts text into it. */
async function retype(page, lines) {
  await page.evaluate(() => document.querySelector(".cell").focus());
  await page.press("Enter");
  await until(page, () => document.activeElement.matches(".cm-content"));
  await page.press("Control+a");
  for (const [nth, line] of lines.entries()) {
    if (nth > 0) await page.press("Enter");
    await page.type(line);
  }
}

async function run(page, id, source) {
  await page.evaluate(([id, source]) => spoor.run(id, source), [id, source]);
  await finished(page);
  return page.evaluate((id) => spoor.cells.find((cell) => cell.id === id).outputs, id);
}

describe("in Firefox", { timeout: 900_000 }, () => {
  test("the first screen leads to a hunt", () => withFirefox(async (page) => {
    await page.goto(`${sites.false.url}/`);
    await click(page, "a.act");
    await until(page, () => document.querySelectorAll(".cell").length > 5);
    await idle(page);
  }));

  for (const isolated of [false, true]) {
    const how = isolated ? "isolated" : "without special headers";
    const open = async (page) => {
      await page.goto(`${sites[isolated].url}/?nb=hunt.ipynb`);
      await until(page, () => document.querySelectorAll(".cell").length > 0);
      await idle(page);
    };

    test(`a query is edited and run, ${how}`, () => withFirefox(async (page) => {
      await open(page);
      await retype(page, ["%%kql", "print after = 6 * 7"]);
      await page.press("Shift+Enter");
      await finished(page);
      await until(page, () => document.querySelector("[role=gridcell]")?.textContent === "42");
    }));

    test(`Python runs, keeps its state and draws, ${how}`, () => withFirefox(async (page) => {
      await open(page);
      assert.match(JSON.stringify(await run(page, "p", "kept = 41\nprint(kept + 1)")), /42/);
      assert.match(JSON.stringify(await run(page, "p", "import pandas as pd\nprint(pd.DataFrame({'a': [kept]}).a.sum())")), /41/);
      await run(page, "c", "%%kql\nrange n from 1 to 5 step 1 | extend squared = n * n | render columnchart");
      await there(page, ".live canvas");
    }));
  }

  test("code that runs on is interrupted, and state is brought back", () => withFirefox(async (page) => {
    await page.goto(`${sites.true.url}/?nb=hunt.ipynb`);
    await idle(page);
    await run(page, "p", "kept = 41");
    await page.evaluate(() => spoor.run("p", "n = 0\nprint('begun')\nwhile True:\n    n += 1"));
    await until(page, () => JSON.stringify(spoor.cells).includes("begun"), undefined, 60_000);
    await click(page, "#stop");
    await finished(page);
    assert.match(JSON.stringify(await page.evaluate(() => spoor.cells[1].outputs)), /KeyboardInterrupt/);
    assert.match(JSON.stringify(await run(page, "p", "print(kept + 1)")), /42/);
  }));

  test("a notebook of one's own is there after a reload", () => withFirefox(async (page) => {
    await page.goto(`${sites.false.url}/`);
    await click(page, ".card button");
    await click(page, "dialog button.main, dialog button[type=submit]");
    await click(page, ".home-files [aria-label=Notebooks] .file-name");
    await until(page, () => document.querySelectorAll(".cell").length > 5);
    await retype(page, ["kept = through a reload"]);
    await until(page, () => document.querySelector(".cell").textContent.includes("through a reload"));
    await until(page, () => document.querySelector(".saved").textContent === "saved");
    await page.reload();
    await until(page, () => document.querySelector(".cell")?.textContent.includes("through a reload"));
  }));
});
