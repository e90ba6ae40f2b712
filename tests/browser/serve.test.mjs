// The page as `spoor serve` serves it, in Chromium: a folder of notebooks that are opened and saved, and queries that
// run on the computer.
//
//   SPOOR_SITE=DIR SPOOR=COMMAND node --test tests/browser/serve.test.mjs

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";

import { becomes, until, withPage } from "./browser.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
const spoor = process.env.SPOOR;
if (!root || !spoor) throw new Error("SPOOR_SITE is to name the site's folder, and SPOOR the command");

const code = (id, source) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs: [], source });
const notebook = (...sources) => JSON.stringify({
  nbformat: 4, nbformat_minor: 5, metadata: {}, cells: sources.map((source, n) => code(`c${n}`, source)),
});

const rows = Array.from({ length: 5000 }, (_, n) => `user${n % 7},${n},2024-03-${String(1 + (n % 28)).padStart(2, "0")}T10:00:00Z`);
const LOGONS = `Account,Count,At\n${rows.join("\n")}\n`;

/** Starts `spoor serve` over `folder`. Port 0 takes one that is free. */
async function start(folder, port = 0) {
  const child = spawn(spoor, ["serve", "--port", String(port), "--site", root, "--notebooks", path.join(folder, "hunts"), "--data", path.join(folder, "data")],
    { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((done) => child.once("exit", done));
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /^Spoor is at (http:\/\/[^/]+)\/\?token=(\w+)/.exec(line);
    if (!found) continue;
    const [, origin, token] = found;
    const end = (signal) => { child.kill(signal); return ended; };
    return { origin, token, url: `${origin}/?token=${token}`, port: Number(new URL(origin).port), end };
  }
  throw new Error("spoor serve did not say where it is");
}

/** Calls `use` with a folder of notebooks and data, a server over it, and a page that it has let in. */
async function served(use) {
  const folder = await mkdtemp(path.join(tmpdir(), "spoor-serve-"));
  const hunts = path.join(folder, "hunts");
  await mkdir(path.join(hunts, "deep"), { recursive: true });
  await mkdir(path.join(folder, "data"));
  await writeFile(path.join(folder, "data", "Logons.csv"), LOGONS);
  await writeFile(path.join(hunts, "a.ipynb"), notebook("%%kql\nLogons | count", "1 + 1"));
  await writeFile(path.join(hunts, "deep", "b c.ipynb"), notebook("%%kql\nLogons | take 1"));
  const server = await start(folder);
  try {
    await withPage(async (page) => {
      await page.goto(server.url);
      await use(page, server, { folder, hunts });
    });
  } finally {
    await server.end("SIGTERM");
    await rm(folder, { recursive: true, force: true });
  }
}

const list = (page) => page.getByRole("list", { name: "Notebooks on this computer" });
const notice = (page) => page.locator(".notice");
const cells = (page) => until(page, () => document.querySelectorAll(".cell").length > 0);
const idle = (page) => until(page, () => globalThis.spoor.state === "idle", undefined, 120_000);
const isSaved = (page) => until(page, () => document.querySelector("#bar .saved").textContent === "saved");

/** Opens a notebook of the folder by its address. */
async function open(page, server, name) {
  await page.goto(`${server.origin}/?server=${encodeURIComponent(name)}`);
  await cells(page);
}

/** Puts `source` into the first cell as typing does. */
async function retype(page, source) {
  const cell = page.locator(".cell").first();
  if (await cell.locator(".cm-content").count() === 0) await cell.locator("pre.source").click();
  await cell.locator(".cm-content").click();
  await until(page, () => document.activeElement.matches(".cm-content"));
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(source);
}

const save = (page) => page.keyboard.press("Control+s");

/** The source of the first cell of a notebook on the disk. */
async function onDisk(...parts) {
  const { cells: [{ source }] } = JSON.parse(await readFile(path.join(...parts), "utf8"));
  return Array.isArray(source) ? source.join("") : source;
}

/** Waits until the first cell of the notebook on the disk is `source`. */
async function written(source, ...parts) {
  for (const end = Date.now() + 60_000; (await onDisk(...parts)) !== source;) {
    if (Date.now() > end) assert.equal(await onDisk(...parts), source);
    await new Promise((again) => setTimeout(again, 50));
  }
}

/** Runs `source` in the first cell; its outputs. */
async function run(page, source) {
  await page.evaluate((text) => globalThis.spoor.run(globalThis.spoor.cells[0].id, text), source);
  await until(page, () => globalThis.spoor.finished, undefined, 120_000);
  return page.evaluate(() => globalThis.spoor.cells[0].outputs);
}

const plain = ([output]) => output.data?.["text/plain"] ?? `${output.ename}: ${output.evalue}`;
/** What an error's traceback says, without its colours. */
const traceback = ([output]) => output.traceback.join("\n").replaceAll(/\u001b\[[0-9;]*m/g, "");

describe("spoor serve", { timeout: 900_000 }, () => {
  test("the folder's notebooks are listed, opened, edited and saved", () => served(async (page, server, { hunts }) => {
    await list(page).getByRole("button", { name: "deep/b c" }).waitFor();
    await becomes(() => list(page).getByRole("button").allInnerTexts(), ["a", "deep/b c"]);
    await list(page).getByRole("button", { name: "deep/b c" }).click();
    await cells(page);
    await becomes(() => new URL(page.url()).searchParams.get("server"), "deep/b c.ipynb");
    await becomes(() => page.locator("#bar .title").innerText(), "b c.ipynb");

    // Among the files beside the notebook it is the one that is open.
    await until(page, () => document.querySelector("[aria-label='Notebooks on this computer'] [aria-current=true]")?.textContent === "deep/b c");

    const before = await stat(path.join(hunts, "deep", "b c.ipynb"));
    await retype(page, "%%kql\nLogons | take 2");
    await save(page);
    await isSaved(page);
    await written("%%kql\nLogons | take 2", hunts, "deep", "b c.ipynb");
    // Another file has taken its place, whole, and nothing else is left of it.
    assert.notEqual((await stat(path.join(hunts, "deep", "b c.ipynb"))).ino, before.ino);
    assert.deepEqual(await readdir(path.join(hunts, "deep")), ["b c.ipynb"]);

    // By itself, too, and again on the version that the page wrote.
    await retype(page, "%%kql\nLogons | take 3");
    await written("%%kql\nLogons | take 3", hunts, "deep", "b c.ipynb");
    await isSaved(page);

    const text = await readFile(path.join(hunts, "deep", "b c.ipynb"), "utf8");
    const seen = await page.evaluate(() => `${location.href} ${document.cookie} ${JSON.stringify({ ...localStorage })}`);
    assert.ok(!text.includes(server.token) && !seen.includes(server.token));

    await page.goto(`${server.origin}/`);
    await page.getByRole("button", { name: "New notebook on this computer" }).click();
    await page.waitForURL(/server=Untitled\.ipynb/);
    await cells(page);
    assert.deepEqual((await readdir(hunts)).sort(), ["Untitled.ipynb", "a.ipynb", "deep"]);
  }));

  test("a file that has changed meanwhile is shown, and never overwritten", () => served(async (page, server, { hunts }) => {
    await open(page, server, "a.ipynb");
    const theirs = notebook("theirs");
    await writeFile(path.join(hunts, "a.ipynb"), theirs);
    await retype(page, "mine");
    await save(page);
    await page.getByText("changed or removed on the computer").waitFor();
    assert.equal(await readFile(path.join(hunts, "a.ipynb"), "utf8"), theirs);
    await page.getByRole("button", { name: "Keep mine as a copy" }).click();
    await page.waitForURL(/server=a%20\(2\)\.ipynb/);
    await written("mine", hunts, "a (2).ipynb");
    assert.equal(await readFile(path.join(hunts, "a.ipynb"), "utf8"), theirs);

    await cells(page);
    await retype(page, "mine again");
    await save(page);
    await isSaved(page);
    await rm(path.join(hunts, "a (2).ipynb"));
    await retype(page, "mine once more");
    await save(page);
    await page.getByRole("button", { name: "See what was saved" }).waitFor();
    assert.deepEqual((await readdir(hunts)).sort(), ["a.ipynb", "deep"]);
  }));

  test("a second tab reads until it takes over", () => served(async (page, server) => {
    await open(page, server, "a.ipynb");
    const second = await page.context().newPage();
    await open(second, server, "a.ipynb");
    await second.getByText("Another tab edits this notebook").waitFor();
    await second.getByRole("button", { name: "Take over" }).click();
    await page.getByText("Another tab edits this notebook").waitFor();
  }));

  test("without the server what is typed is kept, and saved when it is back", () => served(async (page, server, { folder, hunts }) => {
    await open(page, server, "a.ipynb");
    await retype(page, "first");
    await save(page);
    await isSaved(page);
    await server.end("SIGKILL");
    await retype(page, "typed alone");
    await save(page);
    await notice(page).getByText("does not answer").waitFor();
    assert.equal(await onDisk(hunts, "a.ipynb"), "first");

    // It is another one, which does not know this browser.
    const again = await start(folder, server.port);
    let last;
    try {
      await notice(page).getByRole("button", { name: "Try again" }).click();
      await notice(page).getByText("does not let this browser in").waitFor();
      const door = await page.context().newPage();
      await door.goto(again.url);
      await list(door).getByRole("button", { name: "a", exact: true }).waitFor();
      await page.bringToFront();
      await notice(page).getByRole("button", { name: "Try again" }).click();
      await written("typed alone", hunts, "a.ipynb");
      await isSaved(page);
      await becomes(() => notice(page).innerText(), "");

      // A page that is closed meanwhile loses nothing either.
      await again.end("SIGKILL");
      await retype(page, "put aside");
      await save(page);
      await notice(page).getByText("does not answer").waitFor();
      await page.close({ runBeforeUnload: false });
      last = await start(folder, server.port);
      await door.goto(last.url);
      await open(door, last, "a.ipynb");
      await written("put aside", hunts, "a.ipynb");
    } finally {
      await again.end("SIGKILL");
      await last?.end("SIGKILL");
    }
  }));

  test("what was put aside and is older than the file becomes a notebook of the browser's own", () => served(async (page, server, { folder, hunts }) => {
    await open(page, server, "a.ipynb");
    // The editor comes from the server too.
    await retype(page, "first");
    await save(page);
    await isSaved(page);
    await server.end("SIGKILL");
    await retype(page, "mine");
    await save(page);
    await notice(page).getByText("does not answer").waitFor();
    const door = await page.context().newPage();
    await page.close({ runBeforeUnload: false });
    await writeFile(path.join(hunts, "a.ipynb"), notebook("theirs"));
    const again = await start(folder, server.port);
    try {
      await door.goto(again.url);
      await open(door, again, "a.ipynb");
      await door.getByText("a (recovered).ipynb").waitFor();
      // The panel beside the notebook opens the storage for itself.
      await until(door, () => globalThis.spoor.storage !== undefined);
      assert.equal(await onDisk(hunts, "a.ipynb"), "theirs");
      const kept = await door.evaluate(async () => {
        const [{ id, name }] = await globalThis.spoor.storage.notebooks();
        return [name, JSON.parse(await globalThis.spoor.storage.read(id)).cells[0].source];
      });
      assert.deepEqual([kept[0], [kept[1]].flat().join("")], ["a (recovered).ipynb", "mine"]);
    } finally {
      await again.end("SIGKILL");
    }
  }));

  test("a browser that was not let in is told how", () => served(async (page, server) => {
    await page.context().clearCookies();
    await page.goto(`${server.origin}/`);
    await page.getByText("open the address that it printed").waitFor();
  }));

  test("the host's answer is the kernel's, with its types, its chart and its mistakes", () => served(async (page, server) => {
    await open(page, server, "a.ipynb");
    await idle(page);
    for (const query of [
      "Logons | summarize Rows = count(), Sum = sum(Count), Last = max(At) by Account | order by Account asc",
      "Logons | where Count < 10 | extend Bag = bag_pack('n', Count) | project-reorder Bag",
      "Logons | where Count > 1000000",
    ]) {
      const here = await run(page, `%%kql\n${query}`);
      const there = await run(page, `%%kql host\n${query}`);
      assert.equal(plain(there), plain(here));
      assert.equal(there[0].data["text/html"], here[0].data["text/html"]);
    }
    const chart = "Logons | summarize n = count() by bin(At, 1d) | order by At asc | render timechart";
    const [here] = await run(page, `%%kql\n${chart}`);
    const [there] = await run(page, `%%kql host\n${chart}`);
    assert.ok(there.data["image/svg+xml"]);
    assert.equal(there.data["image/svg+xml"], here.data["image/svg+xml"]);

    await run(page, "%%kql host --as hits\nLogons | where Account == 'user3'");
    assert.match(plain(await run(page, "%%kql\nhits | summarize n = count(), a = take_any(Account)")), /714.*user3/);
    assert.match((await run(page, "print(len(hits), list(hits.Account.unique()))")).map(({ text }) => text).join(""), /714 .*user3/);

    const wrong = traceback(await run(page, "%%kql host\nLogons\n| where Nobody == 1"));
    assert.match(wrong, /Nobody/);
    assert.match(wrong, /--> 3:9/);
    assert.match(traceback(await run(page, "%%kql host\nhits | count")), /'hits' is a result of this session/);
  }));

  test("a million rows come, and an interrupt ends what runs", () => served(async (page, server) => {
    await open(page, server, "a.ipynb");
    await idle(page);
    await run(page, "%%kql host\nrange n from 1 to 1000000 step 1");
    await becomes(() => page.locator(".cell").first().locator(".foot").innerText(), /1\D?000\D?000 rows/);
    const long = "%%kql host\nrange a from 1 to 10000000 step 1 | extend k = a % 1000 | join kind=inner (range b from 1 to 10000000 step 1 | extend k = b % 1000) on k | count";
    await page.evaluate((text) => globalThis.spoor.run(globalThis.spoor.cells[0].id, text), long);
    await until(page, () => globalThis.spoor.state === "busy");
    await page.evaluate(() => globalThis.spoor.send({ type: "request", event: { event: "interrupt" } }));
    await until(page, () => globalThis.spoor.finished, undefined, 60_000);
    const [output] = await page.evaluate(() => globalThis.spoor.cells[0].outputs);
    assert.equal(output.ename, "KeyboardInterrupt");
    // The computer is free again at once.
    assert.match(plain(await run(page, "%%kql host\nprint x = 42")), /42/);
  }));

  test("a page of another server has no host, and says so", async () => {
    const site = await serve(root, { texts: { "/n.ipynb": notebook("x") } });
    try {
      await withPage(async (page) => {
        await page.goto(`${site.url}/?nb=n.ipynb`);
        await idle(page);
        const error = traceback(await run(page, "%%kql host\nprint 1"));
        assert.match(error, /there is no host here: this page is not served by `spoor serve`/);
        assert.match(error, /spoor serve --data/);
        await page.goto(`${site.url}/?server=a.ipynb`);
        await page.getByText("not served from there").waitFor();
        await page.goto(`${site.url}/`);
        await page.getByText("Hunts to start from").waitFor();
        assert.equal(await list(page).count(), 0);
      });
    } finally {
      await site.close();
    }
  });
});
