// Chromium for the browser tests and benchmarks: a fresh profile each time, and the page's cells.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

// The npm packages are those of web/package.json.
const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");

/** How Chromium is started: with nothing that works behind what is tried. */
export const FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

/** How long is waited for what a page is to show, in milliseconds: a machine may have other work. */
const PATIENCE = 90_000;

/**
 * What a slow machine is like, for tests that do not wait for what their act causes: they fail there, and not on some
 * machine on some day. `$SPOOR_SLOW` is how many times slower the pages' main threads run, `$SPOOR_LATE` by how many
 * milliseconds what comes in a task of its own comes later.
 */
const [SLOW, LATE] = [Number(process.env.SPOOR_SLOW ?? 1), Number(process.env.SPOOR_LATE ?? 0)];

async function slow(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: SLOW });
}

/** Has timers, frames, messages, answers of the server and of the storage, and the ends of dialogs come `ms` later. Runs in the page. */
function late(ms) {
  const { setTimeout: timeout, requestAnimationFrame: frame, cancelAnimationFrame: cancel, fetch: ask } = globalThis;
  const pause = () => new Promise((over) => timeout(over, ms));
  globalThis.setTimeout = (then, wait = 0, ...given) => timeout(then, Number(wait) + ms, ...given);
  const frames = new Map();
  globalThis.requestAnimationFrame = (then) => {
    const id = timeout(() => frames.set(id, frame((now) => { frames.delete(id); then(now); })), ms);
    return id;
  };
  globalThis.cancelAnimationFrame = (id) => { clearTimeout(id); cancel(frames.get(id)); frames.delete(id); };
  globalThis.fetch = (...given) => pause().then(() => ask(...given));
  const again = new WeakSet();
  const hold = (target, type, copy) => target.addEventListener(type, (event) => {
    if (again.has(event)) return;
    event.stopImmediatePropagation();
    const { target } = event;
    timeout(() => {
      const other = copy(event);
      again.add(other);
      target.dispatchEvent(other);
    }, ms);
  }, true);
  hold(globalThis, "close", () => new Event("close"));
  for (const kind of ["Worker", "BroadcastChannel"]) {
    globalThis[kind] = class extends globalThis[kind] {
      constructor(...given) {
        super(...given);
        hold(this, "message", ({ data, ports }) => new MessageEvent("message", { data, ports: [...ports] }));
      }
    };
  }
  for (const [of, name] of [[globalThis.LockManager, "request"], [globalThis.StorageManager, "getDirectory"]]) {
    const begin = of?.prototype[name];
    if (begin) of.prototype[name] = function (...given) { return pause().then(() => begin.apply(this, given)); };
  }
}

/**
 * Calls `use(page)` with a page of a Chromium that has an empty profile, and ends both.
 * The browser is `$CHROMIUM`, else /usr/bin/chromium; `flags` are more flags for it. With `kept`, a folder, that is the profile,
 * and stays.
 */
export async function withPage(use, { flags = [], kept } = {}) {
  const profile = kept ?? (await mkdtemp(path.join(tmpdir(), "spoor-chromium-")));
  const root = process.getuid?.() === 0;
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Chromium's own sandbox cannot be set up by root.
    chromiumSandbox: !root,
    args: [...FLAGS, ...flags],
    timeout: PATIENCE,
    // A file of tests that its time limit ends is to end: the browser goes with the pipe to it.
    handleSIGTERM: false,
  });
  context.setDefaultTimeout(PATIENCE);
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.on("pageerror", (error) => console.error(`page: ${error}`));
    if (LATE > 0) await context.addInitScript(late, LATE);
    if (SLOW > 1) {
      await slow(page);
      // A page that ends before it is slowed needs not be.
      context.on("page", (another) => slow(another).catch(() => {}));
    }
    return await use(page);
  } finally {
    await context.close();
    if (!kept) await rm(profile, { recursive: true, force: true });
  }
}

/** What was asked of a page that went to another address meanwhile is asked again there. */
function leaving(error) {
  if (!/context was destroyed|because of a navigation|no such frame/i.test(error.message)) throw error;
}

/**
 * Waits until `holds(argument)`, evaluated in the page every `pause` ms, is true. Playwright's own waiting needs
 * `eval` in the page, which the page's Content Security Policy forbids.
 */
export async function until(page, holds, argument, timeout = PATIENCE, pause = 50) {
  const end = Date.now() + timeout;
  while (!(await page.evaluate(holds, argument).catch(leaving))) {
    if (Date.now() > end) throw new Error(`not so after ${timeout / 1000} s: ${holds}`);
    await new Promise((again) => setTimeout(again, pause));
  }
}

/**
 * Waits until what `look()` resolves to is `wanted`, or fits it where that is a pattern; if that does not come, fails
 * with what there was at last.
 */
export async function becomes(look, wanted, message, timeout = PATIENCE) {
  const check = wanted instanceof RegExp ? assert.match : assert.deepEqual;
  for (const end = Date.now() + timeout; ;) {
    const now = await (async () => look())().catch(leaving);
    try {
      return check(now, wanted, message);
    } catch (error) {
      if (Date.now() > end) throw message ? new Error(`${message}: ${error.message}`) : error;
    }
    await new Promise((again) => setTimeout(again, 50));
  }
}

/** Waits until the page has drawn what there is now: what a new size of the window causes has then happened. */
export const drawn = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));

/** Waits until nothing fades or moves any more that does so but for a time. */
export const still = (page) => until(page, () => document.getAnimations().every((one) => {
  return one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity;
}));

/**
 * Opens `notebook` (a URL path of the site) in the page and runs all its cells.
 * Resolves to `{ cells, loaded, failed }`: the code cells as nbformat has them, what was loaded
 * (with SHA-256), and what failed.
 */
export async function runNotebook(page, site, notebook, { timeout = 300_000, query = "&verify" } = {}) {
  await page.goto(`${site}/?nb=${encodeURIComponent(notebook)}&run${query}`);
  await until(page, () => globalThis.spoor?.finished || globalThis.spoor?.state === "dead", undefined, timeout);
  return page.evaluate(() => ({
    cells: spoor.cells.map(({ id, count, outputs }) => ({ id, execution_count: count, outputs })),
    loaded: spoor.loaded,
    failed: spoor.failed,
  }));
}

/** Does what restarts the kernel, and waits until that was asked of it: what is run then is not interrupted by it. */
export async function restarted(page, act) {
  await page.evaluate(() => document.querySelector("#toasts")?.replaceChildren());
  await act();
  await page.getByText("The kernel was restarted").waitFor();
}
