// First results in a browser, cold: Spoor's page beside npm `pyodide`, same Chromium, same server.
//
//   node tests/bench/browser.mjs --site DIR [--runs 5]
//
// Measures from navigation start, in a fresh profile each time, until the page shows
// - `print(1 + 1)` run by Spoor's page, and by Pyodide (loadPyodide and runPython in a worker),
// - the result of `print 1 + 1` in KQL.
// The runs alternate. Both sides' files are served precompressed where a `.br` lies beside them;
// Pyodide's are compressed here. Writes one JSON object to standard output: medians and all runs in
// milliseconds, and the bytes that the server sent.

import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants } from "node:zlib";

import { until, withPage } from "../browser/browser.mjs";
import { serve } from "../browser/server.mjs";

const { values: options } = parseArgs({ options: { site: { type: "string" }, runs: { type: "string", default: "5" } } });
if (!options.site) throw new Error("--site is missing");
const require = createRequire(new URL("../../web/package.json", import.meta.url));
const pyodide = path.dirname(require.resolve("pyodide/package.json"));

const notebook = (source) => JSON.stringify({
  nbformat: 4, nbformat_minor: 5, metadata: {},
  cells: [{ cell_type: "code", id: "first", metadata: {}, execution_count: null, outputs: [], source }],
});
const texts = {
  "/data/index.json": "[]",
  "/bench/python.ipynb": notebook("print(1 + 1)"),
  "/bench/kql.ipynb": notebook("%%kql\nprint 1 + 1"),
  "/pyodide.html": `<!doctype html><title>Pyodide</title><body><pre class="outputs"></pre><script type="module">
    const worker = new Worker("pyodide-worker.mjs", { type: "module" });
    worker.onmessage = ({ data }) => { document.querySelector("pre").textContent += data; };
  </script>`,
  "/pyodide-worker.mjs": `import { loadPyodide } from "/pyodide/pyodide.mjs";
    const python = await loadPyodide({ indexURL: "/pyodide/", stdout: (line) => postMessage(line + "\\n") });
    python.runPython("print(1 + 1)");`,
};

const packed = await compressed(pyodide);
const server = await serve(options.site, { texts, mounts: { "/pyodide/": packed } });
const cases = {
  spoor_python: "/?nb=bench/python.ipynb&run",
  pyodide: "/pyodide.html",
  spoor_kql: "/?nb=bench/kql.ipynb&run",
};
const results = Object.fromEntries(Object.keys(cases).map((name) => [name, { ms: [], bytes: 0 }]));
try {
  for (let run = 0; run < Number(options.runs); run++) {
    for (const [name, url] of Object.entries(cases)) {
      const before = server.sent();
      results[name].ms.push(await firstResult(server.url + url));
      results[name].bytes = server.sent() - before;
    }
  }
} finally {
  await server.close();
  await rm(packed, { recursive: true, force: true });
}
for (const result of Object.values(results)) result.median_ms = median(result.ms);
console.log(JSON.stringify({
  browser: await version(),
  pyodide_version: JSON.parse(await readFile(path.join(pyodide, "package.json"), "utf8")).version,
  kernel_bytes: await sizes("kernel.wasm"),
  ...results,
}, null, 2));

/** Milliseconds from navigation start until the first output that holds a 2 is in the page. */
async function firstResult(url) {
  return withPage(async (page) => {
    await page.addInitScript(() => {
      // Text, or an HTML output whose frame has been laid out and has told its height.
      const shown = (output) => /\b2\b/.test(output.textContent) || (output.style.height && />2</.test(output.srcdoc ?? ""));
      const look = () => {
        if (!globalThis.firstResult && [...document.querySelectorAll(".outputs, .outputs > *")].some(shown)) {
          globalThis.firstResult = performance.now();
        }
      };
      const everything = { subtree: true, childList: true, characterData: true, attributes: true };
      new MutationObserver(look).observe(document, everything);
    });
    await page.goto(url);
    // Seldom, so that asking does not slow what is measured.
    await until(page, () => globalThis.firstResult > 0, undefined, 120_000, 500);
    return page.evaluate(() => Math.round(globalThis.firstResult));
  });
}

/** A copy of a package's files with brotli beside those that a browser loads whole. */
async function compressed(folder) {
  const out = await mkdtemp(path.join(tmpdir(), "spoor-pyodide-"));
  for (const name of await readdir(folder)) {
    if (!/\.(m?js|wasm|zip|json)$/.test(name)) continue;
    const bytes = await readFile(path.join(folder, name));
    await writeFile(path.join(out, name), bytes);
    const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 };
    await writeFile(path.join(out, `${name}.br`), brotliCompressSync(bytes, { params }));
  }
  return out;
}

function version() {
  return withPage((page) => page.evaluate(() => /Chrome\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? navigator.userAgent));
}

async function sizes(name) {
  const size = async (file) => (await stat(file).catch(() => undefined))?.size ?? null;
  const file = path.join(options.site, name);
  return { raw: await size(file), brotli: await size(`${file}.br`) };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
