// Downloads: what was asked for early, progress, and the engines kept from visit to visit. The
// worker's Rust code imports this module by the name "spoor:engines".
//
// An engine is named by its SHA-256 and kept in a cache of the page's own. The browser's cache writes
// while the bytes are wanted, which is a quarter of a first visit's loading; this one is written when
// they have long been used.

const CACHE = "spoor-engines";
/** Milliseconds after an engine has arrived until it is kept. */
const LATER = 5000;

const begun = new Map();

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
async function find(url, sha256) {
  // Browsers have no caches for pages of insecure origins.
  if (!sha256 || !globalThis.caches) return fetch(url);
  const kept = await caches.match(name(url, sha256), { cacheName: CACHE }).catch(() => undefined);
  if (kept) return kept;
  const response = await fetch(url, { cache: "no-store" });
  if (response.ok) toKeep.set(response, { url, sha256 });
  return response;
}

const toKeep = new WeakMap();
const name = (url, sha256) => `${url}?sha256=${sha256}`;

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
      if (engine) setTimeout(() => keep(engine, parts, type).catch((error) => console.warn(`Spoor: ${error}`)), LATER);
    },
  });
  return new Response(response.body.pipeThrough(count), { headers: { "Content-Type": type } });
}

/** Keeps an engine in place of its earlier versions, if its bytes are those that its name promises. */
async function keep({ url, sha256 }, parts, type) {
  const bytes = new Blob(parts, { type });
  if ((await digest(bytes)) !== sha256) throw new Error(`${url} is not the file that the page was built with; it is not kept`);
  const cache = await caches.open(CACHE);
  const path = new URL(url, location.href).pathname;
  for (const old of await cache.keys()) if (new URL(old.url).pathname === path) await cache.delete(old);
  await cache.put(name(url, sha256), new Response(bytes, { headers: { "Content-Type": type } }));
}

/** SHA-256 in hexadecimal. */
async function digest(blob) {
  const hash = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
