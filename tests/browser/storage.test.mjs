// The browser's storage in Chromium: what a user keeps survives reloads, crashes, full disks and
// other tabs; what comes in goes out again.
//
//   SPOOR_SITE=DIR node --test tests/browser/storage.test.mjs
//
// `spoor.storage` is the page's own storage (`web/page/src/storage/hook.rs`).

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";

import { becomes, until, withPage } from "./browser.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
if (!root) throw new Error("SPOOR_SITE is to name the site's folder");

const notebook = (text) => JSON.stringify({
  cells: [{ cell_type: "markdown", id: "a", metadata: {}, source: [text] }],
  metadata: {}, nbformat: 4, nbformat_minor: 5,
});

/** Loads the site in `page` and waits until its storage is open. */
async function ready(page, site) {
  await page.goto(site.url);
  await until(page, () => globalThis.spoor?.storage !== undefined);
  return page;
}

/** Calls `use(page, site)` with a page of the site in a fresh profile. */
async function opened(use) {
  const site = await serve(root);
  try {
    await withPage(async (page) => use(await ready(page, site), site));
  } finally {
    await site.close();
  }
}

const another = async (page, site) => ready(await page.context().newPage(), site);

/** Ends the page's renderer as a crash does, and opens another page. */
async function crash(page, site) {
  const session = await page.context().newCDPSession(page);
  const crashed = new Promise((done) => page.once("crash", done));
  session.send("Page.crash").catch(() => {});
  await crashed;
  await page.close().catch(() => {});
  return another(page, site);
}

/** Files in the origin's private file system. */
const opfs = (page) => page.evaluate(async () => {
  const names = [];
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("data", { create: true });
  for await (const name of folder.keys()) names.push(name);
  return names;
});

/** Waits until leftovers have been collected. */
async function emptied(page) {
  await becomes(() => opfs(page), []);
}

/** Sets how much the site may keep; undefined lifts it. */
async function quota(page, site, quotaSize) {
  const session = await page.context().newCDPSession(page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: site.url, quotaSize });
}

async function inFolder(use) {
  const folder = await mkdtemp(path.join(tmpdir(), "spoor-files-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const failure = (promise) => promise.then(() => undefined, (error) => error.message);

describe("the storage", { timeout: 900_000 }, () => {
  test("a notebook is there after a reload, and so are its versions", () => opened(async (page, site) => {
    const id = await page.evaluate((text) => spoor.storage.create("hunt.ipynb", text), notebook("one"));
    assert.equal(await page.evaluate(([id, text]) => spoor.storage.save(id, 1, text), [id, notebook("two")]), 2);
    await ready(page, site);
    assert.equal(await page.evaluate((id) => spoor.storage.read(id), id), notebook("two"));
    assert.equal(await page.evaluate((id) => spoor.storage.restore(id, 1), id), 3);
    assert.equal(await page.evaluate((id) => spoor.storage.read(id), id), notebook("one"));
    const versions = await page.evaluate((id) => spoor.storage.versions(id), id);
    assert.deepEqual(versions.map(({ number }) => number), [3, 2, 1]);
    const taken = await failure(page.evaluate(() => spoor.storage.create("HUNT.ipynb", "{}")));
    assert.match(taken, /already a file named “hunt.ipynb”/);
  }));

  test("two tabs that saved the same version: the second is told, and overwrites nothing", () => opened(async (first, site) => {
    const id = await first.evaluate((text) => spoor.storage.create("hunt.ipynb", text), notebook("one"));
    const second = await another(first, site);
    await first.evaluate(([id, text]) => spoor.storage.save(id, 1, text), [id, notebook("first's")]);
    const told = await failure(second.evaluate(([id, text]) => spoor.storage.save(id, 1, text), [id, notebook("second's")]));
    assert.match(told, /another tab saved this notebook \(version 2\)/);
    assert.equal(await second.evaluate((id) => spoor.storage.read(id), id), notebook("first's"));
  }));

  test("a second tab reads, takes over with what the first had typed, and the first reads", () => opened(async (first, site) => {
    const id = await first.evaluate((text) => spoor.storage.create("hunt.ipynb", text), notebook("one"));
    const second = await another(first, site);
    const open = (page) => page.evaluate(async (id) => { globalThis.tab = await spoor.storage.open(id); return tab.edits(); }, id);
    assert.equal(await open(first), true);
    assert.equal(await open(second), false);
    await first.evaluate((text) => tab.edit(text), notebook("typed, not saved yet"));
    await second.evaluate(() => tab.takeOver());
    assert.deepEqual(await second.evaluate(() => [tab.edits(), tab.text()]), [true, notebook("typed, not saved yet")]);
    await until(first, () => !tab.edits());
    await second.evaluate((text) => tab.edit(text), notebook("second's"));
    await until(second, () => tab.state() === "saved");
    // What the first types now, on what the second has saved, is not saved, and not lost either.
    await until(first, (text) => tab.text() === text, notebook("second's"));
    await first.evaluate((text) => tab.edit(text), notebook("typed while reading"));
    await first.waitForTimeout(2500);
    assert.equal(await first.evaluate((id) => spoor.storage.read(id), id), notebook("second's"));
    await second.close();
    await until(first, () => tab.edits());
    await until(first, () => tab.state() === "saved");
    assert.equal(await first.evaluate((id) => spoor.storage.read(id), id), notebook("typed while reading"));
    assert.deepEqual((await first.evaluate((id) => spoor.storage.versions(id), id)).map(({ number }) => number), [4, 3, 2, 1]);
  }));

  test("a tab that reads follows what is saved, and edits when the other tab goes", () => opened(async (first, site) => {
    const id = await first.evaluate((text) => spoor.storage.create("hunt.ipynb", text), notebook("one"));
    const second = await another(first, site);
    for (const page of [first, second]) await page.evaluate(async (id) => { globalThis.tab = await spoor.storage.open(id); }, id);
    await first.evaluate((text) => tab.edit(text), notebook("two"));
    await until(second, (text) => tab.text() === text, notebook("two"));
    await first.close();
    await until(second, () => tab.edits());
    await second.evaluate((text) => tab.edit(text), notebook("three"));
    await until(second, () => tab.state() === "saved");
    assert.equal(await second.evaluate((id) => spoor.storage.read(id), id), notebook("three"));
  }));

  test("an edit is saved within two seconds, and at once when the page is left", () => opened(async (page, site) => {
    const id = await page.evaluate((text) => spoor.storage.create("hunt.ipynb", text), notebook("one"));
    await page.evaluate(async (id) => { globalThis.tab = await spoor.storage.open(id); }, id);
    // What a save itself takes is the machine's.
    const begun = Date.now();
    await page.evaluate(async (text) => spoor.storage.save(await spoor.storage.create("other.ipynb", text), 1, text), notebook("one"));
    const save = Date.now() - begun;
    const state = await page.evaluate((text) => { tab.edit(text); return tab.state(); }, notebook("two"));
    assert.equal(state, "unsaved");
    await until(page, () => tab.state() === "saved", undefined, 2000 + 5 * save);
    for (const word of ["three", "four", "five"]) {
      await page.evaluate(async (id) => { globalThis.tab ??= await spoor.storage.open(id); }, id);
      await page.evaluate((text) => tab.edit(text), notebook(word));
      await ready(page, site);
      assert.equal(await page.evaluate((id) => spoor.storage.read(id), id), notebook(word));
    }
    const notebooks = await page.evaluate(() => spoor.storage.notebooks());
    assert.deepEqual(notebooks.map(({ name }) => name).sort(), ["hunt.ipynb", "other.ipynb"]);
  }));

  test("a draft on a version that is no longer the last becomes a notebook of its own", () => opened(async (page, site) => {
    const id = await page.evaluate((text) => spoor.storage.create("hunt.ipynb", text), notebook("one"));
    await page.evaluate(([id, text]) => spoor.storage.save(id, 1, text), [id, notebook("two")]);
    await page.evaluate(([id, text]) => spoor.storage.keepDraft(id, 1, text), [id, notebook("typed")]);
    await ready(page, site);
    const notebooks = await page.evaluate(() => spoor.storage.notebooks());
    const texts = await page.evaluate((ids) => Promise.all(ids.map((id) => spoor.storage.read(id))), notebooks.map((n) => n.id));
    assert.deepEqual(Object.fromEntries(notebooks.map(({ name }, at) => [name, texts[at]])), {
      "hunt.ipynb": notebook("two"), "hunt (recovered).ipynb": notebook("typed"),
    });
  }));

  test("a tab that is killed while it saves loses nothing that it had saved", () => opened(async (page, site) => {
    const id = await page.evaluate((text) => spoor.storage.create("hunt.ipynb", text), notebook("0"));
    let expected = 1;
    for (let round = 0; round < 12; round += 1) {
      let saved = expected;
      page.on("console", (message) => { if (message.text().startsWith("saved ")) saved = Number(message.text().slice(6)); });
      page.evaluate(async ([id, base]) => {
        for (let version = base; ; version += 1) {
          const text = `${version + 1}:${"x".repeat(300_000)}:${version + 1}`;
          console.log(`saved ${await spoor.storage.save(id, version, text)}`);
        }
      }, [id, expected]).catch(() => {});
      // Half of the tabs die with something saved, however slow the machine is.
      for (const end = Date.now() + 30_000; round % 2 && saved === expected && Date.now() < end;) await new Promise((again) => setTimeout(again, 5));
      await new Promise((wait) => setTimeout(wait, 60 + round * 23));
      page = await crash(page, site);
      const text = await page.evaluate((id) => spoor.storage.read(id), id);
      const [{ versions }] = await page.evaluate(() => spoor.storage.notebooks());
      expected = versions.at(-1).number;
      assert.ok(expected >= saved, `version ${expected}, ${saved} was said to be saved`);
      if (expected > 1) assert.match(text, new RegExp(`^${expected}:x{300000}:${expected}$`));
    }
    assert.ok(expected > 5, `only ${expected} versions were saved`);
  }));

  test("a tab that is killed while it adds a file leaves neither half a file nor its bytes", () => opened(async (page, site) => {
    for (const wait of [30, 120, 300]) {
      page.evaluate(() => spoor.storage.addFile("big.csv", new Blob(Array(40).fill(new Uint8Array(10e6))))).catch(() => {});
      await new Promise((done) => setTimeout(done, wait));
      page = await crash(page, site);
      assert.deepEqual(await page.evaluate(() => spoor.storage.files()), []);
      await emptied(page);
    }
    await page.evaluate(() => spoor.storage.addFile("big.csv", new Blob(["a,b\n1,2\n"])));
    assert.deepEqual(await page.evaluate(() => spoor.storage.files()), [["big.csv", 8]]);
  }));

  test("a full disk is told, and leaves no half file", () => opened(async (page, site) => {
    await quota(page, site, 10e6);
    const told = await failure(page.evaluate(async () => {
      const big = new Blob([new Uint8Array(25e6)]);
      // The browser takes a blob's bytes over behind the page's back, and until then it may not be read.
      await big.arrayBuffer();
      await spoor.storage.addFile("big.csv", big);
    }));
    assert.match(told, /storage for this page is full/);
    assert.deepEqual(await page.evaluate(() => spoor.storage.files()), []);
    await emptied(page);
  }));
});

describe("the files", { timeout: 900_000 }, () => {
  /** Chooses `files` in the browser's dialog that `act` opens. */
  async function choose(page, act, files) {
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), act()]);
    await chooser.setFiles(files);
  }

  /** Picks `item` in the menu that the button of this label opens. */
  async function pick(page, label, item) {
    await page.getByRole("button", { name: label, exact: true }).click();
    await page.getByRole("menuitem", { name: item }).click();
  }

  async function downloaded(page, act) {
    const [download] = await Promise.all([page.waitForEvent("download"), act()]);
    return { name: download.suggestedFilename(), file: await download.path() };
  }

  test("a CSV of 100 MB is added with progress, and kept", () => inFolder((folder) => opened(async (page, site) => {
    const csv = path.join(folder, "Logons 2026.csv");
    const file = await open(csv, "w");
    await file.write("Account,Count\n");
    const lines = "ana,3\n".repeat(1 << 17);
    for (let part = 0; part < 128; part += 1) await file.write(lines);
    const { size } = await file.stat();
    await file.close();
    assert.ok(size > 100e6);
    await choose(page, () => pick(page, "Add data files", "From files"), csv);
    await page.getByRole("button", { name: "Logons_2026", exact: true }).waitFor({ timeout: 300_000 });
    await ready(page, site);
    assert.deepEqual(await page.evaluate(() => spoor.storage.files()), [["Logons 2026.csv", size]]);
    const ends = await page.evaluate(async (size) => {
      const file = await spoor.storage.file("Logons 2026.csv");
      return [file.size, await file.slice(0, 20).text(), await file.slice(size - 6).text()];
    }, size);
    assert.deepEqual(ends, [size, "Account,Count\nana,3\n", "ana,3\n"]);
  })));

  test("a notebook that goes in comes out the same, as a page, a script and in the archive", () => inFolder((folder) => opened(async (page) => {
    const source = await readFile(new URL("../../web/gallery/signin-anomalies.ipynb", import.meta.url));
    const given = path.join(folder, "signins.ipynb");
    await writeFile(given, source);
    await page.getByRole("button", { name: "Import notebooks" }).click();
    await choose(page, () => page.getByRole("menuitem", { name: "From files" }).click(), given);
    await page.getByRole("region", { name: "Notebooks" }).getByRole("button", { name: "signins", exact: true }).waitFor();
    const [{ trusted, origin }] = await page.evaluate(() => spoor.storage.notebooks());
    assert.deepEqual({ trusted, origin }, { trusted: false, origin: "signins.ipynb" });
    const out = (item) => downloaded(page, () => pick(page, "signins: more", item));
    const file = await out("Download .ipynb");
    assert.equal(file.name, "signins.ipynb");
    assert.deepEqual(JSON.parse(await readFile(file.file, "utf8")), JSON.parse(source));
    const html = await out("Download .html");
    assert.match(await readFile(html.file, "utf8"), /<!doctype html>[^]*Sign-in anomalies/i);
    const script = await out("Download .py");
    assert.equal(script.name, "signins.py");
    execFileSync("python3", ["-c", "import ast,sys; ast.parse(open(sys.argv[1]).read())", script.file]);

    await page.evaluate(() => spoor.storage.addFile("T.csv", new Blob(["a\n", "1\n".repeat(6e6)])));
    const zip = await downloaded(page, () => page.getByRole("button", { name: "Export everything" }).click());
    assert.match(zip.name, /^spoor-\d{4}-\d\d-\d\d\.zip$/);
    const listed = execFileSync("python3", ["-c",
      "import json,sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(json.dumps([[i.filename, i.file_size] for i in z.infolist()]))", zip.file]);
    const [[name], data] = JSON.parse(listed);
    assert.equal(name, "notebooks/signins.ipynb");
    assert.deepEqual(data, ["data/T.csv", 12_000_002]);
  })));

  test("deleting can be undone, renaming refuses a taken name", () => opened(async (page) => {
    for (const name of ["a.ipynb", "b.ipynb"]) await page.evaluate(([name, text]) => spoor.storage.create(name, text), [name, notebook(name)]);
    await page.getByRole("button", { name: "a", exact: true }).waitFor();
    await pick(page, "a: more", "Rename");
    await page.getByLabel("Name", { exact: true }).fill("B");
    await page.getByRole("button", { name: "Rename", exact: true }).click();
    await page.getByText("There is already a notebook named b.ipynb.").waitFor();
    await page.getByLabel("Name", { exact: true }).fill("c");
    await page.getByRole("button", { name: "Rename", exact: true }).click();
    await page.getByRole("button", { name: "c", exact: true }).waitFor();
    await pick(page, "c: more", "Delete");
    await page.getByText("Recently deleted (1)").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("button", { name: "c", exact: true }).waitFor();
    assert.deepEqual((await page.evaluate(() => spoor.storage.notebooks())).map(({ name }) => name).sort(), ["b.ipynb", "c.ipynb"]);
  }));

  test("a link that is not a notebook is explained", () => opened(async (page, site) => {
    const link = async (address) => {
      await pick(page, "Import notebooks", "From a link");
      await page.getByRole("textbox", { name: /The address/ }).fill(address);
      await page.getByRole("button", { name: "Import", exact: true }).click();
    };
    await link(`${site.url}/nothing.ipynb`);
    await page.getByText("answered 404: nothing is at this address").waitFor();
    await link("https://github.com/o/r/tree/main");
    await page.getByText("The link leads to a folder, not to one file").waitFor();
    await link(`${site.url}/gallery/signin-anomalies.ipynb`);
    await page.waitForURL(/\?file=/);
    await page.locator(".cell").first().waitFor();
  }));

  test("data comes from a link, or it is explained why not", () => opened(async (page, site) => {
    const link = async (address) => {
      await pick(page, "Add data files", "From a link");
      await page.getByRole("textbox", { name: /The address of a file/ }).fill(address);
      await page.getByRole("button", { name: "Add", exact: true }).click();
    };
    await link(`${site.url}/data/nothing.csv`);
    await page.getByText("answered 404: nothing is at this address").waitFor();
    await link(`${site.url}/index.html`);
    await page.getByText("is not named like data that Spoor reads").waitFor();
    const [first] = await page.evaluate(() => fetch("data/index.json").then((answer) => answer.json()));
    await link(`${site.url}/${first.url}`);
    const name = first.url.split("/").at(-1);
    await page.getByRole("button", { name: `${first.name}: more` }).waitFor();
    assert.deepEqual(await page.evaluate(() => spoor.storage.files()), [[name, first.bytes]]);
  }));
});

describe("the gallery", { timeout: 300_000 }, () => {
  test("searches and filters, and a copy whose name is taken is asked about", () => opened(async (page) => {
    const cards = page.getByRole("article");
    await cards.first().waitFor();
    const all = await cards.count();
    const technique = page.getByRole("group", { name: "Techniques" }).getByRole("button", { name: "T1110.003" });
    assert.equal(await technique.getAttribute("title"), "Password Spraying: 1 notebook");
    assert.equal(await page.getByRole("group", { name: "About" }).getByRole("button", { name: /^T\d/ }).count(), 0);
    await technique.click();
    await page.getByText(`1 of ${all} notebooks`).waitFor();
    await technique.click();
    await page.getByText(`${all} notebooks`, { exact: true }).waitFor();
    await page.getByRole("searchbox").fill("password spray");
    await page.getByText(`1 of ${all} notebooks`).waitFor();
    const save = async (name) => {
      await page.getByRole("button", { name: "Save a copy: Sign-in anomalies" }).click();
      await page.getByRole("textbox", { name: "Name" }).fill(name);
      await page.getByRole("button", { name: "Save", exact: true }).click();
    };
    const names = async () => (await page.evaluate(() => spoor.storage.notebooks())).map(({ name }) => name).sort();
    await save("mine");
    await page.getByRole("button", { name: "mine", exact: true }).waitFor();
    await save("Mine");
    await page.getByRole("button", { name: "Save as Mine (2).ipynb" }).click();
    await page.getByRole("button", { name: "Mine (2)", exact: true }).waitFor();
    assert.deepEqual(await names(), ["Mine (2).ipynb", "mine.ipynb"]);
    await save("mine");
    await page.getByRole("button", { name: "Overwrite mine.ipynb" }).click();
    await until(page, async () => (await spoor.storage.notebooks()).some(({ versions }) => versions.length === 2));
    await save("mine");
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.deepEqual(await names(), ["Mine (2).ipynb", "mine.ipynb"]);
    await page.getByRole("searchbox").fill("nothing of the kind");
    await page.getByText("No notebook fits.").waitFor();
  }));
});
