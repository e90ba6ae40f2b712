// Registers the service worker and tells the page of new versions. The page calls it when it has
// nothing better to do, as it fetches the page's files once more.

/** Milliseconds between two looks for a new version, in a page that stays open. */
const LOOK_EVERY = 3_600_000;

/**
 * Keeps the page for use offline by the script `service` (`service` in site.json; without one nothing is kept).
 * `tell(text, reload)` is called when there is something to say: `reload` is undefined, or what loads
 * the new version when the user says so.
 */
export async function keepForOffline(service, tell) {
  if (!service || !navigator.serviceWorker) return;
  const container = navigator.serviceWorker;
  // Where the server has none, as `spoor serve`, the page just works online.
  const registration = await container.register(service, { updateViaCache: "none" }).catch(() => undefined);
  if (!registration) return;
  const announce = () => tell("A new version of Spoor is ready.", () => takeOver(registration));
  container.addEventListener("message", ({ data }) => {
    if (data?.type === "others") tell(`Close the ${data.count === 1 ? "other tab" : `${data.count} other tabs`} of Spoor first, then reload.`, () => takeOver(registration));
    if (data?.type === "update") installed(registration).then(announce);
  });
  container.startMessages();
  if (registration.waiting && container.controller) announce();
  setInterval(() => registration.update().catch(() => {}), LOOK_EVERY);
}

/** Resolves when the new worker waits, which is just after it has told of itself. */
async function installed({ installing }) {
  if (!installing) return;
  await new Promise((done) => installing.addEventListener("statechange", done, { once: true }));
}

/** Lets the new version take the page over, and loads it. */
function takeOver({ waiting }) {
  if (!waiting) return location.reload();
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting.postMessage({ type: "take_over" });
}
