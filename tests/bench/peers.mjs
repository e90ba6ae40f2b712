// Spoor's page beside npm `pyodide` and JupyterLite: cold visits in turn, from one server that sends
// brotli where it lies beside a file, which it does for the peers' files.

import { existsSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

import { serve } from "../browser/server.mjs";
import { visit, withProfile } from "./visit.mjs";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const pyodide = path.dirname(require.resolve("pyodide/package.json"));

/** A page with the bare interpreter: `loadPyodide` and `runPython` in a worker. */
const PAGE = {
  "/pyodide.html": `<!doctype html><title>Pyodide</title><body><pre class="outputs"></pre><script type="module">
    const worker = new Worker("pyodide-worker.mjs", { type: "module" });
    worker.onmessage = ({ data }) => { document.querySelector("pre").textContent += data; };
  </script>`,
  "/pyodide-worker.mjs": `import { loadPyodide } from "/pyodide/pyodide.mjs";
    const python = await loadPyodide({ indexURL: "/pyodide/", stdout: (line) => postMessage(line + "\\n") });
    python.runPython("print(1 + 1)");`,
};

/** In JupyterLite. Its console runs what its address says; a notebook only opens. */
const LITE = {
  saved: { url: "/lite/notebooks/index.html?path=saved.ipynb", wanted: { selector: ".jp-OutputArea-output", text: "\\w" } },
  python: { url: "/lite/repl/index.html?kernel=python&toolbar=0&code=print(1%20%2B%201)&execute=1", wanted: { selector: ".jp-OutputArea-output", text: "(^|[^0-9])2([^0-9]|$)" } },
};

/** `{ spoor_python, spoor_saved, pyodide, lite_python, lite_saved }`: times, and bytes sent, of `runs` cold visits. */
export async function peers({ site, saved, jupyterlite, runs, RESULT, SAVED }) {
  const packed = await compressed(pyodide);
  const mounts = { "/pyodide/": packed };
  if (jupyterlite) {
    await writeFile(path.join(jupyterlite, "files/saved.ipynb"), saved);
    await compressAll(jupyterlite);
    mounts["/lite/"] = jupyterlite;
  }
  const server = await serve(site, { mounts, texts: PAGE });
  const cases = {
    spoor_python: ["/?nb=bench/python.ipynb&run", RESULT],
    pyodide_python: ["/pyodide.html", RESULT],
    ...(jupyterlite && { lite_python: [LITE.python.url, LITE.python.wanted] }),
    spoor_saved: ["/?nb=bench/saved.ipynb", SAVED],
    ...(jupyterlite && { lite_saved: [LITE.saved.url, LITE.saved.wanted] }),
  };
  const results = Object.fromEntries(Object.keys(cases).map((name) => [name, { seen: [], paint: [], sent: [] }]));
  try {
    for (let run = 0; run < runs; run++) {
      for (const [name, [url, wanted]] of Object.entries(cases)) {
        const result = results[name];
        if (result.failed) continue;
        const before = server.sent();
        const figures = withProfile((profile) => visit(profile, server.url + url, wanted));
        // A peer that shows nothing is told of, and keeps nothing from being measured.
        const { seen, paint, failed } = name.startsWith("spoor") ? await figures : await figures.catch((error) => ({ failed: error.message }));
        if (failed) {
          result.failed = failed;
          continue;
        }
        result.seen.push(seen);
        result.paint.push(paint);
        result.sent.push(server.sent() - before);
      }
    }
  } finally {
    await server.close();
    await rm(packed, { recursive: true, force: true });
  }
  const { version } = JSON.parse(await readFile(path.join(pyodide, "package.json"), "utf8"));
  return { pyodide_version: version, ...results };
}

/** A copy of a package's files with brotli beside those that a browser loads whole. */
async function compressed(folder) {
  const out = await mkdtemp(path.join(tmpdir(), "spoor-pyodide-"));
  for (const name of await readdir(folder)) {
    if (!/\.(m?js|wasm|zip|json)$/.test(name)) continue;
    const bytes = await readFile(path.join(folder, name));
    await writeFile(path.join(out, name), bytes);
    await compress(path.join(out, name), bytes);
  }
  return out;
}

/** Brotli beside the files of a folder that gain by it, where it is not yet. */
async function compressAll(folder) {
  for (const name of await readdir(folder, { recursive: true })) {
    const file = path.join(folder, name);
    if (/\.(m?js|wasm|zip|json|css|html)$/.test(name) && !existsSync(`${file}.br`)) await compress(file, await readFile(file));
  }
}

async function compress(file, bytes) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 };
  await writeFile(`${file}.br`, brotliCompressSync(bytes, { params }));
}
