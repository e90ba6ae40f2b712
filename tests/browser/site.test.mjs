// The site in Chromium: on the plainest of servers, below a path, offline after the first visit, and
// when a new build takes the place of an old one.
//
//   SPOOR_SITE=DIR node --test tests/browser/site.test.mjs

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, link, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";

import { becomes, until, withPage } from "./browser.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
if (!root) throw new Error("SPOOR_SITE is to name the site's folder");

const HUNT = "?nb=gallery/signin-anomalies.ipynb";

/** `python3 -m http.server` over `folder`: no ranges, no compression, no headers of its own. */
async function pythonServer(folder) {
  const child = spawn("python3", ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder],
    { stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /port (\d+)/.exec(line)?.[1];
    if (port) return { url: `http://127.0.0.1:${port}`, close: () => new Promise((done) => child.once("exit", done).kill()) };
  }
  throw new Error("python3 -m http.server did not start");
}

/** Calls `use` with a copy of the site that may be changed, in the folder `name` of a folder. */
async function withCopy(name, use) {
  const parent = await mkdtemp(path.join(tmpdir(), "spoor-site-"));
  const copy = path.join(parent, name);
  try {
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const from = path.join(entry.parentPath ?? entry.path, entry.name);
      const to = path.join(copy, path.relative(root, from));
      await mkdir(path.dirname(to), { recursive: true });
      await link(from, to).catch(() => copyFile(from, to));
    }
    await use({ parent, copy });
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

/** Opens a hunt and waits for its kernel. */
async function open(page, site) {
  await page.goto(`${site}${HUNT}`);
  await until(page, () => globalThis.spoor?.cells.length > 0 && spoor.state === "idle");
}

/** Runs `source` in the hunt's first cell; what it prints or gives as text. */
async function run(page, source) {
  await page.evaluate((code) => spoor.run(spoor.cells[0].id, code), source);
  await until(page, () => spoor.finished, undefined, 120_000);
  return page.evaluate(() => spoor.cells[0].outputs.map((o) => o.text ?? o.data?.["text/plain"] ?? `${o.ename}: ${o.evalue}`).join("").trim());
}

const installed = (page) => until(page, async () => Boolean((await navigator.serviceWorker.getRegistration())?.active));

/** Waits until the worker has kept what `parts` of the cache's names say. */
const kept = (page, parts) => until(page, async (wanted) => {
  const names = (await (await caches.open("spoor-engines")).keys()).map(({ url }) => url);
  return wanted.every(([part, count]) => names.filter((name) => name.includes(part)).length >= count);
}, parts, 300_000, 500);

const QUERY = "%%kql\nSigninLogs | summarize Rows = count() | extend Is = 'counted'";
const IMPORT = "import sqlite3, wave\nprint('imported', sqlite3.connect(':memory:').execute('select 6*7').fetchone()[0])";
const FRAME = "from IPython.display import HTML, display\ndisplay(HTML('<b>in a frame</b>'))";

describe("a site", { timeout: 1_200_000 }, () => {
  test("has no file that common hosts refuse, and nothing but what it lists", async () => {
    const names = await readdir(root, { recursive: true });
    for (const name of names) assert.ok((await stat(path.join(root, name))).size <= 25e6, name);
    for (const name of ["index.html", "service.js", "site.json", "driver.wasm"]) assert.ok(names.includes(name), name);
    const site = JSON.parse(await readFile(path.join(root, "site.json"), "utf8"));
    const pieces = new Set(names.filter((name) => name.startsWith("pieces/")));
    for (const { gzip } of [...site.kernel, ...site.python.parts, ...Object.values(site.python.images)]) {
      for (const piece of gzip) assert.ok(pieces.has(piece), piece);
    }
    for (const piece of pieces) {
      const digest = createHash("sha256").update(await readFile(path.join(root, piece))).digest("hex");
      assert.equal(path.basename(piece, path.extname(piece)), digest.slice(0, 32));
    }
  });

  test("works below a path on python3 -m http.server, and offline after the first visit", () => withCopy("a path/spoor", async ({ parent }) => {
    const server = await pythonServer(parent);
    let running = true;
    try {
      await withPage(async (page) => {
        const site = `${server.url}/a%20path/spoor/`;
        await open(page, site);
        assert.equal(await page.evaluate(() => crossOriginIsolated), false);
        const counted = await run(page, QUERY);
        assert.match(counted, /counted/);
        assert.equal(await run(page, IMPORT), "imported 42");
        await installed(page);
        await kept(page, [["kernel0.wasm", 1], ["kernel1.wasm", 1], ["part0.wasm", 1], ["part1.wasm", 1], ["pandas.pages", 1], ["pieces/", 1], ["SigninLogs", 1]]);
        await server.close();
        running = false;

        await open(page, site);
        assert.equal(await page.evaluate(() => crossOriginIsolated), true);
        assert.equal(await run(page, QUERY), counted);
        assert.equal(await run(page, IMPORT), "imported 42");
        await run(page, FRAME);
        await page.locator("main b", { hasText: "in a frame" }).first().waitFor();
        const part = await page.evaluate(async () => {
          const response = await fetch("data/SigninLogs.parquet", { headers: { Range: "bytes=0-3" } });
          return [response.status, response.headers.get("Content-Range").replace(/\d+$/, ""), await response.text()];
        });
        assert.deepEqual(part, [206, "bytes 0-3/", "PAR1"]);
        // Authorities lead to this one, in windows that the page has opened.
        const openers = await page.evaluate(() => Promise.all(["index.html", "signin.html", "signin.js"].map(async (name) => {
          return (await fetch(name)).headers.get("Cross-Origin-Opener-Policy");
        })));
        assert.deepEqual(openers, ["same-origin", null, "same-origin"]);
        await page.goto(site);
        await page.getByText("Hunts to start from").waitFor();
      });
    } finally {
      if (running) await server.close();
    }
  }));

  test("a new build is announced, waits, and comes whole", () => withCopy("site", async ({ copy }) => {
    const server = await serve(copy);
    try {
      await withPage(async (page) => {
        await page.goto(server.url);
        await installed(page);
        await page.reload();
        await until(page, () => Boolean(navigator.serviceWorker.controller));
        const style = () => page.evaluate(async () => (await (await fetch("style.css")).text()).includes("the next build"));
        const shells = () => page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith("spoor-shell-")));
        const look = () => page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update().then(() => {}, () => {}));
        const [before] = await shells();

        // The list has come, and not yet all that is in it.
        const publish = await nextBuild(copy);
        await look();
        await until(page, async () => {
          const { installing, waiting } = await navigator.serviceWorker.getRegistration();
          return !installing && !waiting;
        });
        assert.equal(await page.getByRole("button", { name: "Reload" }).count(), 0);
        assert.equal(await style(), false);

        await publish();
        // The browser may take one look for a part of the one before.
        await until(page, async () => {
          const registration = await navigator.serviceWorker.getRegistration();
          if (registration.waiting) return true;
          if (!registration.installing) await registration.update().catch(() => {});
          return false;
        }, undefined, 60_000, 500);
        const reload = page.getByRole("button", { name: "Reload" });
        await reload.waitFor();
        assert.equal(await style(), false);

        const other = await page.context().newPage();
        await other.goto(server.url);
        await reload.click();
        await page.getByText("Close the other tab").waitFor();
        assert.equal(await style(), false);
        await other.close();

        await Promise.all([page.waitForEvent("load"), reload.click()]);
        await until(page, () => Boolean(navigator.serviceWorker.controller));
        await becomes(style, true);
        await until(page, async () => (await caches.keys()).filter((name) => name.startsWith("spoor-shell-")).length === 1);
        assert.notEqual((await shells())[0], before);
      });
    } finally {
      await server.close();
    }
  }));

  test("a browser without service workers will do", () => withCopy("site", async ({ copy }) => {
    const server = await serve(copy, { ranges: false });
    try {
      await withPage(async (page) => {
        await page.addInitScript(() => { delete Navigator.prototype.serviceWorker; });
        await open(page, `${server.url}/`);
        assert.match(await run(page, QUERY), /counted/);
      });
    } finally {
      await server.close();
    }
  }));
});

/** Puts the worker of another build in place; the function that is given back, the file that differs. */
async function nextBuild(copy) {
  const style = `${await readFile(path.join(copy, "style.css"), "utf8")}\n/* the next build */\n`;
  const old = createHash("sha256").update(await readFile(path.join(copy, "style.css"))).digest("hex");
  const worker = await readFile(path.join(copy, "service.js"), "utf8");
  const id = /id:"([0-9a-f]{16})"/.exec(worker)[1];
  const next = worker.replace(old, createHash("sha256").update(style).digest("hex")).replaceAll(id, "0123456789abcdef");
  assert.notEqual(next, worker);
  await replace(path.join(copy, "service.js"), next);
  return () => replace(path.join(copy, "style.css"), style);
}

/** Not in place: the copy's files are the site's own, by another name. */
async function replace(file, text) {
  await rm(file);
  await writeFile(file, text);
}
