// Chromium for the browser tests and benchmarks: a fresh profile each time, and the page's cells.

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

/**
 * Calls `use(page)` with a page of a Chromium that has an empty profile, and ends both.
 * The browser is `$CHROMIUM`, else /usr/bin/chromium; `flags` are more flags for it.
 */
export async function withPage(use, { flags = [] } = {}) {
  const profile = await mkdtemp(path.join(tmpdir(), "spoor-chromium-"));
  const root = process.getuid?.() === 0;
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Chromium's own sandbox cannot be set up by root.
    chromiumSandbox: !root,
    args: [...FLAGS, ...flags],
  });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.on("pageerror", (error) => console.error(`page: ${error}`));
    return await use(page);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/**
 * Waits until `holds(argument)`, evaluated in the page every `pause` ms, is true. Playwright's own waiting needs
 * `eval` in the page, which the page's Content Security Policy forbids.
 */
export async function until(page, holds, argument, timeout = 60_000, pause = 50) {
  const end = Date.now() + timeout;
  while (!(await page.evaluate(holds, argument))) {
    if (Date.now() > end) throw new Error(`not so after ${timeout / 1000} s: ${holds}`);
    await new Promise((again) => setTimeout(again, pause));
  }
}

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
