// The core of a session in Firefox: the first screen, a hunt, a query, Python, an interrupt, and a
// notebook of one's own that a reload brings back.
//
//   SPOOR_SITE=DIR [FIREFOX=PATH] node --test tests/browser/firefox.test.mjs

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";

import { until } from "./browser.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
if (!root) throw new Error("SPOOR_SITE is to name the site's folder");

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { firefox } = require("playwright-core");

const code = (id, source) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs: [], source });
const texts = {
  "/data/index.json": "[]",
  "/hunt.ipynb": JSON.stringify({
    nbformat: 4, nbformat_minor: 5, metadata: {},
    cells: [code("q", "%%kql\nprint before = 1"), code("p", "kept = 41\nprint(kept + 1)"), code("c", "%%kql\nrange n from 1 to 5 step 1 | render columnchart")],
  }),
};

/** Firefox does not know these commands of WebDriver BiDi yet. */
const NOTHING_EMULATED = { colorScheme: null, reducedMotion: null, forcedColors: null, contrast: null, viewport: null };

let browser;
const sites = {};
before(async () => {
  // Debian's Firefox is not patched for Playwright: it is spoken to by WebDriver BiDi.
  browser = await firefox.launch({ channel: "moz-firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr" });
  for (const isolated of [false, true]) sites[isolated] = await serve(root, { texts, isolated });
});
after(async () => {
  await browser?.close();
  for (const site of Object.values(sites)) await site.close();
});

/** A page of a profile of its own, with what goes wrong in it told. */
async function withPage(use) {
  const context = await browser.newContext(NOTHING_EMULATED);
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error}`));
  try {
    await use(page);
  } finally {
    await context.close();
  }
}

const idle = (page) => until(page, () => globalThis.spoor?.state === "idle", undefined, 180_000);
const finished = (page) => until(page, () => spoor.finished, undefined, 180_000);
const text = (page, nth) => page.evaluate((nth) => document.querySelectorAll(".cell")[nth].querySelector(".outputs").textContent, nth);

async function run(page, id, source) {
  await page.evaluate(([id, source]) => spoor.run(id, source), [id, source]);
  await finished(page);
  return page.evaluate((id) => spoor.cells.find((cell) => cell.id === id).outputs, id);
}

describe("in Firefox", { timeout: 900_000 }, () => {
  test("the first screen leads to a hunt", () => withPage(async (page) => {
    await page.goto(`${sites.false.url}/`);
    await page.locator(".card").first().waitFor();
    await page.locator("a.act").first().click();
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

    test(`a query is edited and run, ${how}`, () => withPage(async (page) => {
      await open(page);
      await page.locator(".cell pre.source").first().click();
      await until(page, () => document.activeElement.matches(".cm-content"));
      await page.keyboard.press("Control+a");
      await page.keyboard.type("%%kql");
      await page.keyboard.press("Enter");
      await page.keyboard.type("print after = 6 * 7");
      await page.keyboard.press("Shift+Enter");
      await finished(page);
      await until(page, () => document.querySelector("[role=gridcell]")?.textContent === "42");
    }));

    test(`Python runs, keeps its state and draws, ${how}`, () => withPage(async (page) => {
      await open(page);
      assert.match(JSON.stringify(await run(page, "p", "kept = 41\nprint(kept + 1)")), /42/);
      assert.match(JSON.stringify(await run(page, "p", "import pandas as pd\nprint(pd.DataFrame({'a': [kept]}).a.sum())")), /41/);
      await run(page, "c", "%%kql\nrange n from 1 to 5 step 1 | render columnchart");
      await page.locator(".live canvas").first().waitFor();
    }));
  }

  test("code that runs on is interrupted, and state is brought back", () => withPage(async (page) => {
    await page.goto(`${sites.true.url}/?nb=hunt.ipynb`);
    await idle(page);
    await run(page, "p", "kept = 41");
    await page.evaluate(() => spoor.run("p", "n = 0\nprint('begun')\nwhile True:\n    n += 1"));
    await until(page, () => JSON.stringify(spoor.cells).includes("begun"), undefined, 60_000);
    await page.click("#stop");
    await finished(page);
    assert.match(JSON.stringify(await page.evaluate(() => spoor.cells[1].outputs)), /KeyboardInterrupt/);
    assert.match(JSON.stringify(await run(page, "p", "print(kept + 1)")), /42/);
  }));

  test("a notebook of one's own is there after a reload", () => withPage(async (page) => {
    await page.goto(`${sites.false.url}/`);
    await page.locator(".card button").first().click();
    await page.locator("dialog button.main, dialog button[type=submit]").first().click();
    await page.locator(".home-files .file-name").first().click();
    await until(page, () => document.querySelectorAll(".cell").length > 5);
    await page.locator(".cell").first().focus();
    await page.keyboard.press("a");
    await page.keyboard.press("Enter");
    await until(page, () => document.activeElement.matches(".cm-content"));
    await page.keyboard.type("kept = 'through a reload'");
    await page.waitForTimeout(4000);
    await page.reload();
    await until(page, () => document.querySelector(".cell")?.textContent.includes("through a reload"));
  }));
});
