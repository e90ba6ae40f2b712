// What the page has of signing in from its start: the ways to the chunk that has MSAL, and the browser's locks. Rust
// (`web/msal/src/binding.rs`) imports this module by the name "spoor:msal".

/** An application of MSAL, ready for use. The library is loaded when the first is wanted. */
export async function openApplication(configuration) {
  const { open } = await import("./application.mjs");
  return open(configuration);
}

/** Waits for a lock that all tabs share, and resolves to what gives it back. A browser without locks has none to wait for. */
export function lock(name) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((granted, failed) => {
    navigator.locks.request(name, () => new Promise((release) => granted(release))).catch(failed);
  });
}
