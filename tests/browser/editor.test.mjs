// The editor of a cell in Chromium: its arrows, its completion, its mistakes, and what it undoes.
//
//   SPOOR_SITE=DIR node --test tests/browser/editor.test.mjs

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { becomes, until, withPage } from "./browser.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
if (!root) throw new Error("SPOOR_SITE is to name the site's folder");

const code = (id, source) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs: [], source });
const markdown = (id, source) => ({ cell_type: "markdown", id, metadata: {}, source });
const notebook = (cells) => JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });

const texts = {
  "/data/index.json": "[]",
  "/prose.ipynb": notebook([code("above", "a = 1"), markdown("prose", "This is one long paragraph of prose. ".repeat(30).trim()), code("below", "b = 2")]),
  "/indented.ipynb": notebook([code("indented", "if a:\n        b = 1")]),
  "/typo.ipynb": notebook([code("typo", "%%kql\nprint a = 1\n| exted b = 2")]),
  "/query.ipynb": notebook([code("query", "%%kql\nprint a = 1\n| ")]),
};

let site;
before(async () => { site = await serve(root, { texts }); });
after(() => site.close());

/** Opens a notebook and hands the page to `use` with a cell being edited. */
async function editing(name, nth, use) {
  await withPage(async (page) => {
    await page.goto(`${site.url}/?nb=${name}`);
    await until(page, () => document.querySelectorAll(".cell").length > 0);
    await page.locator(".cell").nth(nth).focus();
    await page.keyboard.press("Enter");
    await until(page, (nth) => document.querySelectorAll(".cell")[nth].querySelector(".cm-content") === document.activeElement, nth);
    await use(page);
  });
}

/** What the editor that has the focus holds, line by line. */
const lines = (page) => page.evaluate(() => [...document.activeElement.querySelectorAll(".cm-line")].map(({ textContent }) => textContent));

/** Which cell has the focus or holds it, by its place. */
const focused = (page) => page.evaluate(() => [...document.querySelectorAll(".cell")].indexOf(document.activeElement.closest(".cell")));

describe("the editor of a cell", { timeout: 600_000 }, () => {
  test("arrows walk the rows of a paragraph, and leave from its start and end", () => editing("prose.ipynb", 1, async (page) => {
    const rows = () => page.evaluate(() => {
      const range = document.createRange();
      range.selectNodeContents(document.activeElement.querySelector(".cm-line"));
      return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
    });
    const count = await rows();
    assert.ok(count > 3, `${count} rows`);
    await page.keyboard.press("Control+Home");
    for (let row = 0; row < count; row++) {
      assert.equal(await focused(page), 1, `${row} rows down`);
      await page.keyboard.press("ArrowDown");
    }
    assert.equal(await focused(page), 1, "at the end of the last row");
    await page.keyboard.press("ArrowDown");
    await becomes(() => focused(page), 2);
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowUp");
    assert.equal(await focused(page), 2, "first to the start of the row");
    await page.keyboard.press("ArrowUp");
    await becomes(() => focused(page), 1);
  }));

  test("Shift+Tab takes a line's indentation away, step by step", () => editing("indented.ipynb", 0, async (page) => {
    await page.keyboard.press("Control+End");
    await page.keyboard.press("Home");
    await page.keyboard.press("Shift+Tab");
    await becomes(() => lines(page), ["if a:", "    b = 1"]);
    await page.keyboard.press("Shift+Tab");
    await becomes(() => lines(page), ["if a:", "b = 1"]);
    await page.keyboard.press("End");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Shift+Tab");
    await becomes(() => lines(page), ["if a:", "b = 1"], "behind text it asks what is there");
  }));

  test("Enter behind a whole word begins a line, though the word is offered", () => editing("query.ipynb", 0, async (page) => {
    await until(page, () => spoor.state === "idle");
    await page.keyboard.press("Control+End");
    const offered = page.locator(".cm-tooltip-autocomplete [aria-selected]");
    await page.keyboard.type("coun");
    await becomes(() => offered.locator(".cm-completionLabel").innerText(), "count");
    assert.ok((await offered.boundingBox()).height >= 24, "a finger or a mouse hits its row");
    // The list takes no key at once, so that one meant for the text is not taken.
    await page.waitForTimeout(200);
    await page.keyboard.press("Enter");
    await becomes(async () => (await lines(page)).slice(1), ["print a = 1", "| count"]);
    await page.keyboard.press("Enter");
    await page.keyboard.type("| take");
    await becomes(() => offered.locator(".cm-completionLabel").innerText(), "take");
    await page.waitForTimeout(200);
    await page.keyboard.press("Enter");
    await becomes(async () => (await lines(page)).slice(1), ["print a = 1", "| count", "| take", ""]);
  }));

  test("Control+/ makes a comment of prose, and prose again", () => editing("prose.ipynb", 1, async (page) => {
    const [whole] = await lines(page);
    await page.keyboard.press("Control+/");
    await becomes(() => lines(page), [`<!-- ${whole} -->`]);
    await page.keyboard.press("Control+/");
    await becomes(() => lines(page), [whole]);
  }));

  test("what the page writes is undone by itself", () => editing("query.ipynb", 0, async (page) => {
    await until(page, () => spoor.state === "idle");
    await page.keyboard.press("Control+End");
    await page.keyboard.type("count");
    await page.evaluate(() => spoor.run("query", "%%kql\nprint b = 2"));
    await becomes(() => lines(page), ["%%kql", "print b = 2"]);
    await page.keyboard.press("Control+z");
    await becomes(() => lines(page), ["%%kql", "print a = 1", "| count"]);
  }));

  test("a mistake is found, read and mended by keys", () => editing("typo.ipynb", 0, async (page) => {
    await page.locator(".cm-lintRange-error").first().waitFor();
    await becomes(() => page.evaluate(() => document.activeElement.ariaInvalid), "true");
    // What is announced stays for a moment alone.
    await page.evaluate(() => {
      globalThis.announced = [];
      const place = document.querySelector(".cm-announced");
      new MutationObserver(() => announced.push(place.textContent)).observe(place, { childList: true });
    });
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("F8");
    const tip = page.locator(".cm-tooltip");
    await becomes(() => tip.innerText(), /exted[^]*extend[^]*Ctrl\+\./);
    await becomes(() => page.evaluate(() => announced[0]), /exted[^]*Ctrl\+\.: .*extend/);
    await page.keyboard.press("Escape");
    await becomes(() => tip.count(), 0);
    assert.equal(await page.evaluate(() => document.activeElement.className.includes("cm-content")), true, "Escape closes the message first");
    await page.keyboard.press("Shift+Tab");
    await becomes(() => tip.innerText(), /exted/);
    await page.keyboard.press("Control+.");
    await becomes(async () => (await lines(page)).slice(1), ["print a = 1", "| extend b = 2"]);
    await until(page, () => !document.querySelector(".cm-lintRange-error"));
    await becomes(() => page.evaluate(() => document.activeElement.ariaInvalid), null);
  }));

  test("a fix that was made for another text writes nothing", () => editing("typo.ipynb", 0, async (page) => {
    await page.locator(".cm-lintRange-error").first().waitFor();
    await page.keyboard.press("Control+Home");
    // All at once: the kernel is not asked anew before a moment without keys.
    const after = await page.evaluate(() => {
      const content = document.activeElement;
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", "// ");
      content.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
      for (const init of [{ key: "F8" }, { key: ".", ctrlKey: true }]) content.dispatchEvent(new KeyboardEvent("keydown", { ...init, bubbles: true, cancelable: true }));
      return [...content.querySelectorAll(".cm-line")].map(({ textContent }) => textContent);
    });
    assert.deepEqual(after, ["// %%kql", "print a = 1", "| exted b = 2"]);
  }));
});
