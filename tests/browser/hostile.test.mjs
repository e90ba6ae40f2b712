// Nothing that an untrusted notebook holds runs in the page or reaches the network: every vector of
// hostile.mjs through every way by which a notebook's bytes come to be shown. Real Chromium.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { until, withPage } from "./browser.mjs";
import { HOST, html, markdown } from "./hostile.mjs";
import { serve } from "./server.mjs";

const site = process.env.SPOOR_SITE;
if (!site) throw new Error("SPOOR_SITE names the built site's folder");

const bundle = (data) => ({ output_type: "display_data", metadata: {}, data });
const code = (outputs, source = "") => ({ cell_type: "code", metadata: {}, execution_count: 1, source, outputs });
const prose = (source) => ({ cell_type: "markdown", metadata: {}, source });
const svg = (inner) => `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">${inner}</svg>`;

/** The ways by which text of a notebook comes to be shown: each makes a cell of a vector. */
const WAYS = {
  "a Markdown cell": prose,
  "an HTML output": (text) => code([bundle({ "text/html": text })]),
  "an HTML result": (text) => code([{ output_type: "execute_result", execution_count: 1, metadata: {}, data: { "text/html": text, "text/plain": "x" } }]),
  "a Markdown output": (text) => code([bundle({ "text/markdown": text })]),
  "an SVG output": (text) => code([bundle({ "image/svg+xml": svg(text) })]),
  "an SVG output that is no SVG": (text) => code([bundle({ "image/svg+xml": text })]),
  "a LaTeX output": (text) => code([bundle({ "text/latex": text })]),
  "a JSON output": (text) => code([bundle({ "application/json": { [text]: text } })]),
  "plain text": (text) => code([bundle({ "text/plain": text })]),
  "a stream": (text) => code([{ output_type: "stream", name: "stdout", text }]),
  "an error": (text) => code([{ output_type: "error", ename: text, evalue: text, traceback: [text, `\u001b[31m${text}\u001b[0m`] }]),
  "a picture's alternative": (text) => code([bundle({ "image/png": "iVBORw0KGgo=", "text/plain": text })]),
  "an unknown type": (text) => code([bundle({ [`text/x-${text}`]: text })]),
  "JavaScript": (text) => code([bundle({ "application/javascript": `document.write(${JSON.stringify(text)})` })]),
  "a chart": (text) => code([bundle({
    "application/vnd.spoor.chart+json": {
      version: 1, kind: "columnchart", title: text, legend: true, x: { type: "category", categories: [text], title: text }, y: { type: "number", title: text },
      series: [{ name: text, points: [[0, 1]] }], note: text,
    },
    "text/plain": text,
  })]),
  "a cell's source": (text) => code([], text),
  "a query's source": (text) => code([], `%%kql\n${text}`),
  "a raw cell": (text) => ({ cell_type: "raw", metadata: { format: text }, source: text }),
  "an attachment": (text) => ({ cell_type: "markdown", metadata: {}, attachments: { [text]: { "image/svg+xml": text } }, source: `![${text}](<attachment:${text}>)` }),
};

const notebook = (cells, metadata = {}) => JSON.stringify({
  nbformat: 4, nbformat_minor: 5, metadata, cells: cells.map((cell, index) => ({ id: `c${index}`, ...cell })),
});

let server;
const texts = {};
before(async () => { server = await serve(site, { texts }); });
after(() => server.close());

/** Opens a notebook, clicks what is bait, and says what ran and who was asked for what. */
async function tried(text) {
  texts["/hostile.ipynb"] = text;
  return withPage(async (page) => {
    const asked = [];
    const dialogs = [];
    page.on("request", (request) => { if (new URL(request.url()).host.includes(HOST)) asked.push(request.url()); });
    page.on("dialog", (dialog) => { dialogs.push(dialog.message()); dialog.dismiss(); });
    await page.goto(`${server.url}/?nb=hostile.ipynb`);
    await until(page, () => document.querySelectorAll("main .cell").length > 0);
    await page.evaluate(() => {
      for (const bait of document.querySelectorAll("main a")) {
        bait.removeAttribute("target");
        // Where an ordinary link leads is not what is tried here.
        bait.addEventListener("click", (event) => { if (/^https?:/i.test(bait.href?.baseVal ?? bait.href)) event.preventDefault(); });
        bait.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
      }
    });
    await new Promise((rest) => setTimeout(rest, 700));
    const there = page.url().startsWith(server.url);
    const fired = there ? await page.evaluate(() => globalThis.fired ?? 0) : -1;
    return { fired, asked, dialogs, there };
  });
}

const clean = { fired: 0, asked: [], dialogs: [], there: true };

for (const [way, cell] of Object.entries(WAYS)) {
  const vectors = way.includes("Markdown") || way === "an attachment" ? [...html, ...markdown] : html;
  test(`nothing runs in ${way}`, async () => {
    const all = await tried(notebook(vectors.map(cell)));
    if (all.fired === 0 && all.asked.length === 0 && all.dialogs.length === 0 && all.there) return;
    // Which one it was.
    for (const vector of vectors) assert.deepEqual(await tried(notebook([cell(vector)])), clean, vector);
    assert.deepEqual(all, clean);
  });
}

test("nothing runs in a notebook's metadata", async () => {
  const inside = Object.fromEntries(html.map((text, index) => [`k${index}`, text]));
  for (const text of [html[0], html[6], html[13]]) {
    const metadata = { title: text, kernelspec: { name: text, display_name: text, language: text }, language_info: { name: text }, spoor: { title: text }, ...inside };
    assert.deepEqual(await tried(notebook([prose("x"), code([], "x")], metadata)), clean);
  }
});

test("what the test looks for does fire where nothing holds it back", async () => {
  const bare = createServer((_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end(html.join("\n")));
  await new Promise((ready) => bare.listen(0, "127.0.0.1", ready));
  try {
    await withPage(async (page) => {
      let fired = 0;
      // Counted here, since the vectors lead the page away too.
      await page.exposeFunction("tellFired", () => (fired += 1));
      await page.addInitScript(() => {
        Object.defineProperty(globalThis, "fired", { get: () => 0, set: () => globalThis.tellFired() });
      });
      await page.goto(`http://127.0.0.1:${bare.address().port}/`, { waitUntil: "commit" }).catch(() => {});
      for (let waits = 0; fired === 0 && waits < 200; waits += 1) await new Promise((again) => setTimeout(again, 50));
      assert.ok(fired > 0);
    });
  } finally {
    bare.closeAllConnections();
    bare.close();
  }
});
