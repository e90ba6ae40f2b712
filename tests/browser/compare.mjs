// Runs notebooks in Chromium and under wasmtime and compares them cell by cell:
//
//   node tests/browser/compare.mjs --site DIR --spoor BIN [--data DIR] [NOTEBOOK...]
//
// Without notebooks it takes the gallery's and those in tests/browser/notebooks. It also compares
// the SHA-256 of the kernel and of the Python guest as the browser loaded them with the files that
// `spoor` uses. Ends with "N passed, N failed", and exits with 1 if any failed.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

import { dataIndex } from "../../web/data-index.mjs";
import { runNotebook, withPage } from "./browser.mjs";
import { differences } from "./same.mjs";
import { serve } from "./server.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { site: { type: "string" }, spoor: { type: "string" }, data: { type: "string" } },
});
for (const name of ["site", "spoor"]) if (!options[name]) throw new Error(`--${name} is missing`);
const assets = process.env.SPOOR_ASSETS ?? path.join(path.dirname(options.spoor), "assets");

const notebooks = positionals.length ? positionals.map((file) => path.resolve(file)) : await known();
const texts = { "/data/index.json": JSON.stringify(options.data ? await dataIndex(options.data) : []) };
const mounts = Object.fromEntries(notebooks.map((file, index) => [`/compared/${index}/`, path.dirname(file)]));
if (options.data) mounts["/data/"] = options.data;
const site = await serve(options.site, { mounts, texts });
const results = { passed: 0, failed: 0 };
try {
  for (const [index, file] of notebooks.entries()) await compare(file, `compared/${index}/${path.basename(file)}`);
} finally {
  await site.close();
}
console.log(`\n${results.passed} passed, ${results.failed} failed`);
process.exitCode = results.failed || !results.passed ? 1 : 0;

async function known() {
  const found = [];
  for (const folder of [path.join(here, "notebooks"), path.join(options.site, "gallery")]) {
    const names = (await readdir(folder)).filter((name) => name.endsWith(".ipynb")).sort();
    found.push(...names.map((name) => path.join(folder, name)));
  }
  return found;
}

async function compare(file, url) {
  const name = path.basename(file);
  const [there, browser] = [await underWasmtime(file), await withPage((page) => runNotebook(page, site.url, url))];
  for (const { part, message } of browser.failed) console.log(`${name}: in the browser, ${part}: ${message}`);
  const wrong = differences(browser.cells, there.cells.filter((cell) => cell.cell_type === "code"));
  for (const { index, here, there } of wrong) {
    console.log(`${name}: cell ${index + 1} differs\n--- Chromium\n${clipped(here)}\n--- wasmtime\n${clipped(there)}`);
  }
  check(`${name}: ${browser.cells.length} cells give the same outputs`, wrong.length === 0 && browser.cells.length > 0);
  const divided = JSON.parse(await readFile(path.join(assets, "kernel/kernel.json"), "utf8"));
  await sameBytes(name, divided.kernel, "kernel.wasm");
  const parts = [browser.loaded.kernel, browser.loaded["more of the kernel"]];
  for (const [index, part] of parts.entries()) if (index === 0 || part) await sameBytes(name, part?.sha256[0], `kernel/${divided.parts[index]}`);
  if (browser.loaded.python) {
    const guest = JSON.parse(await readFile(path.join(assets, "python/guest.json"), "utf8"));
    const loaded = browser.loaded.python.sha256;
    const image = Object.values(guest.web.images).find(({ sha256 }) => sha256 === loaded.at(-1));
    const parts = guest.web.parts.slice(0, loaded.length - 1).map(({ file }) => file);
    for (const [index, file] of [...parts, image?.file ?? "an image"].entries()) await sameBytes(name, loaded[index], `python/${file}`);
  }
}

async function underWasmtime(file) {
  const folder = await mkdtemp(path.join(tmpdir(), "spoor-compare-"));
  const out = path.join(folder, "out.ipynb");
  const data = options.data ? ["--data", options.data] : [];
  try {
    // A cell that fails is compared like any other; the exit code then says no more.
    await promisify(execFile)(options.spoor, ["run", file, "-o", out, ...data], { maxBuffer: 1 << 28 }).catch((error) => {
      if (error.killed || !(error.code > 0)) throw error;
    });
    return JSON.parse(await readFile(out, "utf8"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sameBytes(name, loaded, file) {
  const hash = createHash("sha256").update(await readFile(path.join(assets, file))).digest("hex");
  check(`${name}: Chromium ran the bytes of ${file} (${hash.slice(0, 12)}…)`, loaded === hash);
}

function check(what, holds) {
  console.log(`${holds ? "ok" : "FAILED"}: ${what}`);
  results[holds ? "passed" : "failed"] += 1;
}

function clipped(text) {
  return text.length > 4000 ? `${text.slice(0, 4000)}… (${text.length} characters)` : text;
}
