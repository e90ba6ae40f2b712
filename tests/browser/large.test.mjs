// What is large, in Chromium: a notebook of five hundred cells, a million rows from end to end, a cell
// that prints a hundred megabytes, and results that take the place of each other.
//
//   SPOOR_SITE=DIR node --test tests/browser/large.test.mjs

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { becomes, until, withPage } from "./browser.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
if (!root) throw new Error("SPOOR_SITE is to name the site's folder");

const code = (id, source, outputs = []) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs, source });
const markdown = (id, source) => ({ cell_type: "markdown", id, metadata: {}, source });
const notebook = (cells) => JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const table = (rows) => `<table><tr><th>n</th><th>square</th></tr>${Array.from({ length: rows }, (_, n) => `<tr><td>${n}</td><td>${n * n}</td></tr>`).join("")}</table>`;
/** Every kind of output that a notebook holds many of. */
const outputs = [
  [{ output_type: "stream", name: "stdout", text: "a line\n".repeat(200) }],
  [{ output_type: "execute_result", execution_count: 1, metadata: {}, data: { "text/html": table(50), "text/plain": "a table" } }],
  [{ output_type: "display_data", metadata: {}, data: { "image/png": PIXEL, "text/plain": "a picture" } }],
  [{ output_type: "error", ename: "ValueError", evalue: "no", traceback: ["\u001b[31mValueError\u001b[0m: no"] }],
];
const many = Array.from({ length: 500 }, (_, n) => {
  if (n % 3 === 0) return markdown(`c${n}`, `## Part ${n}\n\nText with *words*, \`code\` and a [link](https://example.com).\n\n- one\n- two`);
  return n % 3 === 1 ? code(`c${n}`, `%%kql\nprint number = ${n}`, outputs[1]) : code(`c${n}`, `x = ${n}\nprint(x)`, outputs[n % 4]);
});

const million = "%%kql\nset notruncation; range n from 1 to 1000000 step 1 | extend twice = n * 2, text = strcat('row ', tostring(n))";
const texts = {
  "/data/index.json": "[]",
  "/many.ipynb": notebook(many),
  "/million.ipynb": notebook([code("q", million)]),
  "/loud.ipynb": notebook([code("p", "for n in range(1000):\n    print('x' * 100_000)"), code("q", "print(40 + 2)")]),
};

let site;
before(async () => { site = await serve(root, { texts, isolated: true }); });
after(() => site.close());

const grid = '.result [role="grid"]';
const idle = (page) => until(page, () => globalThis.spoor?.state === "idle", undefined, 120_000);
const finished = (page) => until(page, () => spoor.finished, undefined, 300_000);

async function opened(page, name) {
  await page.goto(`${site.url}/?nb=${name}`);
  await until(page, () => document.querySelectorAll(".cell").length > 0, undefined, 120_000);
}

/** Bytes that the page and its workers hold, once what nobody needs is collected. */
async function held(page) {
  const { bytes } = await page.evaluate(() => performance.measureUserAgentSpecificMemory());
  return bytes;
}

const MB = 1 << 20;

describe("what is large", { timeout: 1_200_000 }, () => {
  test("a notebook of five hundred cells opens, scrolls, takes text and runs", () => withPage(async (page) => {
    await opened(page, "many.ipynb");
    await until(page, () => document.querySelectorAll(".cell").length === 500);
    assert.equal(await page.locator(".cm-editor").count(), 0, "no editor before one is wanted");
    await idle(page);
    await page.keyboard.press("End");
    const last = page.locator(".cell").nth(499);
    await until(page, () => [...document.querySelectorAll(".cell")].indexOf(document.activeElement) === 499);
    await becomes(async () => (await last.boundingBox()).y < page.viewportSize().height, true, "the last cell is in sight");
    await page.keyboard.press("Enter");
    await until(page, () => document.activeElement.matches(".cm-content"));
    await page.keyboard.press("Control+a");
    // Behind a word that is typed a list may be open, and take Enter.
    await page.keyboard.insertText("%%kql\n");
    await page.keyboard.type("print answer = 6 * 7");
    await page.keyboard.press("Control+Enter");
    await finished(page);
    await until(page, () => [...document.querySelectorAll(".cell")].at(-1).querySelector("[role=gridcell]")?.textContent === "42");
    await page.keyboard.press("Home");
    await until(page, () => [...document.querySelectorAll(".cell")].indexOf(document.activeElement) === 0);
    await becomes(async () => (await page.locator(".cell").first().boundingBox()).y >= 0, true, "the first cell is in sight");
  }));

  test("all of its cells run in order", () => withPage(async (page) => {
    await opened(page, "many.ipynb");
    await idle(page);
    await page.click("#run");
    await finished(page);
    const counts = await page.evaluate(() => spoor.cells.map(({ count }) => count));
    assert.deepEqual(counts, counts.map((_, n) => n + 1));
    const printed = await page.evaluate(() => spoor.cells.filter(({ id }) => id === "c497").map(({ outputs }) => outputs[0].text).join());
    assert.equal(printed.trim(), "497");
  }));

  test("a million rows are scrolled to the end and back", () => withPage(async (page) => {
    await page.goto(`${site.url}/?nb=million.ipynb&run`);
    await until(page, () => globalThis.spoor?.finished, undefined, 120_000);
    await page.locator(grid).waitFor();
    const shows = (text) => until(page, ([grid, text]) => [...document.querySelectorAll(`${grid} .grid-row:not([hidden]) [role=gridcell]`)].some((cell) => {
      const [{ top, bottom }, view] = [cell.getBoundingClientRect(), document.querySelector(grid).getBoundingClientRect()];
      return cell.textContent === text && top >= view.top && bottom <= view.bottom + 1;
    }), [grid, text]);
    await shows("row 1");
    await page.locator(grid).press("Control+End");
    await shows("row 1000000");
    await page.locator(grid).evaluate((scroller) => { scroller.scrollTop = scroller.scrollHeight / 2; });
    await until(page, (grid) => [...document.querySelectorAll(`${grid} .grid-row:not([hidden])`)].some((row) => {
      const n = Number(row.getAttribute("aria-rowindex"));
      return n > 450_000 && n < 550_000 && row.textContent.includes("row ");
    }), grid);
    await page.locator(grid).evaluate((scroller) => { scroller.scrollTop = scroller.scrollHeight; });
    await shows("row 1000000");
    await page.locator(grid).press("Control+Home");
    await shows("row 1");
    assert.ok((await page.locator(`${grid} .grid-row`).count()) < 200);
  }));

  test("a cell that prints a hundred megabytes ends, and the page goes on", () => withPage(async (page) => {
    await opened(page, "loud.ipynb");
    await idle(page);
    await page.locator(".cell").first().focus();
    await page.keyboard.press("Shift+Enter");
    await finished(page);
    const saved = await page.evaluate(() => JSON.stringify(spoor.cells[0].outputs).length);
    assert.ok(saved > MB && saved < 9 * MB, `${saved} bytes are kept of 100 MB`);
    // A long stream is drawn the less often the longer that takes.
    await until(page, () => document.querySelector(".cell .outputs").textContent.length > 1000);
    const shown = await page.locator(".cell").first().locator(".outputs").evaluate((outputs) => outputs.textContent.length);
    assert.ok(shown < 9 * MB, `${shown} characters are shown`);
    const told = await page.evaluate(() => spoor.cells[0].outputs.filter(({ name, text }) => name === "stderr" && [text].flat().join("").includes("more than a page can show")).length);
    assert.equal(told, 1, "it is said once that there was more");
    await page.keyboard.press("Shift+Enter");
    await finished(page);
    await becomes(() => page.locator(".cell").nth(1).locator(".outputs").innerText(), /42/);
    await becomes(() => page.evaluate(() => spoor.state), "idle");
  }));

  test("results that take the place of each other give their memory back", () => withPage(async (page) => {
    await opened(page, "million.ipynb");
    await idle(page);
    await page.locator(".cell").first().focus();
    const run = async () => {
      await page.keyboard.press("Control+Enter");
      await finished(page);
      await page.locator(grid).waitFor();
    };
    for (let turn = 0; turn < 3; turn++) await run();
    const before = await held(page);
    for (let turn = 0; turn < 6; turn++) await run();
    // Six such results are some 250 MB. The last to go may still be on its way out.
    let grown;
    for (const end = Date.now() + 60_000; ;) {
      grown = (await held(page)) - before;
      if (grown < 60 * MB || Date.now() > end) break;
      await page.waitForTimeout(500);
    }
    assert.ok(grown < 60 * MB, `${Math.round(grown / MB)} MB more after six more runs`);
  }, { flags: ["--enable-blink-features=ForceEagerMeasureMemory"] }));
});
