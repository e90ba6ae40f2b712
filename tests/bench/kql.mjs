// The queries of tests/bench/kql in Chromium: Spoor's kernel beside DuckDB-Wasm, over the same rows in the memory of each.
//
//   node tests/bench/kql.mjs --site DIR --tables DIR --streams DIR [--runs 5] [--only QUERY,...]
//
// DIR of --site is what `cargo xtask site` made; of --tables what `rows.py` wrote, of --streams the same as Arrow streams
// (`rows.py FOLDER ROWS streams`). DuckDB-Wasm takes streams, since it reads Parquet and JSON with extensions that are no part of its package
// and are fetched from a server of its own; the queries of dynamic columns, which are JSON there, are Spoor's alone for that reason. Spoor's times
// are from asking the page to its cell's end; DuckDB-Wasm's from the call to the Arrow table. Before its runs are counted a query is run by both,
// which has Spoor read the table, and must have as many rows from both; that the rows are the same, `duckdb_query.py` has seen natively. Writes
// one JSON object: the milliseconds of each run, by query.

import { readFile, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { until, withPage } from "../browser/browser.mjs";
import { serve } from "../browser/server.mjs";
import { dataIndex } from "../../web/data-index.mjs";

const { values: options } = parseArgs({
  options: {
    site: { type: "string" }, tables: { type: "string" }, streams: { type: "string" },
    runs: { type: "string", default: "5" }, only: { type: "string", default: "" },
  },
});
for (const name of ["site", "tables", "streams"]) if (!options[name]) throw new Error(`--${name} is missing`);
const runs = Number(options.runs);

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const duckdb = fileURLToPath(new URL("./kql/node_modules/@duckdb/duckdb-wasm/dist", import.meta.url));
const queries = fileURLToPath(new URL("kql/", import.meta.url));

/** Queries of what DuckDB-Wasm has no functions for without an extension. */
const JSON_QUERIES = ["mv_expand", "dynamic"];

/** The modules that DuckDB-Wasm's own imports name, bundled by the build's own tool. */
async function bundled() {
  const { build } = require("esbuild");
  const { outputFiles } = await build({
    entryPoints: [path.join(duckdb, "duckdb-browser.mjs")], bundle: true, format: "esm", write: false,
  });
  return outputFiles[0].text;
}

const PAGE = `<!doctype html><title>DuckDB-Wasm</title><script type="module">
  import * as duckdb from "/duckdb.mjs";
  const worker = new Worker("/duckdb/duckdb-browser-eh.worker.js");
  const database = new duckdb.AsyncDuckDB(new duckdb.VoidLogger(), worker);
  await database.instantiate("/duckdb/duckdb-eh.wasm");
  const connection = await database.connect();
  globalThis.version = await database.getVersion();
  globalThis.load = async (name) => {
    const bytes = new Uint8Array(await (await fetch("/streams/" + name + ".arrows")).arrayBuffer());
    await connection.insertArrowFromIPCStream(bytes, { name });
  };
  globalThis.ask = async (sql) => {
    const begun = performance.now();
    const table = await connection.query(sql);
    return { time: performance.now() - begun, rows: table.numRows };
  };
  globalThis.ready = true;
</script>`;

/** In Spoor's page: the milliseconds of a cell, and the HTML that it gave. */
async function ask(source) {
  const begun = performance.now();
  spoor.run("q", source);
  while (!spoor.finished) await new Promise((again) => setTimeout(again, 1));
  const time = performance.now() - begun;
  const html = spoor.cells[0].outputs[0]?.data?.["text/html"];
  if (!html) throw new Error(JSON.stringify(spoor.cells[0].outputs));
  return { time, html };
}

/** The names of the queries to run. */
async function wanted() {
  const names = (await readdir(queries)).filter((file) => file.endsWith(".kql")).map((file) => file.slice(0, -4));
  return names.filter((name) => options.only === "" || options.only.split(",").includes(name));
}

const read = (name, end) => readFile(path.join(queries, `${name}.${end}`), "utf8");

async function measure(ours, theirs, name) {
  const [kql, sql] = [await read(name, "kql"), await read(name, "sql")];
  const alone = JSON_QUERIES.includes(name);
  const asked = { ours: () => ours.evaluate(ask, `%%kql\n${kql}`), theirs: () => theirs.evaluate((sql) => globalThis.ask(sql), sql) };
  const { html } = await ours.evaluate(ask, `%%kql\n${kql}\n| count`);
  const count = Number(html.match(/>(\d+)<\/td>/)?.[1]);
  const other = alone ? count : (await asked.theirs()).rows;
  if (!(count > 0) || count !== other) throw new Error(`${name}: Spoor has ${count} rows, DuckDB-Wasm ${other}`);
  const figures = { ours: [], theirs: [] };
  for (let run = 0; run < runs; run++) {
    figures.ours.push((await asked.ours()).time);
    if (!alone) figures.theirs.push((await asked.theirs()).time);
  }
  return figures;
}

const cell = { cell_type: "code", id: "q", metadata: {}, execution_count: null, outputs: [], source: "" };
const site = await serve(options.site, {
  mounts: { "/data/": options.tables, "/streams/": options.streams, "/duckdb/": duckdb },
  texts: {
    "/data/index.json": JSON.stringify(await dataIndex(options.tables)),
    "/kql.ipynb": JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [cell] }),
    "/duckdb.html": PAGE,
    "/duckdb.mjs": await bundled(),
  },
});
try {
  await withPage((ours) => withPage(async (theirs) => {
    await ours.goto(`${site.url}/?nb=kql.ipynb`);
    await until(ours, () => globalThis.spoor?.cells.length > 0 && spoor.state === "idle");
    await theirs.goto(`${site.url}/duckdb.html`);
    await until(theirs, () => globalThis.ready);
    for (const file of await readdir(options.streams)) await theirs.evaluate((name) => globalThis.load(name), file.replace(/\.arrows$/, ""));
    const figures = { duckdb: await theirs.evaluate(() => globalThis.version), queries: {} };
    for (const name of await wanted()) figures.queries[name] = await measure(ours, theirs, name);
    console.log(JSON.stringify(figures, (_, value) => (typeof value === "number" ? Math.round(value * 100) / 100 : value), 1));
  }));
} finally {
  await site.close();
}
