// A session by keyboard alone, in Chromium: no mouse, no call into the page. After each key something
// has the focus, is in sight and looks so; nothing keeps the focus; all that can have it has a name.
//
//   SPOOR_SITE=DIR node --test tests/browser/keyboard.test.mjs

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { becomes, until, withPage } from "./browser.mjs";
import { texts } from "./screens.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
if (!root) throw new Error("SPOOR_SITE is to name the site's folder");

let site;
before(async () => { site = await serve(root, { texts }); });
after(() => site.close());

/** What has the focus: what it is, whether it is seen, and whether it is marked. */
function focus() {
  const element = document.activeElement;
  if (!element || element === document.body) return { nowhere: true };
  const { left, right, top, bottom } = element.getBoundingClientRect();
  const [x, y] = [Math.min(Math.max(left + 1, 1), innerWidth - 2), Math.min(Math.max((top + bottom) / 2, top + 1), innerHeight - 2)];
  const at = document.elementFromPoint(Math.min(Math.max(x, left + 2), right - 1), y);
  const place = element.closest("label") ?? element;
  const inSight = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth && (place.contains(at) || Boolean(at?.contains(place)));
  // The mark may be the element's own, its label's, its cell's, or that of the part of a table it stands for.
  const lined = (one, part) => {
    const style = getComputedStyle(one, part);
    const clear = (color) => /transparent|, 0\)$/.test(color);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
      || (part && parseFloat(style.borderLeftWidth) >= 3 && !clear(style.borderLeftColor));
  };
  const stands = [element, element.closest("label"), element.querySelector("[data-active], [aria-selected=true]")].filter(Boolean);
  const marked = stands.some((one) => lined(one)) || (element.matches(".cell") && lined(element, "::before"))
    || (element.matches(".cm-content") && Boolean(element.closest(".cell[data-editing]"))) || element.id === "main";
  return { what: `${element.localName}${element.id && `#${element.id}`}.${element.className} ${element.getAttribute("aria-label") ?? element.textContent.slice(0, 30)}`, inSight, marked };
}

/** Presses a key; the focus is then somewhere, in sight and marked. Gives where. */
async function press(page, key) {
  await page.keyboard.press(key);
  for (const end = Date.now() + 30_000; ;) {
    const now = await page.evaluate(focus);
    if (!now.nowhere && now.inSight && now.marked) return now.what;
    if (Date.now() > end) assert.fail(`after ${key}: ${JSON.stringify(now)}`);
    await page.waitForTimeout(50);
  }
}

const on = (page, selector) => page.evaluate((selector) => Boolean(document.activeElement?.matches(selector)), selector);

/** Waits until what has the focus fits a selector, or is in what does. */
const has = (page, selector, message) => becomes(() => on(page, selector), true, message ?? selector);
const within = (page, selector, message) => becomes(() => page.evaluate((selector) => document.activeElement.closest(selector) !== null, selector), true, message ?? selector);

/** Goes on with a key until what has the focus fits a selector. */
async function reach(page, selector, key = "Tab", most = 60) {
  const passed = [];
  for (let turn = 0; turn < most; turn++) {
    passed.push(await press(page, key));
    if (await on(page, selector)) return;
  }
  assert.fail(`${selector} is not reached by ${most} times ${key}: ${passed.join(" → ")}`);
}

const heard = (page, pattern) => until(page, (source) => new RegExp(source).test(document.querySelector("#live").textContent), pattern.source);
const cellOf = (page) => page.evaluate(() => [...document.querySelectorAll(".cell")].indexOf(document.activeElement.closest(".cell")));

/** What can have the focus and has no name, as an assistive technology is told. */
async function nameless(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  const focusable = ({ properties = [] }) => properties.some(({ name, value }) => name === "focusable" && value.value);
  const whole = /^(RootWebArea|main|generic|none|Iframe|IframePresentational)$/;
  return nodes.filter((node) => !node.ignored && focusable(node) && !whole.test(node.role?.value ?? "") && !node.name?.value?.trim())
    .map((node) => JSON.stringify({ role: node.role?.value, value: node.value?.value }));
}

/** Opens the notebook of the screens' test and goes to a cell. */
async function opened(page) {
  await page.goto(`${site.url}/?nb=screens.ipynb`);
  await until(page, () => document.querySelectorAll(".cell").length > 0 && spoor.state === "idle");
}

/** Runs the cell at `nth`, from wherever the focus is in the notebook, and waits until its result can be gone into. */
async function runs(page, nth) {
  await press(page, "Home");
  for (let n = 0; n < nth; n++) await press(page, "j");
  await press(page, "Control+Enter");
  await heard(page, new RegExp(`Cell ${nth + 1} (finished|failed)`));
  // Its rows come from a worker of theirs: what is below moves once more.
  await until(page, (nth) => {
    const cell = document.querySelectorAll(".cell")[nth];
    if (cell.querySelector(".live .chart")) return cell.querySelector(".live canvas") !== null && cell.querySelector("details.rows") !== null;
    return [...cell.querySelectorAll(".live [role=gridcell]")].some(({ textContent }) => textContent !== "");
  }, nth);
  assert.equal(await cellOf(page), nth);
}

describe("by keyboard alone", { timeout: 600_000 }, () => {
  test("from the first screen to a result", () => withPage(async (page) => {
    await page.goto(`${site.url}/`);
    await page.locator(".card").first().waitFor();
    await press(page, "Tab");
    await has(page, ".skip", "the first thing is the link to the content");
    await reach(page, "input[type=search], .search input");
    await page.keyboard.type("sign-in");
    await until(page, () => document.querySelectorAll(".card").length === 1);
    assert.deepEqual(await nameless(page), []);
    await reach(page, "a.act");
    await page.keyboard.press("Enter");
    await page.waitForURL(/[?]nb=/);
    await page.locator(".cell").first().waitFor();
    await until(page, () => spoor.state === "idle", undefined, 120_000);
    await reach(page, "[data-kind=kql]", "j");
    await press(page, "Enter");
    await until(page, () => document.activeElement.matches(".cm-content"));
    await press(page, "Control+a");
    await page.keyboard.insertText("%%kql\nSigninLogs | summarize Failures = countif(ResultType != '0')");
    const nth = await cellOf(page);
    await press(page, "Shift+Enter");
    await heard(page, new RegExp(`Cell ${nth + 1} finished.*1 row`));
    await becomes(() => cellOf(page), nth + 1);
  }));

  test("an editor lets go", () => withPage(async (page) => {
    await opened(page);
    await press(page, "j");
    await press(page, "Enter");
    await until(page, () => document.activeElement.matches(".cm-content"));
    await press(page, "Escape");
    await has(page, ".cell");
    for (let turn = 0; turn < 2; turn++) {
      await press(page, "Tab");
      assert.ok(!(await on(page, ".cm-content")), "Tab goes past the editor");
    }
    await reach(page, ".cell", "Shift+Tab");
  }));

  test("into a table, its panel, a value, and out again", () => withPage(async (page) => {
    await opened(page);
    await runs(page, 1);
    await page.locator("[role=grid]").waitFor();
    await reach(page, "[role=grid]");
    await press(page, "ArrowDown");
    await press(page, "End");
    const active = () => page.evaluate(() => document.getElementById(document.activeElement.getAttribute("aria-activedescendant"))?.textContent);
    await becomes(active, "explorer.exe");
    await press(page, "Alt+ArrowDown");
    await within(page, ".panel");
    assert.deepEqual(await nameless(page), []);
    await press(page, "Escape");
    await has(page, "[role=grid]", "the table has the focus again");
    await press(page, "Enter");
    await within(page, "dialog");
    await press(page, "Escape");
    await has(page, "[role=grid]");
    await becomes(() => page.locator("dialog").count(), 0);
    await becomes(active, "explorer.exe");
    // The cell runs anew under the table that has the focus.
    await press(page, "Control+Enter");
    await until(page, () => document.querySelectorAll(".cell")[1].querySelector(".count").textContent === "[2]");
    await page.locator("[role=grid]").waitFor();
    await becomes(() => cellOf(page), 1, "the cell has the focus that its table had");
    await reach(page, "[role=grid]");
    // The header is a row: Enter sorts by it.
    await press(page, "Control+ArrowUp");
    await press(page, "ArrowUp");
    await press(page, "Enter");
    await until(page, () => document.querySelector("[role=columnheader][aria-sort=ascending], [role=columnheader][aria-sort=descending]") !== null);
    await reach(page, ".result-views button:nth-child(2)", "Shift+Tab");
    await press(page, "Enter");
    await until(page, () => document.querySelector(".timeline button") !== null);
    await reach(page, ".timeline-track button");
    await press(page, "ArrowRight");
    await has(page, ".timeline-track button");
  }));

  test("along a chart", () => withPage(async (page) => {
    await opened(page);
    await runs(page, 2);
    await page.locator(".chart-plot canvas").first().waitFor();
    await reach(page, ".chart-plot");
    const said = () => page.evaluate(() => document.querySelector(".chart-live").textContent);
    await press(page, "ArrowRight");
    await until(page, () => document.querySelector(".chart-live").textContent !== "");
    const first = await said();
    await press(page, "ArrowRight");
    await until(page, (first) => document.querySelector(".chart-live").textContent !== first, first);
    await press(page, "+");
    await press(page, "Escape");
    await press(page, "Tab");
    assert.ok(!(await on(page, ".chart-plot")), "the chart lets go");
    assert.deepEqual(await nameless(page), []);
  }));

  test("every dialog and bar opens, is named, and gives the focus back", () => withPage(async (page) => {
    await opened(page);
    await press(page, "j");
    const nth = await cellOf(page);
    const command = async (name) => {
      await press(page, "Control+Shift+C");
      await page.keyboard.type(name);
    };
    // Each by what is there then: a command of the palette is carried out once the palette is gone.
    const dialog = (name) => `dialog[open]:has(#dialog-title:text-is("${name}"))`;
    const places = {
      find: [() => press(page, "Control+f"), "#find"],
      replace: [() => press(page, "Control+h"), "#find"],
      palette: [() => command("run"), dialog("Commands")],
      settings: [async () => { await command("settings"); await press(page, "Enter"); }, dialog("Settings")],
      help: [() => press(page, "h"), dialog("Keys")],
    };
    for (const [name, [open, selector]] of Object.entries(places)) {
      await open();
      const place = page.locator(selector);
      await place.waitFor();
      await becomes(() => place.evaluate((place) => place.contains(document.activeElement)), true, name);
      assert.deepEqual(await nameless(page), [], name);
      await press(page, "Escape");
      await place.waitFor({ state: "hidden" });
      await has(page, ".cell", `${name}: a cell has the focus again`);
      assert.equal(await cellOf(page), nth, name);
    }
    const outline = page.locator("#outline .entry").first();
    await outline.waitFor();
    for (const state of ["hidden", "visible"]) {
      await command("outline");
      await press(page, "Enter");
      await outline.waitFor({ state });
      await becomes(() => cellOf(page), nth);
    }
    await reach(page, "#outline .entry", "Shift+Tab");
    await press(page, "Enter");
    await until(page, () => document.activeElement.closest(".cell") !== null);
  }));

  test("Tab goes through all of a notebook, and names each", () => withPage(async (page) => {
    await opened(page);
    await runs(page, 1);
    await runs(page, 2);
    assert.deepEqual(await nameless(page), []);
    // Out at the top, then through to the end.
    const passed = new Set();
    for (const key of ["Shift+Tab", "Tab"]) {
      let turn = 0;
      for (; turn < 150; turn++) {
        await page.keyboard.press(key);
        let now = await page.evaluate(focus);
        // What has the focus may still be scrolled into view.
        for (let waits = 0; waits < 400 && !now.nowhere && !(now.inSight && now.marked); waits += 1) {
          await page.waitForTimeout(50);
          now = await page.evaluate(focus);
        }
        if (now.nowhere) break;
        assert.ok(now.inSight && now.marked, JSON.stringify(now));
        passed.add(now.what);
      }
      assert.ok(turn < 150, `150 times ${key} do not lead out of the page: ${[...passed].join(" → ")}`);
    }
    assert.ok(passed.size > 40, [...passed].join("\n"));
  }));
});
