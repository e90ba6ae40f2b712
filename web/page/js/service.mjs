// The service worker of a site: the page from a cache that holds one build whole, and the headers of
// an isolated page. `build.mjs` bundles it as `service.js` with the list of the site's files (`manifest`
// in `site.mjs`), so that a new build is a new worker.
//
// A build's files are kept when the worker is installed, each checked against its SHA-256, and
// a page gets all of its files from one build. A new build waits until no page uses the old one, or until
// the only page that does agrees. Engines, pieces and data are the worker's to keep
// (`worker/js/engines.mjs`); this module answers from that cache what a guest reads while nothing can
// wait. It is JavaScript, as a browser may start it for a single request.

const { id, shell, files, engines } = BUILD;
const SHELL = "spoor-shell-";
const MINE = `${SHELL}${id}`;
const ENGINES = "spoor-engines";
const HOME = "index.html";
/** Where authorities send people back to, in a window that may belong to another page's group. */
const SIGNIN = "signin.html";
const scope = new URL("./", location.href);

/**
 * A page with these may share memory between threads. Frames made of text inherit them, and nothing of
 * another origin is embedded in the page.
 */
const HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
};

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(clear()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) return;
  const name = decodeURIComponent(url.pathname.slice(scope.pathname.length)) || HOME;
  if (Object.hasOwn(shell, name)) event.respondWith(fromShell(event.request, name));
  else if (Object.hasOwn(files, name)) event.respondWith(fromEngines(event.request, `${name}?sha256=${files[name]}`));
  else if (name.startsWith("pieces/")) event.respondWith(fromEngines(event.request, name));
});
self.addEventListener("message", ({ data, source }) => {
  if (data?.type === "take_over") takeOver(source);
});

/** Keeps the build's shell, all of it or none. */
async function install() {
  const cache = await caches.open(MINE);
  await Promise.all(Object.entries(shell).map(async ([name, sha256]) => {
    if (!(await cache.match(name))) await cache.put(name, await checked(name, sha256));
  }));
}

/** The build is the only one from here on: what is not of it goes. */
async function clear() {
  for (const name of await caches.keys()) if (name.startsWith(SHELL) && name !== MINE) await caches.delete(name);
  if (!(await caches.has(ENGINES))) return;
  const wanted = new Set(engines.map((name) => new URL(name, scope).href));
  const cache = await caches.open(ENGINES);
  for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url);
}

/** Takes the place of the build before, if the page that asks is the only one. */
async function takeOver(page) {
  const others = (await pages()).length - 1;
  if (others > 0) page.postMessage({ type: "others", count: others });
  else await self.skipWaiting();
}

function pages() {
  return self.clients.matchAll({ type: "window", includeUncontrolled: true });
}

async function fromShell(request, name) {
  const cache = await caches.open(MINE);
  const kept = await cache.match(name);
  return cut(request, kept ?? (await restored(request, cache, name)));
}

/** A file that the browser has thrown away, or the server's answer where that has another build now. */
async function restored(request, cache, name) {
  try {
    const response = await checked(name, shell[name]);
    await cache.put(name, response.clone());
    return response;
  } catch (error) {
    if (request.mode !== "navigate") throw error;
    await registration.unregister();
    return fetch(request);
  }
}

/** What the worker has kept by this name, or the server's answer. */
async function fromEngines(request, name) {
  const kept = await caches.match(new URL(name, scope), { cacheName: ENGINES });
  return kept ? cut(request, dressed(kept)) : fetch(request);
}

/** The file as this build has it, from the browser's cache or, where that holds another, the server. */
async function checked(name, sha256) {
  for (const cache of ["default", "reload"]) {
    const response = await fetch(new URL(name, scope), { cache });
    if (!response.ok) throw new Error(`the server answered ${response.status} for ${name}`);
    const bytes = await response.arrayBuffer();
    if ((await digest(bytes)) === sha256) return dressed(new Response(bytes, { headers: type(response) }), name);
  }
  throw new Error(`${name} is not the file of the build ${id}`);
}

function type(response) {
  return { "Content-Type": response.headers.get("Content-Type") ?? "application/octet-stream" };
}

/** The response with the headers of an isolated page; one that an authority leads to is not kept from whoever opened its window. */
function dressed(response, name) {
  const headers = { ...type(response), ...HEADERS };
  if (name === SIGNIN) delete headers["Cross-Origin-Opener-Policy"];
  return new Response(response.body, { headers });
}

/** The response, or the part of it that the request wants. */
async function cut(request, response) {
  const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.get("Range") ?? "");
  if (!range || range[0] === "bytes=-") return response;
  const whole = await response.blob();
  const [first, last] = range[1] === ""
    ? [Math.max(whole.size - Number(range[2]), 0), whole.size - 1]
    : [Number(range[1]), Math.min(range[2] === "" ? Infinity : Number(range[2]), whole.size - 1)];
  const headers = { ...type(response), ...HEADERS };
  if (first > last) return new Response(null, { status: 416, headers: { ...headers, "Content-Range": `bytes */${whole.size}` } });
  headers["Content-Range"] = `bytes ${first}-${last}/${whole.size}`;
  return new Response(whole.slice(first, last + 1), { status: 206, headers });
}

/** SHA-256 in hexadecimal. */
async function digest(bytes) {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
