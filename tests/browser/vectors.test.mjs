// Nothing runs of what public collections of cross-site scripting hold, through every way by which a
// notebook's bytes come to be shown. Real Chromium, which says what ran (dialogs), what wanted to and
// was refused by the page's policy alone, and what was asked of the network.
//
//   SPOOR_SITE=DIR SPOOR_VECTORS=DIR node --test tests/browser/vectors.test.mjs

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";

import { until, withPage } from "./browser.mjs";
import { serve } from "./server.mjs";
import { ammonia, payloads } from "./vectors.mjs";
import { WAYS, notebook } from "./ways.mjs";

const site = process.env.SPOOR_SITE;
if (!site) throw new Error("SPOOR_SITE names the built site's folder");
const folder = process.env.SPOOR_VECTORS;
if (!folder) throw new Error("SPOOR_VECTORS names the folder of the packages in vectors.lock");

/** Cells of one notebook. */
const BATCH = 700;
const sources = { "brs-kb": payloads(folder), ammonia: ammonia() };
const vectors = [...new Set(Object.values(sources).flat())];

let server;
const texts = {};
before(async () => { server = await serve(site, { texts }); });
after(() => server.close());

/** Notes what a document's policy refuses to run or to load as a document. */
function watch() {
  globalThis.refused = [];
  const grave = /^(script-src|object-src|frame-src|worker-src|base-uri|form-action)/;
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, sample, blockedURI }) => {
    if (grave.test(effectiveDirective)) globalThis.refused.push(`${effectiveDirective}: ${sample || blockedURI}`);
  });
}

/** Clicks every link of the notebook, the ordinary ones without following them, and says what in it could run. */
function bait() {
  const found = [];
  for (const element of document.querySelectorAll("main .cell *")) {
    if (element.closest(".cm-editor")) continue;
    if (/^(script|iframe|object|embed|base|form|meta|link|frame|portal)$/i.test(element.localName)) found.push(element.outerHTML.slice(0, 200));
    for (const { name, value } of element.attributes) {
      const runs = /^on/i.test(name) || name === "srcdoc" || /^[\s\u0000-\u0020]*(javascript|vbscript|data:text\/html)/i.test(value);
      if (runs && /^(on|srcdoc$|href$|xlink:href$|src$|action$|formaction$|from$|to$|values$)/i.test(name)) found.push(element.outerHTML.slice(0, 200));
    }
    if (element.localName !== "a") continue;
    const href = String(element.href?.baseVal ?? element.href);
    element.removeAttribute("target");
    element.addEventListener("click", (event) => { if (/^(https?|mailto|ftp|tel):/i.test(href)) event.preventDefault(); });
    element.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  }
  return found;
}

const clean = { dialogs: [], asked: [], refused: [], found: [], there: true };

/** A page whose dialogs and requests to elsewhere are noted while a notebook is shown. */
async function trying(page) {
  let dialogs, asked;
  page.on("dialog", (dialog) => { dialogs.push(dialog.message()); dialog.dismiss().catch(() => {}); });
  page.on("request", (request) => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(server.url)) asked.push(request.url());
  });
  await page.addInitScript(watch);
  return async (cells) => {
    [dialogs, asked] = [[], []];
    texts["/vectors.ipynb"] = notebook(cells);
    await page.goto(`${server.url}/?nb=vectors.ipynb`);
    await until(page, (count) => document.querySelectorAll("main .cell").length === count, cells.length, 300_000);
    const found = await page.evaluate(bait);
    await new Promise((rest) => setTimeout(rest, 300));
    const there = page.url().startsWith(`${server.url}/?nb=vectors.ipynb`);
    const refused = there ? await page.evaluate(() => globalThis.refused) : [];
    return { dialogs, asked, refused, found, there };
  };
}

const same = (outcome) => JSON.stringify(outcome) === JSON.stringify(clean);

/** Tries all, and where something was amiss finds by halves which vector it was. */
async function suspects(tried, cell, some) {
  if (same(await tried(some.map(cell)))) return [];
  if (some.length === 1) return some;
  const half = some.length >> 1;
  return [...(await suspects(tried, cell, some.slice(0, half))), ...(await suspects(tried, cell, some.slice(half)))];
}

describe("public vectors", { timeout: 3_600_000 }, () => {
  test("the packages give them", () => {
    assert.ok(sources["brs-kb"].length > 4000, `${sources["brs-kb"].length} of brs-kb`);
    assert.ok(sources.ammonia.length > 50, `${sources.ammonia.length} of ammonia`);
  });

  for (const [way, cell] of Object.entries(WAYS)) {
    test(`none runs in ${way}`, () => withPage(async (page) => {
      const tried = await trying(page);
      for (let at = 0; at < vectors.length; at += BATCH) {
        const batch = vectors.slice(at, at + BATCH);
        const outcome = await tried(batch.map(cell));
        if (same(outcome)) continue;
        assert.deepEqual({ ...outcome, vectors: await suspects(tried, cell, batch) }, { ...clean, vectors: [] });
      }
    }));
  }

  test("what the test looks for does happen where nothing holds it back", async () => {
    const some = vectors.filter((vector) => /^<(img|svg|body|video|audio|details|input)\b[^<]*\balert\(/i.test(vector));
    const header = { "Content-Type": "text/html", "Content-Security-Policy": "script-src 'none'" };
    const bare = createServer((request, response) => {
      response.writeHead(200, request.url === "/policy" ? header : { "Content-Type": "text/html" }).end(`<main><div class=cell>${some.join("\n")}</div></main>`);
    });
    await new Promise((ready) => bare.listen(0, "127.0.0.1", ready));
    try {
      await withPage(async (page) => {
        const dialogs = [];
        page.on("dialog", (dialog) => { dialogs.push(dialog.message()); dialog.dismiss().catch(() => {}); });
        await page.addInitScript(watch);
        const url = `http://127.0.0.1:${bare.address().port}`;
        await page.goto(`${url}/policy`, { waitUntil: "commit" });
        await until(page, () => globalThis.refused.length > 0, undefined, 60_000);
        assert.ok((await page.evaluate(bait)).length > 10);
        assert.deepEqual(dialogs, []);
        await page.goto(url, { waitUntil: "commit" }).catch(() => {});
        for (let turn = 0; turn < 600 && dialogs.length === 0; turn++) await new Promise((rest) => setTimeout(rest, 100));
        assert.ok(dialogs.length > 0);
      });
    } finally {
      bare.closeAllConnections();
      bare.close();
    }
  });
});
