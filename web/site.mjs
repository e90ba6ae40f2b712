// What makes a folder fit for any static file server: large files cut into pieces, and the service
// worker that keeps them for the next visit. Used by `build.mjs --site`.
//
// Pieces are named by their own bytes, so that a server and every cache on the way may keep them for
// ever, and two builds never share a name for different bytes. Plain servers compress nothing that
// they do not know, so what gains by it is compressed here and unpacked by the page.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";

const pack = promisify(gzip);

/** The largest file in a site. Common hosts take 25 MB, some of them by the decimal count. */
export const LARGEST = 20e6;

/** Files of a folder are read in blocks of this many bytes, a piece each (`web/worker/js/wasi.mjs`). */
export const BLOCK = 1 << 20;

/** Where a site's pieces are. */
const FOLDER = "pieces";

/** The URLs of pieces of at most `size` bytes that hold `bytes`, written below `out`. */
export async function cut(out, bytes, size = LARGEST) {
  const urls = [];
  for (let at = 0; at < Math.max(bytes.length, 1); at += size) urls.push(await put(out, bytes.subarray(at, at + size), "bin"));
  return urls;
}

/**
 * As `cut`, with each piece packed by gzip for itself: where a server says so in `Content-Encoding`,
 * the browser unpacks it before the page sees it.
 */
export async function cutPacked(out, bytes) {
  const packed = await pack(bytes, { level: constants.Z_BEST_COMPRESSION, memLevel: 9 });
  if (packed.length <= LARGEST) return [await put(out, packed, "gz")];
  const middle = bytes.length >> 1;
  return [...(await cutPacked(out, bytes.subarray(0, middle))), ...(await cutPacked(out, bytes.subarray(middle)))];
}

/** Writes a piece by the name of its bytes. */
async function put(out, piece, extension) {
  await mkdir(path.join(out, FOLDER), { recursive: true });
  const name = createHash("sha256").update(piece).digest("hex").slice(0, 32);
  const url = `${FOLDER}/${name}.${extension}`;
  await writeFile(path.join(out, url), piece);
  return url;
}

/**
 * The service worker's list of the site in `out`, once all else is there: `shell` is kept at its
 * installation, `files` when they are used, both as SHA-256 by path; `engines` are what the engines'
 * cache may hold; `id` names the build. Pieces that nothing names any more are removed.
 */
export async function manifest(out, site, mounts) {
  const index = JSON.parse(await readFile(path.join(out, "data/index.json"), "utf8"));
  const engines = [...site.kernel, ...site.python.parts, ...Object.values(site.python.images), ...index];
  const list = { shell: {}, files: {}, engines: engines.map(({ url, sha256 }) => `${url}?sha256=${sha256}`) };
  const used = new Set([...engines, ...mounts].flatMap(({ pieces, gzip }) => [...(pieces ?? []), ...(gzip ?? [])]));
  list.engines.push(...used);
  for (const entry of (await readdir(out, { recursive: true, withFileTypes: true })).filter((found) => found.isFile())) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    const name = path.relative(out, file).replaceAll(path.sep, "/");
    if (name.startsWith(`${FOLDER}/`) && !used.has(name)) await rm(file);
    else if (name.startsWith(`${FOLDER}/`) || name === "service.js" || name.endsWith(".br")) continue;
    else if (name.startsWith("data/") && name !== "data/index.json") list.files[name] = await sha256(file);
    else list.shell[name] = await sha256(file);
  }
  const id = createHash("sha256").update(JSON.stringify(list)).digest("hex").slice(0, 16);
  return { id, ...list };
}

/** Fails where `out` holds what no earlier site left there: all of a site's folder is served and kept. */
export async function checkOut(out) {
  const there = await readdir(out).catch(() => []);
  if (there.length > 0 && !there.includes("site.json")) {
    throw new Error(`${out} holds other files than a site's; name a new folder with --out`);
  }
}

/** Fails where a file of the site is larger than common hosts take. */
export async function checkSizes(out) {
  for (const name of await readdir(out, { recursive: true })) {
    const { size } = await stat(path.join(out, name));
    if (size > LARGEST) throw new Error(`${name} has ${(size / 1e6).toFixed(1)} MB; a file of a site may have ${LARGEST / 1e6}`);
  }
}

/** A file's SHA-256 in hexadecimal. */
export async function sha256(file) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
