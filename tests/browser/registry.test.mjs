// The plugins that a site offers, and those that a page takes from a registry, in Chromium.
//
//   SPOOR_SITE=DIR SPOOR=COMMAND SPOOR_CORPUS=DIR node --test tests/browser/registry.test.mjs
//
// The registry is one that `spoor plugin publish` wrote, of plugins of the corpus.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { becomes, until, withPage } from "./browser.mjs";
import { callable } from "./corpus.mjs";
import { serve } from "./server.mjs";

const { SPOOR_SITE: root, SPOOR: command, SPOOR_CORPUS: corpus } = process.env;
if (!root || !command || !corpus) throw new Error("SPOOR_SITE, SPOOR and SPOOR_CORPUS are to name the site's folder, the command and the corpus");

const code = { cell_type: "code", id: "a", metadata: {}, execution_count: null, outputs: [], source: "print(1)" };
const notebook = JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [code] });
const texts = { "/test.ipynb": notebook, "/data/index.json": "[]" };

const spoor = (...args) => execFileSync(command, ["plugin", ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

/** Hands a page with the notebook open to `use`. */
async function opened(use, { mounts, query = "" } = {}) {
  const site = await serve(root, { texts, mounts });
  try {
    await withPage(async (page) => {
      await page.goto(`${site.url}/?nb=test.ipynb${query}`);
      await ready(page);
      await use(page, site);
    });
  } finally {
    await site.close();
  }
}

const ready = (page) => until(page, () => globalThis.spoor?.cells.length > 0 && spoor.state === "idle" && spoor.storage);

async function run(page, source) {
  await page.evaluate((source) => spoor.run("a", source), source);
  await until(page, () => spoor.finished, undefined, 120_000, 10);
  const outputs = await page.evaluate(() => spoor.cells[0].outputs);
  return outputs.map((o) => o.text ?? o.data?.["text/plain"] ?? `${o.ename}: ${o.evalue}`).join("");
}

/** Goes through the panel to the question for a registry's address, and answers it. */
async function look(page, address) {
  await page.getByRole("button", { name: "Add plugins" }).click();
  await page.getByRole("menuitem", { name: "From a registry…" }).click();
  await page.getByLabel("The registry's address").fill(address);
  await page.getByRole("button", { name: "Look" }).click();
}

const heading = (page, name) => page.getByRole("heading", { name }).waitFor();
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const row = (page, words) => until(page, (words) => {
  const rows = [...document.querySelectorAll("[aria-label=Plugins] .file")];
  return rows.some((row) => words.every((word) => row.textContent.includes(word)));
}, words);
const told = async (page, words) => {
  await page.locator("dialog", { hasText: words }).waitFor();
  await page.locator("dialog").getByRole("button", { name: "Close" }).last().click();
};

describe("the plugins of a site", { timeout: 600_000 }, () => {
  test("run when a cell calls them, in KQL and in Python", () => opened(async (page) => {
    const source = "%%kql\nprint Text = 'see hxxp://198[.]51[.]100[.]7/a and CVE-2026-1234'\n| evaluate indicators(Text)";
    assert.match(await run(page, source), /198\.51\.100\.7/);
    const python = "import pandas as pd\nprint(len(spoor.plugins.indicators(pd.DataFrame({'Text': ['CVE-2026-1234']}), text='Text')))";
    assert.match(await run(page, `import spoor\n${python}`), /^1/);
    await page.getByRole("button", { name: "Show or hide the files" }).click();
    await row(page, ["indicators", "in use"]);
    await row(page, ["sigma", "of this site"]);
    await page.getByRole("button", { name: "sigma", exact: true }).click();
    await page.locator("[aria-label=Plugins] code", { hasText: "evaluate sigma" }).first().waitFor();
    if (process.env.SPOOR_SHOTS) await page.screenshot({ path: path.join(process.env.SPOOR_SHOTS, "plugins-site.png") });
  }));

  test("run in a notebook that is run as it opens", async () => {
    const source = "%%kql\nprint Text = 'CVE-2026-1234' | evaluate indicators(Text)";
    const text = JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [{ ...code, source }] });
    const site = await serve(root, { texts: { ...texts, "/now.ipynb": text } });
    try {
      await withPage(async (page) => {
        await page.goto(`${site.url}/?nb=now.ipynb&run`);
        await until(page, () => globalThis.spoor?.finished, undefined, 120_000);
        const outputs = await page.evaluate(() => spoor.cells[0].outputs);
        assert.match(JSON.stringify(outputs), /CVE-2026-1234/);
      });
    } finally {
      await site.close();
    }
  });
});

describe("a registry", { timeout: 600_000 }, () => {
  let folder, registry;
  const module = async (change) => callable(await readFile(path.join(corpus, "good.wasm")), (manifest) => {
    manifest.name = change.name ?? "kind";
    manifest.functions[0].name = manifest.name;
    return Object.assign(manifest, change);
  });
  const publish = async (change, { signed } = {}) => {
    const file = path.join(folder, "kind.wasm");
    await writeFile(file, await module(change));
    if (signed) spoor("sign", file, "--key", path.join(folder, signed));
    spoor("publish", file, "--to", registry, "--key", path.join(folder, "registry.key"));
  };
  const KIND = "%%kql\nrange x from 1 to 2 step 1 | evaluate kind() | summarize sum(Value)";
  const works = async (page) => assert.match(await run(page, KIND), /6/);

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "spoor-registry-"));
    registry = path.join(folder, "registry");
    for (const key of ["registry.key", "one.key", "two.key"]) spoor("key", "new", path.join(folder, key));
    await publish({ version: "1.0.0" }, { signed: "one.key" });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("is trusted once, and its plugins are verified, asked about, kept and brought up to date", () => opened(async (page, site) => {
    const first = await readFile(path.join(registry, "index.json"));
    await page.getByRole("button", { name: "Show or hide the files" }).click();
    await look(page, "/nowhere");
    await told(page, "404");
    await look(page, `${site.url}/registry/index.json`);
    await heading(page, "Trust this registry?");
    await press(page, "Yes, trust it");
    await page.getByRole("option", { name: /kind 1\.0\.0/ }).click();
    await heading(page, "Let kind 1.0.0 run?");
    if (process.env.SPOOR_SHOTS) await page.screenshot({ path: path.join(process.env.SPOOR_SHOTS, "plugin-signed.png") });
    await press(page, "Trust this publisher");
    await row(page, ["kind-1.0.0.wasm", "signed by"]);
    await works(page);

    // A later version of the same publisher's needs no more questions, and takes the place of the one before.
    await publish({ version: "1.1.0" }, { signed: "one.key" });
    await look(page, "/registry");
    await page.getByRole("combobox", { name: "Plugin" }).fill("kind@=1.0.0");
    await page.getByRole("option", { name: /kind 1\.0\.0/ }).waitFor();
    await page.getByRole("combobox", { name: "Plugin" }).fill("kind");
    await page.getByRole("option", { name: /kind 1\.1\.0/ }).click();
    await row(page, ["kind-1.1.0.wasm"]);
    await until(page, () => !document.querySelector("[aria-label=Plugins]").textContent.includes("kind-1.0.0.wasm"));
    await works(page);

    // Another's is asked about.
    await publish({ version: "1.2.0" }, { signed: "two.key" });
    await look(page, "/registry");
    await page.getByRole("option", { name: /kind 1\.2\.0/ }).click();
    await heading(page, "Replace the plugin?");
    await press(page, "Cancel");

    // A module that was changed on the way.
    const file = path.join(registry, "kind/kind-1.2.0.wasm");
    const good = await readFile(file);
    await writeFile(file, await module({ version: "1.2.0", summary: "Something else" }));
    await look(page, "/registry");
    await page.getByRole("option", { name: /kind 1\.2\.0/ }).click();
    await told(page, "is not what the registry's index vouches for");
    await writeFile(file, good);

    // An index of before, and one that was changed.
    await writeFile(path.join(registry, "index.json"), first);
    await look(page, "/registry");
    await told(page, "older than one seen before");
    await writeFile(path.join(registry, "index.json"), first.toString().replace("1.0.0", "9.0.0"));
    await look(page, "/registry");
    await told(page, "changed on the way, or is forged");

    // What was let run and kept is there at the next visit, without a question.
    await page.reload();
    await ready(page);
    await works(page);
    assert.equal(await page.locator("dialog").count(), 0);

    // Trust that is taken back ends all that had it, in this tab and in others.
    await rm(path.join(registry, "index.json"));
    await publish({ name: "other", version: "1.0.0" }, { signed: "one.key" });
    const other = await page.context().newPage();
    await other.goto(page.url());
    await ready(other);
    await works(other);
    await look(page, "/second");
    await press(page, "Yes, trust it");
    await page.getByRole("option", { name: /other 1\.0\.0/ }).click();
    await row(page, ["other-1.0.0.wasm", "signed by"]);
    const both = "%%kql\nrange x from 1 to 2 step 1 | evaluate other() | summarize sum(Value)";
    assert.match(await run(page, both), /6/);
    await page.getByRole("button", { name: "kind-1.1.0.wasm: more" }).click();
    await page.getByRole("menuitem", { name: "Do not let it run" }).click();
    await row(page, ["other-1.0.0.wasm", "waits until you let it run"]);
    assert.match(await run(page, both), /no plugin has a function called `other`/);
    // The session of another tab is told once that tab has heard of it.
    await becomes(() => run(other, both.replace("other", "kind")), /no plugin has a function called `kind`/);
  }, { mounts: { get "/registry/"() { return registry; }, get "/second/"() { return registry; } } }));
});
