// The page's figures, beside Pyodide's and JupyterLite's, in one Chromium on one machine.
//
//   node tests/bench/figures.mjs --site DIR --web DIR --spoor FILE [--jupyterlite DIR] [--runs 5] [--only PART,...]
//
// DIR of --site is what `cargo xtask site` made, of --web the page with its engines whole (`cargo xtask
// build web`), of --jupyterlite what `tests/peers/jupyterlite.py` made. Parts: `visits` (cold and
// warm, from `python3 -m http.server` and from `spoor serve`), `peers` (cold, all from `tests/browser/server.mjs`), `notebook`,
// `sizes`. Writes one JSON object to standard output: times in milliseconds, sizes in bytes; where a
// figure was measured several times, its median and all of them.

import { copyFile, link, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

import { withPage } from "../browser/browser.mjs";
import { serve } from "../browser/server.mjs";
import * as notebook from "./notebook.mjs";
import { NOTEBOOKS, executed } from "./notebooks.mjs";
import { peers } from "./peers.mjs";
import { plain, spoorServe } from "./servers.mjs";
import { visit, withProfile } from "./visit.mjs";

const { values: options } = parseArgs({
  options: {
    site: { type: "string" }, web: { type: "string" }, spoor: { type: "string" }, jupyterlite: { type: "string" },
    runs: { type: "string", default: "5" }, only: { type: "string", default: "" },
  },
});
for (const name of ["site", "web", "spoor"]) if (!options[name]) throw new Error(`--${name} is missing`);
const runs = Number(options.runs);
const wants = (part) => options.only === "" || options.only.split(",").includes(part);

/** What each visit waits for: an output of the cell that it runs, or the saved output. */
const RESULT = { selector: ".outputs, .outputs > *", text: "(^|[^0-9])2([^0-9]|$)" };
const SAVED = { selector: ".outputs", text: "\\S" };

const scratch = await mkdtemp(path.join(tmpdir(), "spoor-figures-"));
try {
  const site = path.join(scratch, "site");
  await copy(options.site, site);
  await mkdir(path.join(site, "bench"));
  const written = { ...NOTEBOOKS, "saved.ipynb": await executed(options.spoor, path.join(options.site, "gallery/signin-anomalies.ipynb"), path.join(options.site, "data")) };
  for (const [name, text] of Object.entries(written)) await writeFile(path.join(site, "bench", name), text);
  const figures = { browser: await version(), runs };
  if (wants("visits")) figures.visits = await visits(site);
  if (wants("peers")) figures.peers = await peers({ site, saved: written["saved.ipynb"], jupyterlite: options.jupyterlite, runs, RESULT, SAVED });
  if (wants("notebook")) figures.notebook = await open(site);
  if (wants("sizes")) figures.sizes = await sizes();
  console.log(JSON.stringify(figures, (_, value) => (typeof value === "number" ? Math.round(value * 100) / 100 : value), 1));
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** Cold and warm visits from both servers, in turn. */
async function visits(site) {
  const servers = { plain: await plain(site), serve: await spoorServe(options.spoor, site, path.join(site, "bench")) };
  const all = Object.fromEntries(Object.keys(servers).map((name) => [name, {}]));
  try {
    for (let run = 0; run < runs; run++) {
      for (const [name, server] of Object.entries(servers)) await round(server, all[name]);
    }
  } finally {
    for (const server of Object.values(servers)) await server.close();
  }
  return all;
}

/** A cold and a warm visit of each kind: the warm ones come once all is kept. */
async function round(server, into) {
  const at = (query) => `${server.url}${server.key ? `${server.key}&` : "?"}${query}`;
  const note = (name, { seen, paint, paintBytes, seenBytes }) => {
    const figure = (into[name] ??= { seen: [], paint: [], paint_bytes: [], seen_bytes: [] });
    for (const [key, value] of Object.entries({ seen, paint, paint_bytes: paintBytes, seen_bytes: seenBytes })) figure[key].push(value);
  };
  const pandas = (name) => async (page) => (into[name] ??= { seen: [] }).seen.push(await page.evaluate(importPandas));
  const python = at("nb=bench/python.ipynb&run");
  const kql = at("nb=bench/kql.ipynb&run");
  const saved = at("nb=bench/saved.ipynb");
  await withProfile(async (profile) => note("saved_cold", await visit(profile, saved, SAVED)));
  await withProfile(async (profile) => note("kql_cold", await visit(profile, kql, RESULT)));
  await withProfile(async (profile) => note("pandas_cold", await visit(profile, at("nb=bench/pandas.ipynb&run"), RESULT)));
  await withProfile(async (profile) => {
    note("python_cold", await visit(profile, python, RESULT, { keep: true }));
    // Tables are seen once too before the visits that are warm.
    await visit(profile, kql, RESULT);
    note("kql_warm", await visit(profile, kql, RESULT));
    note("saved_warm", await visit(profile, saved, SAVED));
    note("python_warm", await visit(profile, python, RESULT, { use: pandas("import_pandas") }));
  });
}

/** In the page: the milliseconds of a first `import pandas` in a session that did not expect it. */
async function importPandas() {
  const begun = performance.now();
  spoor.run(spoor.cells[0].id, "import pandas");
  while (!spoor.finished) await new Promise((again) => setTimeout(again, 2));
  const [failed] = spoor.cells[0].outputs;
  if (failed) throw new Error(`import pandas: ${JSON.stringify(failed)}`);
  return performance.now() - begun;
}

async function open(site) {
  const server = await serve(site);
  const url = `${server.url}/`;
  try {
    return {
      typing: await notebook.typing(`${url}?nb=bench/long.ipynb`, { python: 250, kql: 251 }, 100),
      scrolling: await notebook.scrolling(`${url}?nb=bench/million.ipynb`, runs, 5),
      cells: await notebook.cells(`${url}?nb=bench/pandas.ipynb`, "import pandas", 2 * runs),
      autosave: await notebook.autosave(url, "bench/long.ipynb", NOTEBOOKS["long.ipynb"], runs),
    };
  } finally {
    await server.close();
  }
}

/** A copy of a folder that may be added to, of the same bytes on disk where the file system can. */
async function copy(from, to) {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    const out = path.join(to, path.relative(from, file));
    await mkdir(path.dirname(out), { recursive: true });
    await link(file, out).catch(() => copyFile(file, out));
  }
}

function version() {
  return withPage((page) => page.evaluate(() => /Chrome\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? navigator.userAgent));
}

/** Of each WebAssembly of the page: its size, and its brotli's where that lies beside it. */
async function sizes() {
  const size = async (file) => (await stat(file).catch(() => undefined))?.size ?? null;
  const named = async (name) => {
    const file = path.join(options.web, name);
    return [name, { raw: await size(file), brotli: await size(`${file}.br`) }];
  };
  return Object.fromEntries(await Promise.all(["page.wasm", "results.wasm", "driver.wasm", "kernel/kernel0.wasm", "kernel/kernel1.wasm"].map(named)));
}
