// The page's screens, how one gets to each, and what is to hold of every one of them: axe-core finds
// nothing, nothing is wider than the window, no control is cut off or covered.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { until } from "./browser.mjs";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

const code = (id, source, outputs = []) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs, source });
const markdown = (id, source) => ({ cell_type: "markdown", id, metadata: {}, source });
const notebook = (cells) => JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });

const PROSE = `# A hunt

With *words*, \`code\`, [a link](https://example.com) and $x^2$.

| Name | Number |
| --- | --- |
| one | 1 |

- a list
- of two

> a quotation

\`\`\`python
print("a block")
\`\`\``;
const PROCESSES = `%%kql
datatable(TimeGenerated: datetime, DeviceName: string, ProcessId: long, FileName: string, ProcessCommandLine: string, InitiatingProcessId: long, InitiatingProcessFileName: string) [
  datetime(2026-01-01 10:00), "desk-1", 10, "explorer.exe", "explorer.exe", 1, "userinit.exe",
  datetime(2026-01-01 10:01), "desk-1", 20, "WINWORD.EXE", "WINWORD.EXE /n a-letter-with-quite-a-long-name.docx", 10, "explorer.exe",
  datetime(2026-01-01 10:02), "desk-1", 30, "powershell.exe", "powershell.exe -Enc SQBFAFgA", 20, "WINWORD.EXE",
  datetime(2026-01-01 10:09), "desk-1", 40, "rundll32.exe", "rundll32.exe cdnsync.dll,Start", 30, "powershell.exe"
]`;
const CHART = `%%kql
range Hour from 0 to 23 step 1
| extend Failed = Hour * Hour % 17, Succeeded = 12 - abs(Hour - 12)
| render timechart with (title="Sign-ins by hour", xcolumn=Hour)`;

/** What is served beside the site. */
export const texts = {
  "/screens.ipynb": notebook([
    markdown("title", PROSE),
    code("processes", PROCESSES),
    code("chart", CHART),
    code("wrong", "%%kql\nNoSuchTable\n| where x == 1"),
    markdown("second", "## The second part"),
    code("saved", "print('saved')", [
      { output_type: "stream", name: "stdout", text: `saved ${"wide ".repeat(100)}\n` },
      { output_type: "display_data", metadata: {}, data: { "text/html": `<table><tr>${"<th>column</th>".repeat(60)}</tr></table>` } },
      { output_type: "display_data", metadata: {}, data: { "text/html": "<table><tr><th>a</th></tr><tr><td>1</td></tr></table><script>x</script>" } },
      { output_type: "error", ename: "ValueError", evalue: "no", traceback: ["\u001b[31mValueError\u001b[0m: no"] },
    ]),
    markdown("third", "### A third\n\nThe end."),
  ]),
  "/broken.ipynb": "{ this is no notebook",
};

const grid = '.result [role="grid"]';
const cell = (page, nth) => page.locator(".cell").nth(nth);
const ready = (page) => until(page, () => document.querySelectorAll(".cell").length > 0);
const button = (page, name) => page.getByRole("button", { name, exact: true }).first();
/** Opens an address; a hash or query alone is no new page. */
const go = (page, url) => page.goto(url);
const command = async (page, name) => {
  await page.keyboard.press("Control+Shift+C");
  await page.keyboard.type(name);
  await page.keyboard.press("Enter");
};
/** Closes with Escape what is open, and waits until it is gone. */
const closed = async (page) => {
  await page.keyboard.press("Escape");
  await until(page, () => !document.querySelector("dialog[open], [role=menu]:not([hidden]), #find:not([hidden]), .panel"));
};
const menu = async (page) => {
  await page.locator(".home-files .menu-opener[aria-label$=more]").first().click();
  await page.getByRole("menu").waitFor();
};
/** Waits for the dialog of this title, which the palette shows only to those who listen. */
const dialog = (page, title) => page.locator("dialog[open]", { has: page.locator("#dialog-title", { hasText: title }) }).waitFor();

/** Each screen by its name: how to get there from the one before, and how to leave it. */
export const SCREENS = [
  ["home", async (page, url) => {
    await go(page, `${url}/`);
    await page.locator(".card").first().waitFor();
    await page.locator(".files").waitFor();
  }],
  ["save a copy", async (page) => {
    await page.locator(".card button").first().click();
    await page.locator("dialog input").waitFor();
  }],
  ["home with files", async (page) => {
    await page.locator("dialog button[type=submit], dialog button.main").first().click();
    await page.locator(".home-files .file").first().waitFor();
  }],
  ["a file's menu", menu, closed],
  ["rename", async (page) => {
    await menu(page);
    await page.getByRole("menuitem", { name: "Rename…" }).click();
    await page.locator("dialog[open] input").waitFor();
  }, closed],
  ["versions", async (page) => {
    await menu(page);
    await page.getByRole("menuitem", { name: "Versions…" }).click();
    await dialog(page, "Versions");
  }, closed],
  ["no such notebook", async (page, url) => {
    await go(page, `${url}/?nb=none.ipynb`);
    await page.locator(".failed").waitFor();
  }],
  ["a broken notebook", async (page, url) => {
    await go(page, `${url}/?nb=broken.ipynb`);
    await page.locator(".failed").waitFor();
  }],
  ["a hunt to read", async (page, url) => {
    await go(page, `${url}/?nb=screens.ipynb`);
    await ready(page);
  }],
  ["a hunt that ran", async (page) => {
    await until(page, () => spoor.state === "idle");
    for (const nth of [1, 2, 3]) {
      await cell(page, nth).focus();
      await page.keyboard.press("Control+Enter");
      await until(page, () => spoor.finished);
    }
    await cell(page, 1).locator(grid).waitFor();
    await cell(page, 2).locator(".live canvas").first().waitFor();
    await cell(page, 0).scrollIntoViewIfNeeded();
    await until(page, (grid) => document.querySelector(grid).textContent.includes("explorer.exe"), grid);
  }],
  ["a column's panel", async (page) => {
    await cell(page, 1).locator(grid).press("Alt+ArrowDown");
    await page.locator(".panel dl").waitFor();
  }, closed],
  ["a value", async (page) => {
    await cell(page, 1).locator(grid).focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.locator("dialog").waitFor();
  }, closed],
  ["a timeline", async (page) => {
    await button(page, "Timeline").click();
    await page.locator(".timeline button").first().waitFor();
  }],
  ["a process tree", async (page) => {
    await button(page, "Process tree").click();
    await page.locator(".tree-item").first().waitFor();
  }],
  ["a chart as a table", (page) => button(page, "Show as table").click(), (page) => button(page, "Show as table").click()],
  ["an editor", async (page) => {
    await cell(page, 3).focus();
    await page.keyboard.press("Enter");
    await until(page, () => document.activeElement.matches(".cm-content"));
  }, closed],
  ["find", async (page) => {
    await cell(page, 1).focus();
    await page.keyboard.press("Control+h");
    await page.keyboard.type("Process");
    await until(page, () => /of/.test(document.querySelector("#find .count").textContent));
  }, closed],
  ["the palette", async (page) => {
    await page.keyboard.press("Control+Shift+C");
    await page.keyboard.type("cell");
    await dialog(page, "Commands");
  }, closed],
  ["the settings", async (page) => {
    await command(page, "settings");
    await dialog(page, "Settings");
  }, closed],
  ["the keys", async (page) => {
    await cell(page, 0).focus();
    await page.keyboard.press("h");
    await dialog(page, "Keys");
  }, closed],
  ["without the outline", (page) => page.locator("#tool-toggle-outline, [aria-label*=outline i]").first().click(),
    (page) => page.locator("#tool-toggle-outline, [aria-label*=outline i]").first().click()],
];

/** What axe-core finds wrong with the page as it is, a line for each rule. */
export async function faults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ""}`).slice(0, 4).join(" | ")}`);
}

/** Controls that are cut off or covered, and what is wider than the window. */
export function misplaced(page) {
  return page.evaluate(() => {
    const wrong = [];
    const name = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 110);
    const root = document.scrollingElement;
    if (root.scrollWidth > innerWidth) {
      const wide = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1);
      wrong.push(`the page is ${root.scrollWidth} px wide in ${innerWidth}: ${wide.slice(0, 3).map(name).join(" | ")}`);
    }
    for (const error of document.querySelectorAll(".output :is(.err, .error)")) {
      if (error.getBoundingClientRect().left < error.closest(".output").getBoundingClientRect().left) wrong.push(`cut off by its output: ${name(error)}`);
    }
    // How many there are is read beside the buttons of the find bar, not under them.
    const range = document.createRange();
    const count = document.querySelector("#find:not([hidden]) .count");
    if (count) {
      range.selectNodeContents(count);
      const words = range.getBoundingClientRect();
      for (const button of document.querySelectorAll("#find button")) {
        const { left, right, top, bottom } = button.getBoundingClientRect();
        if (left < words.right && right > words.left && top < words.bottom && bottom > words.top) wrong.push(`over the count: ${name(button)}`);
      }
    }
    const within = document.querySelector("dialog[open]") ?? document.querySelector("[role=menu]:not([hidden])") ?? document.body;
    const scrolls = (element) => {
      for (let e = element.parentElement; e; e = e.parentElement) {
        if (/auto|scroll/.test(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth + 1) return true;
      }
      return false;
    };
    const [x, y] = [root.scrollLeft, root.scrollTop];
    for (const control of within.querySelectorAll("a[href], button, input, select, textarea, summary")) {
      if (control.closest(".cm-editor, iframe, .grid-head, [aria-hidden=true]") || !control.checkVisibility({ checkVisibilityCSS: true })) continue;
      control.scrollIntoView({ block: "center", inline: "center" });
      const { left, right, top, bottom, width, height } = control.getBoundingClientRect();
      // The link that skips is off the screen until it has the focus.
      if (width <= 1 || height <= 1 || control.matches(".skip")) continue;
      if ((left < -1 || right > innerWidth + 1) && !scrolls(control)) wrong.push(`cut off by the window: ${name(control)}`);
      const style = getComputedStyle(control);
      if (control.localName === "button" && style.textOverflow !== "ellipsis" && control.scrollWidth > control.clientWidth + 2) wrong.push(`its text is cut off: ${name(control)}`);
      const at = document.elementFromPoint(Math.min((left + right) / 2, innerWidth - 1), (top + bottom) / 2);
      const same = at && (control.contains(at) || at.contains(control) || at.closest("label")?.contains(control));
      if (!same && !control.disabled) wrong.push(`covered: ${name(control)} by ${at ? name(at) : "nothing"}`);
    }
    root.scrollTo(x, y);
    return wrong;
  });
}
