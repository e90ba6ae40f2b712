// The notebook's screen in Chromium: reading, editing, running, and the keys.
//
//   SPOOR_SITE=DIR node --test tests/browser/notebook.test.mjs

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { describe, test } from "node:test";

import { becomes, still, until, withPage } from "./browser.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
if (!root) throw new Error("SPOOR_SITE is to name the site's folder");

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

const code = (id, source, outputs = []) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs, source });
const markdown = (id, source) => ({ cell_type: "markdown", id, metadata: {}, source });
const html = (source) => [{ output_type: "display_data", metadata: {}, data: { "text/html": source } }];
const notebook = (cells) => JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });

const csv = "Account,Count\nana,3\nbo,10\n";
const many = (length) => notebook(Array.from({ length }, (_, n) => code(`c${n}`, `x = ${n}\nprint(x)`)));
/** More cells than are drawn at once on any machine. */
const MORE = 3000;
const texts = {
  "/data/index.json": JSON.stringify([{ name: "Logons", file: "Logons.csv", url: "data/Logons.csv", bytes: csv.length, format: "csv" }]),
  "/data/Logons.csv": csv,
  "/hunt.ipynb": notebook([
    markdown("title", "# A hunt\n\nWith *words* and <script>bad()</script>."),
    code("query", "%%kql\nLogons\n| count", [{ output_type: "stream", name: "stdout", text: "saved output\n" }]),
    markdown("second", "## Second part"),
    code("other", "%%kql\nLogons | where Account == 'ana'"),
  ]),
  "/marked.ipynb": notebook([
    markdown("prose", `${"A paragraph.\n\n".repeat(60)}What PowerShell did, and what powershell is.`),
    code("source", "%%kql\nprint a = 'powershell', b = 'powershell'", [{ output_type: "stream", name: "stdout", text: "powershell ran\n" }]),
  ]),
  "/half.ipynb": notebook([code("half", "%%kql\nLogo")]),
  "/scripted.ipynb": notebook([code("a", "x", html("<b>still</b><script>document.body.append('moved')</script>"))]),
  "/long.ipynb": many(500),
  "/longer.ipynb": many(MORE),
};

/** Serves the site and hands a page with `name` open to `use`. */
async function opened(name, use, before = async () => {}) {
  const site = await serve(root, { texts });
  try {
    await withPage(async (page) => {
      await before(page);
      await page.goto(`${site.url}/?nb=${name}`);
      await until(page, () => document.querySelectorAll(".cell").length > 0);
      await use(page, site);
    });
  } finally {
    await site.close();
  }
}

const idle = (page) => until(page, () => spoor.state === "idle");
const ended = (page) => until(page, () => spoor.finished);
const cellCount = (page) => page.locator(".cell").count();
const text = (page, nth) => page.locator(".cell").nth(nth).locator(".outputs").innerText();
/** Which cell has the focus or holds it, by its place; -1 if none. */
const focused = (page) => page.evaluate(() => [...document.querySelectorAll(".cell")].indexOf(document.activeElement.closest(".cell")));
const select = (page, nth) => page.locator(".cell").nth(nth).focus();

/** What axe-core finds wrong with the page as it is, a line for each rule. */
async function faults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}

/** Replaces what the editor with the focus holds. */
async function retype(page, source) {
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(source);
}

describe("the notebook's screen", { timeout: 600_000 }, () => {
  test("saved outputs are read before any engine is there", () => opened("hunt.ipynb", async (page) => {
    assert.equal(await text(page, 1), "saved output");
    assert.match(await page.locator(".cell h1").first().innerText(), /A hunt/);
    assert.equal(await page.locator(".cell script").count(), 0);
    await until(page, () => spoor.state === "loading");
    assert.match(await page.locator("#kernel").innerText(), /Spoor\s*loading/);
  }, (page) => page.route("**/kernel0.wasm", () => {})));

  test("what is loading is read in whole, on a narrow screen too", () => opened("hunt.ipynb", async (page) => {
    await until(page, () => spoor.state === "loading");
    await page.evaluate(() => { document.querySelector("#progress").textContent = "kernel: 31.1 of 134.6 MB left"; });
    const cut = await page.locator("#status > span").evaluateAll((all) => all.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ textContent }) => textContent));
    assert.deepEqual(cut, []);
  }, async (page) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await page.route("**/kernel0.wasm", () => {});
  }));

  test("a query is edited and run", () => opened("hunt.ipynb", async (page) => {
    await idle(page);
    await page.locator(".cell").nth(1).locator("pre.source").click();
    await page.locator(".cell").nth(1).locator(".cm-content").waitFor();
    await until(page, () => document.activeElement.matches(".cm-content"));
    await retype(page, "%%kql\nLogons\n| summarize Total = sum(Count)");
    await page.keyboard.press("Shift+Enter");
    await ended(page);
    // The rows of a table come from a worker of theirs.
    await becomes(() => text(page, 1), /Total\s+13/);
    await becomes(() => page.locator(".cell").nth(1).locator(".count").innerText(), /\[\d+\]/);
    await becomes(() => page.locator(".cell").nth(1).locator(".foot").innerText(), /1 row/);
    await becomes(() => focused(page), 2, "the cell below is selected");
    await becomes(() => page.locator("#live").innerText(), /Cell 2 finished/);
  }));

  test("run all runs in order and stops at an error", () => opened("hunt.ipynb", async (page) => {
    await idle(page);
    await page.click("#run");
    await ended(page);
    await becomes(() => text(page, 1), /2/);
    await becomes(() => text(page, 3), /ana/);
    await page.evaluate(() => spoor.run("query", "%%kql\nNoSuchTable"));
    await ended(page);
    await becomes(() => text(page, 1), /NoSuchTable/);
    await becomes(() => page.locator(".cell").nth(1).getAttribute("data-state"), "failed");
  }));

  test("the keys of command mode", () => opened("hunt.ipynb", async (page) => {
    await select(page, 0);
    await page.keyboard.press("j");
    await becomes(() => focused(page), 1);
    await page.keyboard.press("b");
    await becomes(() => cellCount(page), 5);
    await becomes(() => focused(page), 2);
    await page.keyboard.press("m");
    await becomes(() => page.locator(".cell").nth(2).getAttribute("data-kind"), "markdown");
    await page.keyboard.press("d");
    await page.keyboard.press("d");
    await becomes(() => cellCount(page), 4);
    await becomes(() => focused(page), 2, "the focus is not lost");
    await page.getByRole("button", { name: "Undo" }).click();
    await becomes(() => cellCount(page), 5);
    await page.keyboard.press("Shift+K");
    await becomes(() => page.locator(".cell[data-selected]").count(), 2);
    await page.keyboard.press("Control+Shift+ArrowUp");
    await becomes(() => page.locator(".cell").nth(0).getAttribute("data-kind"), "kql");
    await becomes(() => page.locator(".cell[data-selected]").count(), 2);
    await until(page, () => document.activeElement.closest(".cell") !== null);
  }));

  test("what is made at a collapsed heading is seen", () => opened("hunt.ipynb", async (page) => {
    const seen = () => page.locator(".cell:visible").count();
    await select(page, 0);
    await page.keyboard.press("ArrowLeft");
    await becomes(seen, 1);
    await page.keyboard.press("b");
    await becomes(seen, 5, "the heading opens");
    await becomes(() => focused(page), 1);
    await select(page, 0);
    await page.keyboard.press("ArrowLeft");
    await becomes(seen, 1);
    await page.keyboard.press("x");
    await becomes(seen, 4);
    await page.keyboard.press("v");
    await becomes(seen, 5);
  }));

  test("a new cell at a query is a query", () => opened("hunt.ipynb", async (page) => {
    await idle(page);
    await select(page, 3);
    await page.keyboard.press("Alt+Enter");
    await becomes(() => page.locator(".cell").nth(4).getAttribute("data-kind"), "kql");
    await until(page, () => document.activeElement.matches(".cell:last-child .cm-content"));
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText("print 20 + 3");
    await page.keyboard.press("Control+Enter");
    await becomes(() => text(page, 4), /23/);
  }));

  test("lines are numbered in every cell, edited or not", () => opened("hunt.ipynb", async (page) => {
    const numbers = (nth) => page.locator(".cell").nth(nth).locator(".line").count();
    const left = (selector) => page.locator(".cell").nth(1).locator(selector).first().evaluate((line) => {
      const range = document.createRange();
      range.selectNodeContents(line);
      return Math.round(range.getBoundingClientRect().left);
    });
    await select(page, 1);
    const source = await page.locator(".cell").nth(1).locator("pre.source").textContent();
    await page.keyboard.press("Shift+L");
    await becomes(() => numbers(1), 3);
    await becomes(() => numbers(3), 2);
    assert.equal(await page.locator(".cell").nth(1).locator("pre.source").textContent(), source);
    const read = await left(".line");
    await page.keyboard.press("Enter");
    await page.locator(".cell").nth(1).locator(".cm-lineNumbers").waitFor();
    assert.ok(Math.abs((await left(".cm-line")) - read) <= 1, "the text stays where it was");
    await page.keyboard.press("Escape");
    await select(page, 3);
    await page.keyboard.press("l");
    await becomes(() => numbers(3), 0, "this cell has none");
    await page.keyboard.press("Shift+L");
    await becomes(() => page.locator(".cm-lineNumbers").count(), 0);
  }));

  test("the Run menu runs what is above", () => opened("hunt.ipynb", async (page) => {
    await idle(page);
    await select(page, 3);
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await until(page, () => document.activeElement.getAttribute("role") === "menuitem");
    await page.keyboard.press("Escape");
    await becomes(() => page.getByRole("menu").count(), 0);
    await page.getByRole("button", { name: "Run", exact: true }).press("ArrowDown");
    await page.getByRole("menuitem", { name: "Run all above" }).click();
    await ended(page);
    const counts = () => page.locator(".cell .count").allInnerTexts();
    await becomes(async () => (await counts()).join(), /\[1\].*\[ \]$/);
    await page.getByRole("button", { name: "Kernel", exact: true }).click();
    await page.getByRole("menuitem", { name: "Restart and clear all outputs" }).click();
    await page.keyboard.press("Enter");
    await becomes(() => page.locator(".output").count(), 0);
  }));

  test("a stale cell says why, and runs by a click on that", () => opened("hunt.ipynb", async (page) => {
    await idle(page);
    await select(page, 3);
    await page.keyboard.press("Control+Enter");
    await ended(page);
    await page.keyboard.press("Enter");
    await until(page, () => document.activeElement.matches(".cm-content"));
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText(" | count");
    const again = page.locator(".cell").nth(3).getByRole("button", { name: /edited since it ran/ });
    await again.focus();
    await page.keyboard.press("Enter");
    await becomes(() => text(page, 3), /Count/);
    await becomes(() => again.count(), 0);
    await becomes(() => focused(page), 3, "the focus stays in the cell");
  }));

  test("Markdown is edited as text and rendered on run", () => opened("hunt.ipynb", async (page) => {
    await select(page, 2);
    await page.keyboard.press("Enter");
    await until(page, () => document.activeElement.matches(".cm-content"));
    await retype(page, "## Renamed\n\n<img src=x onerror=bad()>");
    await page.keyboard.press("Control+Enter");
    await becomes(() => page.locator(".cell").nth(2).locator(".prose h2").innerText(), /Renamed/);
    assert.equal(await page.locator(".cell [onerror]").count(), 0);
    await becomes(() => page.locator("#outline").innerText(), /Renamed/);
    await becomes(() => focused(page), 2);
  }));

  test("a scripted output is held back until the notebook is trusted", () => opened("scripted.ipynb", async (page) => {
    assert.equal(await page.locator("iframe").count(), 0);
    assert.match(await text(page, 0), /still/);
    await page.getByRole("button", { name: "Show scripted output" }).click();
    const frame = page.frameLocator("iframe");
    await frame.getByText("moved").waitFor();
    assert.equal(await page.locator("iframe").getAttribute("sandbox"), "allow-scripts");
    assert.equal(await page.evaluate(() => document.body.innerText.includes("moved")), false);
  }));

  test("the palette finds a command and carries it out", () => opened("hunt.ipynb", async (page) => {
    await select(page, 1);
    await page.keyboard.press("Control+Shift+C");
    await page.keyboard.type("insert cell above");
    await page.keyboard.press("Enter");
    // A command of the palette is carried out once the palette is gone.
    await becomes(() => cellCount(page), 5);
    await becomes(() => focused(page), 1);
  }));

  test("the list of keys opens, closes and gives the focus back", () => opened("hunt.ipynb", async (page) => {
    await select(page, 1);
    await page.keyboard.press("h");
    const keys = page.locator("dialog");
    await becomes(() => keys.innerText(), /Shift\+Enter/);
    // Those of the places that have their own, too.
    for (const [place, key] of [["In an editor", "F8"], ["In a table", "Alt+Down"], ["In a chart", "Ctrl and wheel"], ["In a timeline", "Enter"], ["In a process tree", "Space"]]) {
      const section = keys.locator("section").filter({ has: page.getByRole("heading", { name: place, exact: true }) });
      assert.ok((await section.locator("kbd").allInnerTexts()).includes(key), place);
    }
    await page.keyboard.press("Escape");
    await becomes(() => page.locator("dialog").count(), 0);
    await becomes(() => focused(page), 1);
  }));

  test("find and replace over all cells", () => opened("hunt.ipynb", async (page) => {
    await select(page, 0);
    await page.keyboard.press("Control+h");
    await page.getByRole("textbox", { name: "Find" }).fill("Logons");
    await becomes(() => page.locator("#find .count").innerText(), /of 2/);
    await page.getByLabel("Replace with").fill("SigninLogs");
    await page.getByRole("button", { name: "Replace all" }).click();
    await page.keyboard.press("Escape");
    await page.locator("#find").waitFor({ state: "hidden" });
    await becomes(() => page.locator(".input", { hasText: "SigninLogs" }).count(), 2);
  }));

  test("what is found is marked where it is read, and in editors", () => opened("marked.ipynb", async (page) => {
    /** What a highlight covers, each with the kind of place that it is in. */
    const marked = (name) => page.evaluate((name) => [...(CSS.highlights.get(name) ?? [])].map(({ startContainer, startOffset, endContainer, endOffset }) => {
      const range = new Range();
      range.setStart(startContainer, startOffset);
      range.setEnd(endContainer, endOffset);
      return `${range} in ${startContainer.parentElement.closest(".prose, .source, .outputs").classList[0]}`;
    }).sort(), name);
    const inEditors = () => page.locator(".cm-found").allInnerTexts();
    await select(page, 0);
    await page.keyboard.press("Control+f");
    const field = page.getByRole("textbox", { name: "Find" });
    await field.fill("powershell");
    await becomes(() => page.locator("#find .count").innerText(), "1 of 4");
    await becomes(() => marked("found-now"), ["PowerShell in prose"]);
    await becomes(() => marked("found"), ["powershell in source", "powershell in source", "powershell in prose"].sort());
    const inSight = () => page.evaluate(() => {
      const [{ startContainer }] = CSS.highlights.get("found-now");
      const { top, bottom } = startContainer.parentElement.getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    });
    await becomes(inSight, true, "though the cell is higher than the window");
    await page.getByLabel("Search outputs too").check({ force: true });
    await becomes(() => page.locator("#find .count").innerText(), "1 of 5");
    await becomes(async () => (await marked("found")).filter((one) => one.endsWith("in outputs")), ["powershell in outputs"]);
    await field.press("Enter");
    await field.press("Enter");
    await becomes(inEditors, ["powershell", "powershell"]);
    assert.equal(await page.locator(".cm-found-now").count(), 1);
    await becomes(() => marked("found-now"), []);
    await field.press("Escape");
    await becomes(inEditors, []);
    await becomes(() => marked("found"), []);
  }));

  test("the outline leads to a cell", () => opened("hunt.ipynb", async (page) => {
    await page.locator("#outline").getByText("Second part").click();
    await becomes(() => focused(page), 2);
  }));

  test("completion offers tables", () => opened("half.ipynb", async (page) => {
    await idle(page);
    await page.locator("pre.source").click();
    await until(page, () => document.activeElement.matches(".cm-content"));
    // The kernel is asked one thing at a time: first what is wrong with the query.
    await page.locator(".cm-lintRange-error").first().waitFor();
    await idle(page);
    await page.keyboard.press("Control+End");
    await page.keyboard.press("Tab");
    await page.locator(".cm-tooltip-autocomplete").getByText("Logons").waitFor();
    // The list takes no key at once, so that one meant for the text is not taken.
    await page.waitForTimeout(200);
    await page.keyboard.press("Enter");
    await becomes(() => page.locator(".cm-content").innerText(), /Logons/);
  }));

  test("a long notebook has few editors", () => opened("long.ipynb", async (page) => {
    await until(page, () => document.querySelectorAll(".cell").length === 500);
    assert.equal(await page.locator(".cm-editor").count(), 0);
    await select(page, 0);
    await page.keyboard.press("Enter");
    await until(page, () => document.activeElement.matches(".cm-content"));
    // To the second line, to its end, and out.
    for (let n = 0; n < 75; n++) await page.keyboard.press("ArrowDown");
    await until(page, () => [...document.querySelectorAll(".cell")].indexOf(document.activeElement.closest(".cell")) > 20);
    assert.ok((await page.locator(".cm-editor").count()) <= 16);
  }));

  test("a cell that is deleted while the rest is still to be drawn leaves it in order", () => opened("longer.ipynb", async (page) => {
    await until(page, (left) => document.querySelectorAll(".cell").length === left, MORE - 1);
    assert.ok((await page.evaluate(() => globalThis.drawn)) < MORE, "some were still to be drawn");
    const labels = await page.locator(".cell").evaluateAll((cells) => cells.map((cell) => cell.getAttribute("aria-label")));
    for (const [n, label] of labels.entries()) assert.ok(label.includes(`cell ${n + 1} of ${MORE - 1}`), label);
    assert.equal(await page.locator(".cell[aria-current]").count(), 1);
  }, (page) => page.addInitScript(() => new MutationObserver((_, observer) => {
    globalThis.drawn = document.querySelectorAll(".cell").length;
    if (globalThis.drawn < 2) return;
    observer.disconnect();
    for (let time = 0; time < 2; time++) document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "d", code: "KeyD", bubbles: true, cancelable: true }));
  }).observe(document, { subtree: true, childList: true }))));

  test("settings hold and are kept", () => opened("hunt.ipynb", async (page, site) => {
    await select(page, 0);
    await page.keyboard.press("Control+Shift+C");
    await page.keyboard.type("settings");
    await page.keyboard.press("Enter");
    await page.getByLabel("Theme").selectOption("dark");
    await page.keyboard.press("Escape");
    await page.goto(`${site.url}/?nb=hunt.ipynb`);
    await until(page, () => document.documentElement.dataset.theme === "dark");
  }));

  for (const theme of ["light", "dark"]) {
    test(`axe-core finds no fault, ${theme}`, () => opened("gallery/process-alert.ipynb", async (page) => {
      await page.evaluate((name) => { document.documentElement.dataset.theme = name; }, theme);
      await page.locator("[data-kind=kql] pre.source").first().click();
      await until(page, () => document.activeElement.matches(".cm-content"));
      await still(page);
      assert.deepEqual(await faults(page), []);
      await page.keyboard.press("Escape");
      await page.keyboard.press("h");
      await page.locator("dialog[open]").waitFor();
      await still(page);
      assert.deepEqual(await faults(page), []);
    }));
  }
});
