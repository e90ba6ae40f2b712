// Every screen and dialog in Chromium: axe-core, both themes, a window of 320 px, a page at 200%, less
// motion, forced colours. With SPOOR_SHOTS it leaves pictures of the screens in that folder.
//
//   SPOOR_SITE=DIR [SPOOR_SHOTS=DIR] node --test tests/browser/screens.test.mjs

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { becomes, drawn, until, withPage } from "./browser.mjs";
import { SCREENS, faults, misplaced, texts } from "./screens.mjs";
import { serve } from "./server.mjs";

const root = process.env.SPOOR_SITE;
if (!root) throw new Error("SPOOR_SITE is to name the site's folder");
const shots = process.env.SPOOR_SHOTS;
if (shots) await mkdir(shots, { recursive: true });

let site;
before(async () => { site = await serve(root, { texts }); });
after(() => site.close());

/** Goes from screen to screen, calls `look` at each, and says of which screen what it gives back is. */
async function tour(page, look) {
  const found = [];
  for (const [name, enter, leave] of SCREENS) {
    await enter(page, site.url).catch((error) => { throw new Error(`${name} was not reached: ${error}`); });
    // What fades is to be there.
    await drawn(page);
    await page.waitForTimeout(200);
    found.push(...(await look(name)).map((what) => `${name}: ${what}`));
    await leave?.(page);
  }
  return found;
}

const shot = async (page, name, kind) => {
  if (shots) await page.screenshot({ path: path.join(shots, `${name.replaceAll(/\W+/g, "-")}-${kind}.png`) });
};

describe("every screen", { timeout: 1_200_000 }, () => {
  for (const colorScheme of ["light", "dark"]) {
    test(`axe-core finds no fault, ${colorScheme}`, () => withPage(async (page) => {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize({ width: 1280, height: 900 });
      const found = await tour(page, async (name) => {
        await shot(page, name, colorScheme);
        return [...(await faults(page)), ...(await misplaced(page))];
      });
      assert.deepEqual(found, []);
    }));
  }

  // At 200% a window of 1280 by 900 pixels has half of them.
  for (const [kind, width, height] of [["narrow", 320, 640], ["magnified", 640, 450]]) {
    test(`nothing is cut off, covered or moving, ${kind}`, () => withPage(async (page) => {
      await page.emulateMedia({ reducedMotion: "reduce" });
      await page.setViewportSize({ width, height });
      await becomes(() => page.evaluate(() => innerWidth), width);
      const found = await tour(page, async (name) => {
        await shot(page, name, kind);
        return [...(await misplaced(page)), ...(await page.evaluate(moving)), ...(kind === "narrow" ? await faults(page) : [])];
      });
      assert.deepEqual(found, []);
    }));
  }

  test("forced colours tell apart what colours tell apart", () => withPage(async (page) => {
    await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
    await page.setViewportSize({ width: 1280, height: 900 });
    const never = new Map();
    const found = await tour(page, async (name) => {
      await shot(page, name, "forced");
      const pairs = await page.evaluate(alike);
      for (const { what, there } of pairs) never.set(what, (never.get(what) ?? true) && !there);
      return pairs.filter(({ same }) => same).map(({ what }) => `${what} looks like any other`);
    });
    assert.deepEqual(found, []);
    assert.deepEqual([...never].filter(([, missing]) => missing).map(([what]) => what), [], "pairs that no screen shows");
  }));

  test("Markdown, tables and charts are printed without the page's tools", () => withPage(async (page) => {
    await page.goto(`${site.url}/?nb=screens.ipynb`);
    await until(page, () => document.querySelectorAll(".cell").length > 0);
    await until(page, () => ["#top", "#tools", "#status", "#outline"].every((part) => document.querySelector(part)));
    await page.emulateMedia({ media: "print" });
    await until(page, () => document.querySelector(".cell table")?.checkVisibility());
    const shown = await page.evaluate(() => ["#top", "#tools", "#status", "#outline"].filter((part) => document.querySelector(part)?.checkVisibility()));
    assert.deepEqual(shown, []);
  }));
});

/** What moves, or would, for one who asked for less motion. */
function moving() {
  const now = document.getAnimations().map((one) => `${one.animationName ?? one.transitionProperty} moves`);
  const would = [...document.querySelectorAll("*")].filter((element) => {
    const { transitionDuration, scrollBehavior } = getComputedStyle(element);
    return scrollBehavior === "smooth" || transitionDuration.split(", ").some((time) => parseFloat(time) > 0);
  });
  return [...now, ...would.slice(0, 3).map((element) => `${element.outerHTML.slice(0, 100)} would move`)];
}

/** Pairs of things that mean different things: whether both are there, and whether they look the same. */
function alike() {
  const looks = (element, part) => {
    const { backgroundColor, color, outlineStyle, outlineColor, borderLeftColor, borderTopColor, textDecorationLine, fontWeight } = getComputedStyle(element, part);
    return [backgroundColor, color, outlineStyle === "none" ? "" : outlineColor, borderLeftColor, borderTopColor, textDecorationLine, fontWeight].join();
  };
  const pairs = [
    ["the active cell", ".cell[aria-current]", ".cell:not([aria-current])", "::before"],
    ["a pressed button", ".result-bar [aria-pressed=true]", ".result-bar [aria-pressed=false]"],
    ["a selected value", ".grid-body [aria-selected=true]", ".grid-body [aria-selected=false]"],
    ["a chosen command", ".palette [aria-selected=true]", ".palette [aria-selected=false]"],
    ["a selected process", ".tree-item[aria-selected=true]", ".tree-item[aria-selected=false]"],
    ["an event", ".timeline-track button", ".timeline-track"],
    ["a bar of a histogram", ".bars span", ".bars"],
    ["the kernel's state", "[data-state=idle] > .kernel-state", "body", "::before"],
  ];
  const seen = (selector) => [...document.querySelectorAll(selector)].find((element) => element.checkVisibility());
  return pairs.map(([what, one, other, part]) => {
    const [a, b] = [seen(one), seen(other)];
    const there = Boolean(a && b);
    return { what, there, same: there && looks(a, part) === looks(b, part) };
  });
}
