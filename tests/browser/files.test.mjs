// The user's files beside an open notebook, in Chromium: data that is dropped becomes tables of KQL and
// files of Python, is shown, kept and deleted; notebooks are saved, copied, imported and trusted.
//
//   SPOOR_SITE=DIR node --test tests/browser/files.test.mjs

import assert from "node:assert/strict";
import { copyFile, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";

import { becomes, drawn, until, withPage } from "./browser.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
if (!root) throw new Error("SPOOR_SITE is to name the site's folder");

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
const { zipSync } = require("fflate");

const code = (id, source, outputs = []) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs, source });
const scripted = [{ output_type: "display_data", metadata: {}, data: { "text/html": "<b>still</b><script>1</script>" } }];
const notebook = (cells, metadata = {}) => JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells });

const csv = "Account,Count\nana,3\nbo,10\n";
const texts = {
  "/data/index.json": JSON.stringify([{ name: "Logons", file: "Logons.csv", url: "data/Logons.csv", bytes: csv.length, format: "csv" }]),
  "/data/Logons.csv": csv,
  "/hunt.ipynb": notebook([code("k", "%%kql\nLogons | count"), code("p", "x = 1"), { cell_type: "markdown", id: "m", metadata: {}, source: "# A hunt" }], { custom: { kept: [1, { deep: true }] } }),
  "/scripted.ipynb": notebook([code("k", "x", scripted)]),
  "/gallery/index.json": JSON.stringify([{
    file: "beacons.ipynb", title: "Beacons", description: "Regular connections.", author: "Spoor", data_types: ["Logons"],
    data_sources: [], tags: ["network"], revised: null,
  }]),
  "/gallery/beacons.ipynb": notebook([code("k", "%%kql\nLogons | count")]),
};

/** Serves the site, opens `name`, and hands `{ page, site, folder }` to `use`; `folder` is for its files. */
async function opened(name, use) {
  const [site, folder] = [await serve(root, { texts }), await mkdtemp(path.join(tmpdir(), "spoor-files-"))];
  try {
    await withPage(async (page) => {
      await page.goto(`${site.url}/?nb=${name}`);
      await shown(page);
      await use({ page, site, folder });
    });
  } finally {
    await site.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits until the notebook and the panel's lists are there. */
async function shown(page) {
  await until(page, () => document.querySelectorAll(".cell").length > 0 && document.querySelector("#files .space")?.textContent);
}

/** Drops files on the page as the system does. */
async function drop(page, ...files) {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) await session.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
}

/** Runs a source in the cell with this id; its outputs. */
async function run(page, id, source, timeout = 120_000) {
  await page.evaluate(([id, source]) => spoor.run(id, source), [id, source]);
  await until(page, () => spoor.finished, undefined, timeout);
  return page.evaluate((id) => spoor.cells.find((cell) => cell.id === id).outputs, id);
}

const plain = (outputs) => outputs.map((one) => one.data?.["text/plain"] ?? one.text ?? `${one.ename}: ${one.evalue}`).join("\n");
/** A cell's text, which nbformat may have in lines. */
const source = (cell) => [cell.source].flat().join("");
/** What a query counts. */
const counted = async (page, query, timeout) => {
  const text = plain(await run(page, "k", `%%kql\n${query} | count`, timeout));
  return Number(/^\s*(\d+)\s*$/m.exec(text)?.[1] ?? assert.fail(text));
};

/** Queries until the count is that: the session is told of a file just after the panel is. */
async function counts(page, query, expected, timeout) {
  await becomes(() => counted(page, query, timeout).catch((error) => error.message), expected, query, timeout);
}

const panel = (page) => page.locator("#files");
const table = (page, name) => panel(page).getByRole("button", { name, exact: true });
const row = (page, name) => panel(page).locator(".file", { has: page.getByRole("button", { name, exact: true }) });
const stored = (page) => page.evaluate(() => spoor.storage.notebooks());
const kept = (page, name, timeout) => until(page, (name) => spoor.storage.files().then((files) => files.some(([file]) => file === name)), name, timeout);

/** Picks an item in the menu that the button of this label opens. */
async function pick(page, label, item) {
  await page.getByRole("button", { name: label, exact: true }).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

async function choose(page, act, files) {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), act()]);
  await chooser.setFiles(files);
}

/** Answers the dialog that asks for a name. */
async function name(page, typed) {
  await page.getByRole("textbox", { name: "Name" }).fill(typed);
  await page.keyboard.press("Enter");
}

async function file(folder, name, content) {
  const at = path.join(folder, name);
  await writeFile(at, content);
  return at;
}

describe("the user's data", { timeout: 900_000 }, () => {
  test("a CSV that is dropped is a table of KQL and a file of Python, is shown, kept, and gone when deleted", () => opened("hunt.ipynb", async ({ page, folder }) => {
    assert.equal(await panel(page).isVisible(), false);
    await drop(page, await file(folder, "hosts 1.csv", "Host,Seen\nweb,2024-01-02T03:04:05Z\ndb,\n"));
    await table(page, "hosts_1").waitFor();
    await counts(page, "hosts_1", 2);
    const python = "import pandas as pd\nlist(pd.read_csv('/data/hosts 1.csv').Host)";
    assert.equal(plain(await run(page, "p", python)), "['web', 'db']");

    await table(page, "hosts_1").click();
    await row(page, "hosts_1").getByText("2 rows, 2 columns").waitFor();
    const preview = await row(page, "hosts_1").locator("table").innerText();
    assert.match(preview, /Host\s*string\s*Seen\s*datetime\s*web\s*2024-01-02T03:04:05.0000000Z\s*db/);

    await page.reload();
    await shown(page);
    await counts(page, "hosts_1", 2);
    assert.equal(plain(await run(page, "p", python)), "['web', 'db']");

    // What was dropped opened the panel for the moment, not for good.
    assert.equal(await panel(page).isVisible(), false);
    await page.getByRole("button", { name: "Show or hide the files" }).click();
    await pick(page, "hosts_1: more", "Delete…");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await table(page, "hosts_1").waitFor({ state: "detached" });
    const ask = () => run(page, "k", "%%kql\nhosts_1 | count").then(plain);
    await becomes(ask, /KqlError/);
    await becomes(() => run(page, "p", python).then(plain), /FileNotFoundError/);
  }));

  test("a preview asks for nothing that a notebook shows, and takes the place of its waiting line", () => opened("hunt.ipynb", async ({ page }) => {
    await page.getByRole("button", { name: "Show or hide the files" }).click();
    const early = table(page, "Logons");
    await early.click();
    const waiting = row(page, "Logons").locator(".preview");
    if (await page.evaluate(() => spoor.state !== "idle")) assert.match(await waiting.innerText(), /kernel is still loading|A cell is running|Reading…|2 rows/);
    await row(page, "Logons").getByText("2 rows, 2 columns").waitFor({ timeout: 60_000 });
    assert.equal(await row(page, "Logons").getByRole("button", { name: "more" }).count(), 0);
    await run(page, "k", "%%kql\nLogons | count");
    assert.equal(await page.evaluate(() => spoor.cells[0].count), 1);
  }));

  test("a file of the user's takes the place of the site's, which is back when it is deleted", () => opened("hunt.ipynb", async ({ page, folder }) => {
    await drop(page, await file(folder, "Logons.csv", "Account\nmine\n"));
    await kept(page, "Logons.csv");
    await page.getByRole("button", { name: "Logons: more" }).waitFor();
    await counts(page, "Logons", 1);
    await pick(page, "Logons: more", "Delete…");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await until(page, () => spoor.storage.files().then((files) => files.length === 0));
    await counts(page, "Logons", 2);
  }));

  test("zip, JSON lines and Parquet are tables; a bad file is named, and the rest loads", () => opened("hunt.ipynb", async ({ page, folder }) => {
    const parquet = path.join(folder, "Alerts.parquet");
    await copyFile(path.join(root, "data/SecurityAlert.parquet"), parquet);
    const files = [
      await file(folder, "Packed.zip", zipSync({ "Packed.csv": Buffer.from("a,b\n1,2\n3,4\n5,6\n") })),
      await file(folder, "Lines.jsonl", '{"a": 1, "b": {"c": "x"}}\n{"a": 2}\n'),
      parquet,
      await file(folder, "Ragged.csv", "a,b\n1,2\n3\n"),
      await file(folder, "picture.png", "no data"),
    ];
    await drop(page, ...files);
    await panel(page).getByText(/picture\.png is neither a notebook .* nor data/).waitFor();
    for (const name of ["Packed.zip", "Lines.jsonl", "Alerts.parquet", "Ragged.csv"]) await kept(page, name);
    await counts(page, "Packed", 3);
    await counts(page, "Lines", 2);
    assert.match(plain(await run(page, "k", "%%kql\nLines | where b.c == 'x' | project a")), /\b1\b/);
    await becomes(() => counted(page, "Alerts").then((rows) => rows > 0, () => false), true, "Alerts has rows");
    await becomes(() => run(page, "k", "%%kql\nRagged").then(plain), /Ragged\.csv, line 3: 1 fields where the header has 2/);
    await table(page, "Ragged").click();
    await row(page, "Ragged").locator(".wrong", { hasText: "Ragged.csv, line 3" }).waitFor();
    await counts(page, "Packed", 3);
  }));

  test("100 MB of CSV are counted right, and the page answers meanwhile", () => opened("hunt.ipynb", async ({ page, folder }) => {
    const at = path.join(folder, "Big.csv");
    const big = await open(at, "w");
    await big.write("Account,Count\n");
    const lines = "anaximander,30000\n".repeat(1 << 16);
    for (let part = 0; part < 90; part += 1) await big.write(lines);
    assert.ok((await big.stat()).size > 100e6);
    await big.close();
    await drop(page, at);
    await kept(page, "Big.csv", 300_000);
    await until(page, () => spoor.state === "idle");
    await page.evaluate(() => {
      globalThis.longest = 0;
      let last = performance.now();
      const beat = () => {
        const now = performance.now();
        globalThis.longest = Math.max(globalThis.longest, now - last);
        last = now;
        globalThis.beating = setTimeout(beat, 10);
      };
      beat();
    });
    const begun = Date.now();
    await counts(page, "Big", 90 << 16, 300_000);
    const took = Date.now() - begun;
    const longest = await page.evaluate(() => { clearTimeout(globalThis.beating); return globalThis.longest; });
    // Less than a pause of a machine that does much else, and nothing like the work itself.
    assert.ok(longest < Math.max(1000, took / 4), `the page stood still for ${longest} ms of ${took}`);
    await table(page, "Big").click();
    await row(page, "Big").getByText("5,898,240 rows, 2 columns").waitFor({ timeout: 300_000 });
  }));
});

describe("the files beside a notebook", { timeout: 600_000 }, () => {
  test("the panel opens with the focus in it, remembers its width, and gives the focus back", () => opened("hunt.ipynb", async ({ page }) => {
    await page.locator(".cell").nth(1).focus();
    await page.keyboard.press("Control+Shift+F");
    await panel(page).waitFor();
    await until(page, () => document.querySelector("#files").contains(document.activeElement));
    await page.getByRole("separator", { name: "Width of the files" }).focus();
    const width = (await panel(page).boundingBox()).width;
    for (let times = 0; times < 3; times += 1) await page.keyboard.press("ArrowLeft");
    await becomes(async () => (await panel(page).boundingBox())?.width, width + 48);
    await page.keyboard.press("Escape");
    await becomes(() => page.evaluate(() => [...document.querySelectorAll(".cell")].indexOf(document.activeElement.closest(".cell"))), 1);
    assert.ok(await panel(page).isVisible());
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), []);
    await page.reload();
    await shown(page);
    await becomes(async () => (await panel(page).boundingBox())?.width, width + 48);
    await page.keyboard.press("Control+Shift+F");
    await panel(page).waitFor({ state: "hidden" });
  }));

  test("at 320 pixels it lies over the notebook until Escape", () => opened("hunt.ipynb", async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await until(page, () => innerWidth === 320);
    await drawn(page);
    await page.locator(".cell").first().focus();
    await page.keyboard.press("Control+Shift+F");
    await panel(page).waitFor();
    await becomes(async () => (await panel(page).boundingBox())?.width, 320);
    await page.keyboard.press("Escape");
    await panel(page).waitFor({ state: "hidden" });
    await until(page, () => document.activeElement.closest(".cell") !== null);
    await page.reload();
    await shown(page);
    assert.equal(await panel(page).isVisible(), false);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
  }));

  test("a table's name is written at the cursor, or copied", () => opened("hunt.ipynb", async ({ page, site }) => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: site.url });
    await page.getByRole("button", { name: "Show or hide the files" }).click();
    await panel(page).getByRole("button", { name: "Insert Logons" }).click();
    await page.getByText("Logons is in the clipboard").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "Logons");
    await page.locator(".cell").nth(1).locator("pre.source").click();
    await page.locator(".cell").nth(1).locator(".cm-content").waitFor();
    await until(page, () => document.activeElement.matches(".cm-content"));
    await page.keyboard.press("Control+End");
    await panel(page).getByRole("button", { name: "Insert Logons" }).click();
    await page.keyboard.insertText("!");
    await becomes(() => page.locator(".cell").nth(1).locator(".cm-content").innerText(), /x = 1Logons!/);
  }));
});

describe("saving", { timeout: 600_000 }, () => {
  test("a notebook from elsewhere is saved under a name, and goes on in place", () => opened("hunt.ipynb", async ({ page, site }) => {
    await run(page, "p", "kept_here = 41");
    await page.locator(".cell").first().focus();
    await page.keyboard.press("Control+s");
    assert.equal(await page.getByRole("textbox", { name: "Name" }).inputValue(), "hunt.ipynb");
    // In the middle, whatever styles a notebook's own outputs have.
    const { x, width } = await page.locator("dialog").boundingBox();
    assert.ok(Math.abs(x + width / 2 - page.viewportSize().width / 2) < 2, `at ${x}, ${width} wide`);
    await name(page, "My hunt");
    await page.waitForURL(/\?file=/);
    await becomes(() => page.locator(".title").innerText(), "My hunt.ipynb");
    assert.equal(plain(await run(page, "p", "kept_here + 1")), "42");
    const [entry] = await stored(page);
    assert.deepEqual([entry.name, entry.origin, entry.trusted], ["My hunt.ipynb", "hunt.ipynb", true]);
    await until(page, () => document.querySelector(".saved").textContent === "saved");
    const text = JSON.parse(await page.evaluate((id) => spoor.storage.read(id), entry.id));
    assert.deepEqual(text.metadata.custom, { kept: [1, { deep: true }] });
    assert.equal(source(text.cells[1]), "kept_here + 1");
    assert.equal(await page.evaluate(() => new URLSearchParams(location.search).get("file")), entry.id);
    await page.reload();
    await shown(page);
    await becomes(() => page.locator(".cell").nth(1).innerText(), /42/);
    await page.goto(`${site.url}/?nb=hunt.ipynb`);
    await shown(page);
    await becomes(() => page.locator(".title").innerText(), "hunt.ipynb");
  }));

  test("a name that is taken is not overwritten unasked; what is overwritten stays a version", () => opened("hunt.ipynb", async ({ page, site }) => {
    const id = await page.evaluate((text) => spoor.storage.create("hunt.ipynb", text), notebook([code("o", "old")]));
    await pick(page, "File", "Save");
    assert.equal(await page.getByRole("textbox", { name: "Name" }).inputValue(), "hunt (2).ipynb");
    await name(page, "HUNT");
    await page.getByRole("button", { name: "Overwrite hunt.ipynb" }).waitFor();
    await page.getByRole("button", { name: "Save as HUNT (2).ipynb" }).click();
    await page.waitForURL(/\?file=/);
    assert.deepEqual((await stored(page)).map((one) => one.name).sort(), ["HUNT (2).ipynb", "hunt.ipynb"]);
    // A copy of one's own, over the other.
    await pick(page, "File", "Save a copy");
    await name(page, "hunt");
    await page.getByRole("button", { name: "Overwrite hunt.ipynb" }).click();
    await page.waitForURL(new RegExp(`file=${id}`));
    const versions = await page.evaluate((id) => spoor.storage.versions(id), id);
    assert.ok(versions.length >= 2, JSON.stringify(versions));
    await page.evaluate((id) => spoor.storage.restore(id, 1), id);
    await page.goto(`${site.url}/?file=${id}`);
    await shown(page);
    await becomes(() => page.locator(".cell").first().innerText(), /old/);
  }));

  test("a copy of the gallery asks before it overwrites", () => opened("hunt.ipynb", async ({ page, site }) => {
    await page.goto(site.url);
    for (const answer of [undefined, "Save as Beacons (2).ipynb", "Overwrite Beacons.ipynb"]) {
      await page.getByRole("button", { name: "Save a copy: Beacons" }).click();
      await name(page, "Beacons");
      if (answer) await page.getByRole("button", { name: answer }).click();
      await page.getByText("Saved a copy of Beacons").waitFor();
      await page.locator("#toasts").evaluate((place) => place.replaceChildren());
    }
    const all = await stored(page);
    assert.deepEqual(all.map(({ name, versions, trusted }) => [name, versions.length, trusted]).sort(), [["Beacons (2).ipynb", 1, false], ["Beacons.ipynb", 2, false]]);
  }));

  test("an edited notebook from elsewhere is not left unasked; one's own is", () => opened("hunt.ipynb", async ({ page }) => {
    await page.locator(".cell").nth(1).locator("pre.source").click();
    await page.locator(".cell").nth(1).locator(".cm-content").waitFor();
    await until(page, () => document.activeElement.matches(".cm-content"));
    await page.keyboard.insertText("y");
    const asked = [];
    page.on("dialog", (dialog) => { asked.push(dialog.type()); dialog.accept(); });
    await page.reload();
    await shown(page);
    assert.deepEqual(asked, ["beforeunload"]);
    await pick(page, "File", "Save");
    await name(page, "mine");
    await page.waitForURL(/\?file=/);
    await page.locator(".cell").nth(1).locator("pre.source").click();
    await page.locator(".cell").nth(1).locator(".cm-content").waitFor();
    await until(page, () => document.activeElement.matches(".cm-content"));
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText("23");
    await page.reload();
    await shown(page);
    assert.deepEqual(asked, ["beforeunload"]);
    await becomes(() => page.locator(".cell").nth(1).innerText(), /x = 123/);
  }));

  test("what is typed into a notebook from elsewhere outlives its tab, and is offered", () => opened("hunt.ipynb", async ({ page, site }) => {
    const type = async (text) => {
      await page.locator(".cell").nth(1).locator("pre.source, .cm-content").click();
      await until(page, () => document.activeElement.matches(".cm-content"));
      await page.keyboard.press("Control+End");
      await page.keyboard.insertText(text);
      await page.getByText("kept as a draft").waitFor();
    };
    const again = async () => {
      const session = await page.context().newCDPSession(page);
      const crashed = new Promise((done) => page.once("crash", done));
      session.send("Page.crash").catch(() => {});
      await crashed;
      page = await page.context().newPage();
      await page.goto(`${site.url}/?nb=hunt.ipynb`);
      await shown(page);
      await page.getByText("You changed this notebook here before").waitFor();
    };
    // What a run gives is nobody's work.
    await page.locator(".cell").first().focus();
    await page.keyboard.press("Shift+Enter");
    await until(page, () => spoor.cells[0].outputs.length > 0 && spoor.finished, undefined, 120_000);
    await page.waitForTimeout(3_000);
    page.once("dialog", (dialog) => dialog.accept());
    await page.reload();
    await shown(page);
    assert.equal(await page.getByText("You changed this notebook here before").count(), 0);
    await type("23");
    await again();
    // What is typed now takes the place of nothing.
    await type("4");
    await page.getByText("What you typed here before is now").waitFor();
    await again();
    await page.getByRole("button", { name: "Go on with that" }).click();
    await page.waitForURL(/\?file=/);
    await shown(page);
    const texts = await Promise.all((await stored(page)).map(({ id }) => page.evaluate((id) => spoor.storage.read(id), id)));
    assert.deepEqual(texts.map((text) => source(JSON.parse(text).cells[1])).sort(), ["x = 123", "x = 14"]);
    await page.goto(`${site.url}/?nb=hunt.ipynb`);
    await shown(page);
    assert.equal(await page.getByText("You changed this notebook here before").count(), 0);
  }));

  test("a new notebook, another opened from the list, and another name", () => opened("hunt.ipynb", async ({ page }) => {
    await pick(page, "File", "New notebook");
    await page.waitForURL(/\?file=/);
    await shown(page);
    await becomes(() => page.locator(".title").innerText(), "Untitled.ipynb");
    const [entry] = await stored(page);
    const text = JSON.parse(await page.evaluate((id) => spoor.storage.read(id), entry.id));
    assert.deepEqual([text.cells.length, source(text.cells[0])], [1, "%%kql\n"]);
    assert.equal(text.metadata.kernelspec.name, "spoor");
    await pick(page, "File", "Rename the notebook");
    await name(page, "Night shift");
    await until(page, () => document.querySelector(".title").textContent === "Night shift.ipynb");
    await pick(page, "File", "Open a notebook");
    await page.getByRole("combobox", { name: "Notebook" }).fill("regular conn");
    await page.getByRole("option", { name: /Beacons/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\?nb=gallery/);
    await shown(page);
    await page.keyboard.press("Control+Shift+C");
    await page.keyboard.insertText("open a note");
    await page.keyboard.press("Enter");
    await page.getByRole("combobox", { name: "Notebook" }).fill("night");
    await page.getByRole("option", { name: /Night shift/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(new RegExp(`file=${entry.id}`));
  }));

  test("what goes in comes out the same", () => opened("hunt.ipynb", async ({ page, folder }) => {
    const original = notebook([code("a", "1", [{ output_type: "odd", x: { y: 1 } }])], { vendor: { unknown: ["kept"] } });
    const given = await file(folder, "strange.ipynb", original);
    await choose(page, () => pick(page, "File", "Import files"), given);
    await page.getByRole("button", { name: "Open", exact: true }).click();
    await page.waitForURL(/\?file=/);
    await shown(page);
    const [download] = await Promise.all([page.waitForEvent("download"), pick(page, "File", "Export as .ipynb")]);
    assert.equal(download.suggestedFilename(), "strange.ipynb");
    const out = JSON.parse(await readFile(await download.path(), "utf8"));
    assert.deepEqual({ ...out, cells: out.cells.map((cell) => ({ ...cell, source: source(cell) })) }, JSON.parse(original));
    const [all] = await Promise.all([page.waitForEvent("download"), pick(page, "File", "Export everything as .zip")]);
    assert.match(all.suggestedFilename(), /^spoor-.*\.zip$/);
  }));
});

describe("trust", { timeout: 600_000 }, () => {
  const runs = (page) => page.evaluate(() => document.querySelectorAll(".outputs iframe").length);

  test("it is kept with what the user trusted, and ends when something else is put there", () => opened("scripted.ipynb", async ({ page, site }) => {
    assert.equal(await runs(page), 0);
    await pick(page, "File", "Save");
    await name(page, "shady");
    await page.waitForURL(/\?file=/);
    assert.equal((await stored(page))[0].trusted, false);
    await page.reload();
    await shown(page);
    assert.equal(await runs(page), 0);
    await pick(page, "File", "Trust this notebook");
    await until(page, () => spoor.storage.notebooks().then(([one]) => one.trusted));
    await becomes(() => runs(page), 1);
    await page.reload();
    await shown(page);
    await until(page, () => document.querySelectorAll(".outputs iframe").length === 1);
    // The same from elsewhere, over the one that is trusted.
    await page.goto(`${site.url}/?nb=scripted.ipynb`);
    await shown(page);
    await pick(page, "File", "Save");
    await name(page, "shady");
    await page.getByRole("button", { name: "Overwrite shady.ipynb" }).click();
    await page.waitForURL(/\?file=/);
    assert.deepEqual((await stored(page)).map((one) => one.trusted), [false]);
    await page.reload();
    await shown(page);
    assert.equal(await runs(page), 0);
  }));

  test("what was trusted later is not trusted as it was before", () => opened("hunt.ipynb", async ({ page }) => {
    const trusted = () => stored(page).then((all) => all.map((one) => one.trusted));
    await pick(page, "File", "Save");
    await name(page, "mine");
    await page.waitForURL(/\?file=/);
    assert.deepEqual(await trusted(), [true]);
    const [{ id }] = await stored(page);
    await page.evaluate((id) => spoor.storage.restore(id, 1), id);
    assert.deepEqual(await trusted(), [false]);
  }));
});
