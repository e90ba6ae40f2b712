// What takes the place of a saved picture while the notebook is open, in Chromium: tables of a
// million rows, charts on their canvas, queries underlined as they are typed, streams as they grow.
//
//   SPOOR_SITE=DIR node --test tests/browser/live.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { becomes, until, withPage } from "./browser.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
if (!root) throw new Error("SPOOR_SITE is to name the site's folder");

const code = (id, source) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs: [], source });
const notebook = (cells) => JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });
const texts = {
  "/data/index.json": "[]",
  "/million.ipynb": notebook([code("q", "%%kql\nset notruncation; range n from 1 to 1000000 step 1 | extend twice = n * 2, text = strcat('row ', tostring(n))")]),
  "/chart.ipynb": notebook([code("q", "%%kql\nrange n from 1 to 5 step 1 | extend squared = n * n | render columnchart with (title='Squares')")]),
  "/events.ipynb": notebook([code("q", `%%kql
datatable(TimeGenerated: datetime, DeviceName: string, ProcessId: long, FileName: string, ProcessCommandLine: string, InitiatingProcessId: long, InitiatingProcessFileName: string) [
  datetime(2026-01-01 10:01), "desk-1", 20, "WINWORD.EXE", "WINWORD.EXE /n, \\"a letter\\"", 10, "explorer.exe",
  datetime(2026-01-01 10:02), "desk-1", 30, "powershell.exe", "powershell.exe -Enc SQBFAFgA", 20, "WINWORD.EXE"
]`)]),
  "/typo.ipynb": notebook([code("q", "%%kql\nprint a = 1 | exted b = 2")]),
  "/slip.ipynb": notebook([code("one", "n = 1"), code("p", "é = n\ntotal = (n, 2")]),
  "/stream.ipynb": notebook([code("p", "import time\nfor n in range(6):\n    print('line', n)\n    time.sleep(0.2)\ntime.sleep(600)")]),
};

let site;
before(async () => { site = await serve(root, { texts }); });
after(() => site.close());

/** Opens a notebook, runs it, and hands the page to `use`. */
async function ran(name, use) {
  await withPage(async (page) => {
    await page.goto(`${site.url}/?nb=${name}&run`);
    await use(page);
  });
}

const finished = (page) => until(page, () => spoor.finished, undefined, 120_000);
const grid = '.result [role="grid"]';

test("a million rows are a table of which only what is in view is in the document", () => ran("million.ipynb", async (page) => {
  await finished(page);
  await page.locator(grid).waitFor();
  await until(page, (grid) => document.querySelector(grid).getAttribute("aria-rowcount") === "1000001", grid);
  const rows = () => page.locator(`${grid} .grid-row`).count();
  assert.ok((await rows()) < 200);
  await until(page, (grid) => document.querySelector(grid).textContent.includes("row 1"), grid);
  await page.locator(grid).press("Control+End");
  await until(page, (grid) => document.querySelector(grid).textContent.includes("row 1000000"), grid);
  assert.ok((await rows()) < 200);
  // What is saved has no rows but the first.
  const saved = await page.evaluate(() => JSON.stringify(spoor.cells[0].outputs));
  assert.ok(saved.length < 100_000 && !saved.includes("row 1000000"), String(saved.length));
}));

test("a chart is drawn on its canvas, and has a table", () => ran("chart.ipynb", async (page) => {
  await finished(page);
  await page.locator(".live canvas").first().waitFor();
  const drawn = () => [...document.querySelectorAll(".live canvas")].some((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, at) => at % 4 === 3 && value > 0);
  });
  await until(page, drawn);
  await page.getByRole("button", { name: "Show as table" }).click();
  await until(page, () => [...document.querySelectorAll(".live table td")].some((cell) => cell.innerText.trim() === "25"));
  // The rows are below, to be opened.
  await page.locator("details.rows > summary").click();
  await page.locator(grid).waitFor();
}));

test("one value is copied as its text, more as CSV", () => ran("events.ipynb", async (page) => {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await finished(page);
  await until(page, (grid) => document.querySelector(grid)?.textContent.includes("WINWORD"), grid);
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  const table = page.locator(grid);
  await table.press("Control+Home");
  await table.press("Home");
  for (let n = 0; n < 4; n++) await table.press("ArrowRight");
  await table.press("Control+c");
  await becomes(copied, 'WINWORD.EXE /n, "a letter"');
  await table.press("Shift+ArrowDown");
  await table.press("Control+c");
  await becomes(copied, /^ProcessCommandLine\s+"WINWORD.EXE \/n, ""a letter"""\s+powershell/);
}));

test("an event and a process show their whole row", () => ran("events.ipynb", async (page) => {
  await finished(page);
  await page.locator(grid).waitFor();
  const row = page.locator("dialog[open] .row-values");
  await page.getByRole("button", { name: "Timeline" }).click();
  await page.locator(".timeline-track button").first().press("Enter");
  await becomes(() => row.innerText(), /DeviceName\s+desk-1[^]*ProcessCommandLine\s+WINWORD.EXE \/n, "a letter"/);
  await page.keyboard.press("Escape");
  await until(page, () => document.activeElement.matches(".timeline-track button"));
  await page.getByRole("button", { name: "Process tree" }).click();
  const item = (name) => page.getByRole("treeitem", { name });
  await item("powershell.exe").click();
  assert.equal(await row.count(), 0, "the first click chooses");
  await item("powershell.exe").click();
  await becomes(() => row.innerText(), /ProcessCommandLine\s+powershell.exe -Enc SQBFAFgA/);
  await page.keyboard.press("Escape");
  await until(page, () => document.activeElement.matches("[role=treeitem]"));
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await becomes(() => row.innerText(), /ProcessId\s+20/);
}));

test("a worker of tables that broke is replaced by the next result", () => ran("events.ipynb", async (page) => {
  await finished(page);
  const rows = () => page.locator(`${grid} .grid-row`).filter({ hasText: "WINWORD" }).count();
  await becomes(async () => (await rows()) > 0, true);
  const worker = page.workers().find((worker) => worker.url().endsWith("/results.js"));
  const gone = new Promise((resolve) => worker.once("close", resolve));
  await worker.evaluate(() => void setTimeout(() => { throw new Error("broken for the test"); }));
  await gone;
  await page.getByRole("searchbox", { name: "Search in all columns" }).fill("word");
  await page.getByText("run the cell again").waitFor();
  await page.locator(".cell").first().focus();
  await page.keyboard.press("Control+Enter");
  await until(page, () => document.querySelector(".cell .count").textContent === "[2]");
  await becomes(async () => (await rows()) > 0, true);
  await page.locator(grid).press("Alt+ArrowDown");
  await page.locator(".panel").getByText("Distinct").waitFor();
}));

test("a mistake is underlined, and its fix mends it", () => withPage(async (page) => {
  await page.goto(`${site.url}/?nb=typo.ipynb`);
  await until(page, () => spoor.state === "idle");
  await page.locator(".cell .source").first().click();
  await page.locator(".cm-lintRange-error").first().waitFor();
  await page.locator(".cm-lintRange-error").first().hover();
  await page.locator(".cm-diagnosticAction").first().click();
  await until(page, () => document.querySelector(".cm-content").textContent.includes("extend b = 2"));
  await until(page, () => !document.querySelector(".cm-lintRange-error"));
}));

test("a mistake in Python is underlined where Python says, without a run", () => withPage(async (page) => {
  await page.goto(`${site.url}/?nb=slip.ipynb`);
  await page.locator(".cell .source").first().click();
  await page.keyboard.press("Shift+Enter");
  await until(page, () => spoor.finished);
  await page.locator(".cell .source").last().click();
  const underlined = page.locator(".cm-lintRange-error");
  await underlined.first().waitFor();
  assert.equal(await underlined.first().textContent(), "(");
  await underlined.first().hover();
  await page.getByText("'(' was never closed").waitFor();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(")");
  await until(page, () => !document.querySelector(".cm-lintRange-error"));
  assert.equal(await page.evaluate(() => spoor.cells[1].count), null);
}));

test("what a cell prints is shown while it runs", () => ran("stream.ipynb", async (page) => {
  const lines = (count) => Array.from({ length: count }, (_, n) => `line ${n}`).join("\n");
  await until(page, () => document.querySelector(".outputs")?.textContent.includes("line 1"), undefined, 60_000);
  await becomes(() => page.locator(".outputs").innerText().then((text) => text.trim()), lines(6));
  assert.equal(await page.evaluate(() => spoor.finished), false);
  await page.click("#stop");
  await finished(page);
  await becomes(() => page.locator(".outputs").innerText(), new RegExp(`^\\s*${lines(6)}\\s[^]*KeyboardInterrupt`));
}));
