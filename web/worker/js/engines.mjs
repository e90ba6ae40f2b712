// Downloads: what was asked for early, progress, files that a site has in pieces, and what is kept
// from visit to visit. The worker's Rust code imports this module by the name "spoor:engines".
//
// Engines and pieces are named by their SHA-256 and kept in a cache that this module alone writes,
// and that the service worker (`page/js/service.mjs`) reads and clears of what a new build does not
// use. The browser's cache writes while the bytes are wanted, which is a quarter of a first visit's
// loading; this one is written when they have long been used.

const CACHE = "spoor-engines";
/** Milliseconds after something has arrived until it is kept. */
const LATER = 5000;

const begun = new Map();
const known = new Map();

/**
 * Takes note of files of the site: their SHA-256, and how they are in pieces, raw (`pieces` of
 * `block` bytes) or each packed for itself (`gzip`).
 */
export function know(assets) {
  for (const asset of assets) known.set(asset.url, asset);
}

/** All that was noted, for another thread to note. */
export function allKnown() {
  return [...known.values()];
}

/** What the site says of the file at `url`; nothing of one that it does not know. */
export function about(url) {
  return known.get(url) ?? {};
}

/** Starts to fetch an asset, so that a later `begin` of the same finds it under way. */
export function prefetch({ url, sha256 }) {
  if (begun.has(url)) return;
  const response = find(url, sha256);
  response.catch(() => {});
  begun.set(url, response);
}

/** The response for `url`: the one that `prefetch` began, or a new one. */
export function begin(url, sha256) {
  const response = begun.get(url) ?? find(url, sha256);
  begun.delete(url);
  return response;
}

/** The asset as it was kept, or from the server. Only what has a digest is ever kept. */
async function find(url, sha256 = about(url).sha256) {
  // Browsers have no caches for pages of insecure origins.
  if (!sha256 || !globalThis.caches) return download(url);
  const kept = await caches.match(name(url, sha256), { cacheName: CACHE }).catch(() => undefined);
  if (kept) return kept;
  const response = await download(url, { cache: "no-store" });
  if (response.ok) toKeep.set(response, { url, sha256 });
  return response;
}

const toKeep = new WeakMap();
const name = (url, sha256) => `${url}?sha256=${sha256}`;

/** The response for a file, or for its pieces as if they were one file. */
async function download(url, options) {
  const { gzip, pieces } = about(url);
  if (!gzip && !pieces) return fetch(url, options);
  const responses = (gzip ?? pieces).map((piece) => fetch(piece, options));
  // What fails later is told where it is read.
  for (const response of responses) response.catch(() => {});
  const first = await responses[0];
  if (!first.ok) return first;
  if (responses.length === 1) return new Response(await unpacked(first, gzip));
  const { readable, writable } = new TransformStream();
  pour(responses, gzip, writable).catch(() => {});
  return new Response(readable);
}

/**
 * A piece's bytes. Where the server has named the packing the browser has unpacked them already. The
 * bytes tell, as a header may also be of packing that some server added.
 */
async function unpacked({ body }, gzip) {
  if (!gzip) return body;
  const [look, whole] = body.tee();
  const reader = look.getReader();
  const { value } = await reader.read();
  reader.cancel().catch(() => {});
  return isGzip(value) ? whole.pipeThrough(new DecompressionStream("gzip")) : whole;
}

/** Whether the bytes begin as gzip's do. No engine does. */
export function isGzip(bytes) {
  return bytes?.[0] === 0x1f && bytes[1] === 0x8b;
}

/** Writes the responses' bodies one after the other, and the first failure in their place. */
async function pour(responses, gzip, writable) {
  try {
    for (const waited of responses) {
      const response = await waited;
      if (!response.ok) throw new Error(`the server answered ${response.status} for ${response.url}`);
      await (await unpacked(response, gzip)).pipeTo(writable, { preventClose: true });
    }
    await writable.close();
  } catch (error) {
    await writable.abort(error);
  }
}

/** The response with its decoded bytes counted as they pass: `progress(bytes)` for each part. */
export function counted(response, type, progress) {
  const engine = toKeep.get(response);
  const parts = [];
  const count = new TransformStream({
    transform(part, out) {
      progress(part.length);
      if (engine) parts.push(part);
      out.enqueue(part);
    },
    flush() {
      if (engine) later(() => keepEngine(engine, parts, type));
    },
  });
  return new Response(response.body.pipeThrough(count), { headers: { "Content-Type": type } });
}

/** Keeps an engine in place of its earlier versions, if its bytes are those that its name promises. */
async function keepEngine({ url, sha256 }, parts, type) {
  const bytes = new Blob(parts, { type });
  if ((await digest(await bytes.arrayBuffer())) !== sha256) throw new Error(`${url} is not the file that the page was built with; it is not kept`);
  const cache = await caches.open(CACHE);
  const path = new URL(url, location.href).pathname;
  for (const old of await cache.keys()) if (new URL(old.url).pathname === path) await cache.delete(old);
  await cache.put(name(url, sha256), new Response(bytes, { headers: { "Content-Type": type } }));
}

/**
 * Keeps what was fetched while nothing could wait, later, if it is not kept yet: a piece, or a whole
 * file that the site gives a SHA-256.
 */
export function keepFetched(url, bytes) {
  if (!globalThis.caches) return;
  const { sha256 } = about(url);
  const key = sha256 ? name(url, sha256) : url;
  later(async () => {
    const cache = await caches.open(CACHE);
    if (await cache.match(key)) return;
    // A piece is named by the beginning of its digest.
    const promised = sha256 ?? /([0-9a-f]{32})\.\w+$/.exec(url)?.[1];
    if (!promised || !(await digest(bytes)).startsWith(promised)) throw new Error(`${url} is not what its name says; it is not kept`);
    await cache.put(key, new Response(bytes));
  });
}

function later(keep) {
  setTimeout(() => keep().catch((error) => console.warn(`Spoor: ${error}`)), LATER);
}

/** SHA-256 in hexadecimal. */
async function digest(bytes) {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
