// A small static file server for the browser tests and benchmarks.
//
// It behaves as an ordinary static host does and no better: files by path, MIME types by
// extension, Range requests, and `FILE.br` sent with `Content-Encoding: br` where that file is
// there and the browser takes it. It sets no special headers, since the page must work without; with
// `isolated: true` it sets those that make a page cross-origin isolated (COOP, COEP), but for the paths of `opened`, which have no
// COOP. Loopback only. `mounts` lay further folders over the root by URL prefix,
// `texts` single files by URL path; with `ranges: false` no Range request is answered.
// `node tests/browser/server.mjs DIR [PORT]` serves a folder until it is stopped.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** What makes a page cross-origin isolated. */
const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".ipynb": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/**
 * Serves `root` on 127.0.0.1 and a free port (or `port`).
 * Resolves to `{ url, sent, close }`: `sent()` is the number of body bytes sent so far.
 */
export async function serve(root, { port = 0, mounts = {}, texts = {}, ranges = true, isolated = false, opened = [] } = {}) {
  const counter = { bytes: 0 };
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(isolated ? ISOLATED : {})) response.setHeader(name, value);
    if (opened.includes(new URL(request.url, "http://x").pathname)) response.removeHeader("Cross-Origin-Opener-Policy");
    answer(request, response, { root, mounts, texts, ranges }, counter).catch((error) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise((ready) => server.listen(port, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    sent: () => counter.bytes,
    close: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }),
  };
}

async function answer(request, response, { root, mounts, texts, ranges }, counter) {
  const { pathname } = new URL(request.url, "http://x");
  if (pathname in texts) {
    response.writeHead(200, { "Content-Type": TYPES[path.extname(pathname)] ?? "text/plain" });
    return void response.end(texts[pathname]);
  }
  const file = locate(pathname, root, mounts);
  const found = file && (await existing(file));
  if (!found) return void response.writeHead(404, { "Content-Length": 0 }).end();
  const headers = { "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream" };
  const range = ranges && /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  if (range) return sendRange(response, file, found.size, range, headers, counter, request.method);
  const packed = /\bbr\b/.test(request.headers["accept-encoding"] ?? "") && (await existing(`${file}.br`));
  if (packed) Object.assign(headers, { "Content-Encoding": "br", Vary: "Accept-Encoding" });
  if (ranges) headers["Accept-Ranges"] = "bytes";
  headers["Content-Length"] = packed ? packed.size : found.size;
  response.writeHead(200, headers);
  send(response, packed ? `${file}.br` : file, {}, counter, request.method);
}

/** The file that a URL's path names; undefined where the path would leave its folder. */
function locate(pathname, root, mounts) {
  let name = decodeURIComponent(pathname);
  if (name.endsWith("/")) name += "index.html";
  const prefix = Object.keys(mounts).find((p) => name.startsWith(p));
  const base = path.resolve(prefix ? mounts[prefix] : root);
  const file = path.resolve(base, `.${path.sep}${prefix ? name.slice(prefix.length) : name}`);
  return file.startsWith(base + path.sep) ? file : undefined;
}

async function existing(file) {
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() ? found : undefined;
}

function sendRange(response, file, size, range, headers, counter, method) {
  const start = Number(range[1]);
  const end = Math.min(range[2] === "" ? size - 1 : Number(range[2]), size - 1);
  if (start > end) return void response.writeHead(416, { "Content-Range": `bytes */${size}` }).end();
  headers["Content-Range"] = `bytes ${start}-${end}/${size}`;
  headers["Content-Length"] = end - start + 1;
  response.writeHead(206, headers);
  send(response, file, { start, end }, counter, method);
}

function send(response, file, options, counter, method) {
  if (method === "HEAD") return void response.end();
  const stream = createReadStream(file, { ...options, highWaterMark: 1 << 20 });
  stream.on("data", (part) => { counter.bytes += part.length; });
  stream.on("error", () => response.destroy());
  stream.pipe(response);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [root, port] = process.argv.slice(2);
  if (!root) throw new Error("name the folder to serve: node tests/browser/server.mjs DIR [PORT]");
  console.log(`Serving ${root} at ${(await serve(root, { port: Number(port ?? 0) })).url}`);
}
