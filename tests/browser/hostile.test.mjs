// Nothing that an untrusted notebook holds runs in the page or reaches the network: every vector of
// hostile.mjs through every way by which a notebook's bytes come to be shown. Real Chromium.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { until, withPage } from "./browser.mjs";
import { HOST, html, markdown } from "./hostile.mjs";
import { serve } from "./server.mjs";
import { WAYS, code, isMarkdown, notebook, prose } from "./ways.mjs";

const site = process.env.SPOOR_SITE;
if (!site) throw new Error("SPOOR_SITE names the built site's folder");

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
    await until(page, (count) => document.querySelectorAll("main .cell").length === count, JSON.parse(text).cells.length, 180_000);
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
  const vectors = isMarkdown(way) ? [...html, ...markdown] : html;
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
      for (let waits = 0; fired === 0 && waits < 1200; waits += 1) await new Promise((again) => setTimeout(again, 50));
      assert.ok(fired > 0);
    });
  } finally {
    bare.closeAllConnections();
    bare.close();
  }
});
