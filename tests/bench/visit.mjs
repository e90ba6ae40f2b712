// Visits of a page in Chromium, cold and warm, and when what was asked for stood on the screen.
//
// A visit starts Chromium, so that nothing is in memory; a warm one starts it on the profile of an
// earlier visit: the HTTP cache, the Cache storage and the compiled code that Chromium kept. Times are milliseconds
// from the start of the navigation to the end of the frame in which something was first seen.

import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

import { FLAGS, until } from "../browser/browser.mjs";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Calls `use(profile)` with an empty profile for `visit`, and removes it. */
export async function withProfile(use) {
  const profile = await mkdtemp(path.join(tmpdir(), "spoor-profile-"));
  try {
    return await use(profile);
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * One visit of `url`: `{ seen, paint, paintBytes, seenBytes }`. Seen is what first matches `wanted`:
 * `{ selector, text }`, an element and a regular expression's source for its text. `paint` is the first contentful paint. The
 * bytes are those of the page's own requests (not its workers') that had ended by then. With `keep`,
 * waits afterwards until the page has kept for the next visit what it keeps. `use(page)` comes last.
 */
export async function visit(profile, url, wanted, { keep = false, use } = {}) {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    chromiumSandbox: process.getuid?.() !== 0,
    args: FLAGS,
  });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.on("pageerror", (error) => console.error(`${url}: ${error}`));
    await page.addInitScript(watch, wanted);
    // A browser that has just started has other things to do.
    await sleep(300);
    await page.goto(url, { waitUntil: "commit" });
    // Seldom, so that asking does not slow what is measured.
    await until(page, () => globalThis.benchSeen > 0, undefined, 120_000, 250);
    const figures = await page.evaluate(read);
    if (keep) await kept(page);
    if (use) await use(page, figures);
    return figures;
  } finally {
    await context.close();
  }
}

/** In the page: notes when what is wanted is in the document and has been painted. */
function watch({ selector, text }) {
  const pattern = new RegExp(text);
  // An HTML output's frame has been laid out once it has told its height.
  const shown = (element) => pattern.test(element.textContent) || (element.style.height && pattern.test(element.srcdoc ?? ""));
  let found = false;
  const observer = new MutationObserver(() => {
    if (found || ![...document.querySelectorAll(selector)].some(shown)) return;
    found = true;
    observer.disconnect();
    const painted = new MessageChannel();
    painted.port1.onmessage = () => { globalThis.benchSeen = performance.now(); };
    requestAnimationFrame(() => painted.port2.postMessage(0));
  });
  observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["style"] });
}

/** In the page: the visit's figures. */
function read() {
  const seen = globalThis.benchSeen;
  const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null;
  const requests = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const until = (end) => requests.filter(({ responseEnd }) => responseEnd > 0 && responseEnd <= end).reduce((sum, { transferSize }) => sum + transferSize, 0);
  return { seen, paint, paintBytes: until(paint), seenBytes: until(seen) };
}

/**
 * Waits until the page keeps nothing more: engines are kept some seconds after they came, the service
 * worker's files when it is installed.
 */
async function kept(page) {
  await sleep(6000);
  const state = () => page.evaluate(async () => {
    const names = await caches.keys();
    const counts = await Promise.all(names.map(async (name) => `${name} ${(await (await caches.open(name)).keys()).length}`));
    const registration = await navigator.serviceWorker.getRegistration();
    return [registration?.installing ? "installing" : "", ...counts].join();
  });
  for (let before = await state(), end = Date.now() + 30_000; ;) {
    await sleep(1000);
    const now = await state();
    if (now === before && !now.startsWith("installing")) break;
    if (Date.now() > end) throw new Error(`the page keeps and keeps: ${now}`);
    before = now;
  }
}
