// Lays out the page: `node web/build.mjs --bindings DIR --assets DIR --out DIR [--data DIR] [--gallery DIR]
// [--brotli] [--site]`.
//
// DIR of --bindings is what wasm-bindgen wrote for the page and its worker; DIR of --assets holds `kernel/`,
// `python/` and `plugins/` as set-up made them. The site has the host's code of the kernel
// and of Python in parts, as `kernel.json` and `guest.json` list them, and Python's images. The folders that
// Python imports from are packed into one file each, so that a page fetches a few blocks and not
// thousands of files. `--data` adds a folder of data, whose files are the tables of every notebook. `--gallery`
// has the gallery's notebooks with their results.
// `--brotli` writes `FILE.br` beside what is worth it, for servers that send such files. `--site` makes
// a folder for any static host: large files in pieces, and a service worker (`site.mjs`).

import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { copyFile, link, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { constants, createBrotliCompress } from "node:zlib";

import * as esbuild from "esbuild";

import { dataIndex } from "./data-index.mjs";
import { BLOCK, LARGEST, checkOut, checkSizes, cut, cutPacked, manifest, sha256 } from "./site.mjs";

const web = path.dirname(fileURLToPath(import.meta.url));

const { values: options } = parseArgs({
  options: {
    bindings: { type: "string" },
    assets: { type: "string" },
    out: { type: "string" },
    data: { type: "string" },
    gallery: { type: "string" },
    brotli: { type: "boolean", default: false },
    site: { type: "boolean", default: false },
  },
});
for (const name of ["bindings", "assets", "out"]) {
  if (!options[name]) throw new Error(`--${name} DIR is missing`);
  options[name] = path.resolve(options[name]);
}

if (options.site) await checkOut(options.out);
for (const folder of ["kernel", "python"]) await mkdir(path.join(options.out, folder), { recursive: true });
await Promise.all([scripts(), page(), gallery(), plugins()]);
const mounts = [];
const site = { kernel: await kernel(), python: await python() };
if (options.site) site.service = "service.js";
await writeFile(path.join(options.out, "site.json"), JSON.stringify(site));
if (options.data) await data(path.resolve(options.data));
else if (options.site) await noData();
await uncompress(!options.brotli);
if (options.site) await service();
if (options.brotli) await compress();
if (options.site) await checkSizes(options.out);

/** The page's and the worker's scripts and the styles, each bundled into one file, with what is loaded late beside it. */
async function scripts() {
  await esbuild.build({
    entryPoints: {
      fetch: path.join(web, "fetch/js/fetch.mjs"),
      page: path.join(web, "page/js/page.mjs"),
      plugin: path.join(web, "worker/js/plugin.mjs"),
      results: path.join(web, "results/js/results.mjs"),
      style: path.join(web, "page/style/index.css"),
      worker: path.join(web, "worker/js/worker.mjs"),
    },
    outdir: options.out,
    bundle: true,
    splitting: true,
    chunkNames: "chunk-[hash]",
    format: "esm",
    target: "es2022",
    minify: true,
    alias: {
      "spoor:early": path.join(web, "page/js/early.mjs"),
      "spoor:fetch": path.join(options.bindings, "spoor_fetch.js"),
      "spoor:lazy": path.join(web, "page/js/lazy.mjs"),
      "spoor:msal": path.join(web, "msal/js/msal.mjs"),
      "spoor:page": path.join(options.bindings, "spoor_page.js"),
      "spoor:results": path.join(options.bindings, "spoor_results.js"),
      "spoor:driver": path.join(options.bindings, "spoor_worker.js"),
      "spoor:engines": path.join(web, "worker/js/engines.mjs"),
      "spoor:plugins": path.join(web, "worker/js/plugins.mjs"),
      "spoor:threads": path.join(web, "worker/js/threads.mjs"),
      "spoor:wasi": path.join(web, "worker/js/wasi.mjs"),
    },
    logLevel: "warning",
    // wasm-bindgen names the module once for each kind of import.
    logOverride: { "duplicate-object-key": "silent" },
  });
  // By itself: a window that opens to hand over one answer has a sixth to load of what it shares with the page.
  await esbuild.build({
    entryPoints: [path.join(web, "page/js/signin.mjs")],
    outdir: options.out,
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    logLevel: "warning",
  });
  for (const [name, to] of [["spoor_fetch", "fetch.wasm"], ["spoor_page", "page.wasm"], ["spoor_results", "results.wasm"], ["spoor_worker", "driver.wasm"]]) {
    await copyFile(path.join(options.bindings, `${name}_bg.wasm`), path.join(options.out, to));
  }
}

/** The service worker, which knows what the site is made of. */
async function service() {
  await esbuild.build({
    entryPoints: [path.join(web, "page/js/service.mjs")],
    outfile: path.join(options.out, "service.js"),
    bundle: true,
    format: "iife",
    target: "es2022",
    minify: true,
    define: { BUILD: JSON.stringify(await manifest(options.out, site, mounts)) },
    logLevel: "warning",
  });
}

async function page() {
  for (const name of ["index.html", "frame.html", "signin.html"]) await copyFile(path.join(web, "page", name), path.join(options.out, name));
}

/** The gallery's notebooks, and `gallery/index.json`: what each says of itself, as `gallery::Entry` in spoor-model has it. */
async function gallery() {
  const from = path.resolve(options.gallery ?? path.join(web, "gallery"));
  const to = path.join(options.out, "gallery");
  await mkdir(to, { recursive: true });
  const names = (await readdir(from)).filter((name) => name.endsWith(".ipynb")).sort();
  const index = [];
  for (const file of names) {
    await copyFile(path.join(from, file), path.join(to, file));
    const { metadata } = JSON.parse(await readFile(path.join(from, file), "utf8"));
    const about = metadata.spoor ?? {};
    const { title = metadata.title ?? file, description, author, data_types, data_sources, tags, revised } = about;
    index.push({ file, title, description, author, data_types, data_sources, tags, revised });
  }
  await writeFile(path.join(to, "index.json"), JSON.stringify(index));
}

/**
 * The registry of the plugins that ship, as the assets have it: `plugins/index.json`, and the modules that it lists. Without
 * one, `[]` says so, that a page need not ask for more.
 */
async function plugins() {
  const from = path.join(options.assets, "plugins");
  const to = path.join(options.out, "plugins");
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  const list = path.join(from, "index.json");
  const index = existsSync(list) ? await readFile(list, "utf8") : "[]";
  await writeFile(path.join(to, "index.json"), index);
  for (const { versions } of Object.values(JSON.parse(index).index?.plugins ?? {})) {
    for (const { file } of versions) {
      await mkdir(path.dirname(path.join(to, file)), { recursive: true });
      await copyFile(path.join(from, file), path.join(to, file));
    }
  }
}

/** The data, and `data/index.json`: the sources that a page offers its session. */
async function data(from) {
  const to = path.join(options.out, "data");
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  const index = await dataIndex(from);
  for (const source of index) {
    const file = path.join(from, source.file);
    if (options.site) source.sha256 = await sha256(file);
    if (!options.site || source.bytes <= LARGEST) await share(file, path.join(to, source.file));
    else Object.assign(source, { block: LARGEST, pieces: await cut(options.out, await readFile(file)) });
  }
  await writeFile(path.join(to, "index.json"), JSON.stringify(index));
}

/** A site says that it has no data, so that a page need not ask the server. */
async function noData() {
  await mkdir(path.join(options.out, "data"), { recursive: true });
  await writeFile(path.join(options.out, "data/index.json"), "[]");
}

/** A file of the assets, put into the site under the same name; or under that name in packed pieces. */
async function asset(name) {
  const from = path.join(options.assets, name);
  const to = path.join(options.out, name);
  if (options.site) {
    await rm(to, { force: true });
    const gzip = await cutPacked(options.out, await readFile(from));
    return { url: name, bytes: (await stat(from)).size, sha256: await sha256(from), gzip };
  }
  await share(from, to);
  return { url: name, bytes: (await stat(to)).size, sha256: await sha256(to) };
}

/** The file in a second place: the same bytes on disk where the file system can, else a copy. */
async function share(from, to) {
  await rm(to, { force: true });
  await link(from, to).catch(() => copyFile(from, to));
}

/** The kernel's parts, as `kernel.json` lists them. */
async function kernel() {
  const { parts } = JSON.parse(await readFile(path.join(options.assets, "kernel/kernel.json"), "utf8"));
  return Promise.all(parts.map((file) => asset(`kernel/${file}`)));
}

/** The Python guest as `guest.json` describes it, its folders packed. */
async function python() {
  const guest = JSON.parse(await readFile(path.join(options.assets, "python/guest.json"), "utf8"));
  for (const mount of guest.mounts) mounts.push(await packed(mount));
  const list = path.join(options.out, "python/mounts.json");
  await writeFile(list, JSON.stringify(mounts));
  const environment = Object.entries(guest.environment).map(([name, value]) => `${name}=${value}`);
  return {
    parts: await Promise.all(guest.web.parts.map(({ file }) => asset(`python/${file}`))),
    images: Object.fromEntries(await Promise.all(Object.entries(guest.web.images).map(image))),
    mounts: { url: "python/mounts.json", bytes: (await stat(list)).size },
    environment,
    interrupt: guest.interrupt,
  };
}

/** One of the guest's memories. */
async function image([name, { file, memory, runs, parts }]) {
  return [name, { ...(await asset(`python/${file}`)), memory, runs, parts }];
}

/** One folder of the guest, its files one after the other in one file of the site, or in pieces. */
async function packed({ guest, dir, files }) {
  if (dir === undefined) return { path: guest, writable: true };
  const name = `python/${dir.replaceAll("/", "-")}.pack`;
  const out = path.join(options.out, name);
  const entries = [];
  const contents = [];
  let offset = 0;
  for (const { file, bytes } of files) {
    entries.push([path.relative(dir, file), offset, bytes]);
    offset += bytes;
    contents.push(await readFile(path.join(options.assets, "python", file)));
  }
  const pack = { path: guest, url: name, bytes: offset, files: entries };
  await rm(out, { force: true });
  if (options.site) return { ...pack, block: BLOCK, pieces: await cut(options.out, Buffer.concat(contents), BLOCK) };
  await writeFile(out, contents);
  return pack;
}

/**
 * Removes what an earlier build compressed, all of it or what is older than its file: a server
 * would send it in place of the new files.
 */
async function uncompress(all) {
  const files = await readdir(options.out, { recursive: true });
  for (const file of files.filter((name) => name.endsWith(".br")).map((name) => path.join(options.out, name))) {
    const whole = await stat(file.slice(0, -3)).catch(() => undefined);
    if (all || !whole || (await stat(file)).mtimeMs <= whole.mtimeMs) await rm(file);
  }
}

/** Brotli beside every file that a page loads whole. Files that are up to date are left alone. */
async function compress() {
  const names = await readdir(options.out, { recursive: true });
  // Pieces are packed already, as most data is; packs are read in parts.
  const whole = names.filter((name) => /\.(html|js|css|json|ipynb|wasm|pages)$/.test(name) && !name.startsWith("data/"));
  for (const name of whole) {
    const file = path.join(options.out, name);
    const { size, mtimeMs } = await stat(file);
    if (existsSync(`${file}.br`) && (await stat(`${file}.br`)).mtimeMs > mtimeMs) continue;
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: size > 20e6 ? 9 : 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: size,
    };
    await pipeline(createReadStream(file), createBrotliCompress({ params }), createWriteStream(`${file}.br`));
  }
}
