// What the page loads when it is first wanted, each in a file of its own.

export const loadEditor = () => import("./editor.mjs");

/** Keeps the site for use offline; see `offline.mjs`. */
export async function keepForOffline(service, tell) {
  const { keepForOffline: keep } = await import("./offline.mjs");
  await keep(service, tell);
}
