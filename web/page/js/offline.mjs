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
  let announced;
  /** A first version is for the next visit; what waits behind one that is in charge is news, once. */
  const look = () => {
    const { waiting } = registration;
    if (!waiting || !container.controller || waiting === announced) return;
    announced = waiting;
    tell("A new version of Spoor is ready.", () => takeOver(registration));
  };
  container.addEventListener("message", ({ data }) => {
    if (data?.type === "others") tell(`Close the ${data.count === 1 ? "other tab" : `${data.count} other tabs`} of Spoor first, then reload.`, () => takeOver(registration));
  });
  container.startMessages();
  const watch = () => {
    registration.installing?.addEventListener("statechange", look);
    look();
  };
  registration.addEventListener("updatefound", watch);
  // It may have been found before anyone listened.
  watch();
  document.addEventListener("visibilitychange", look);
  setInterval(() => registration.update().then(look, () => {}), LOOK_EVERY);
}

/** Lets the new version take the page over, and loads it. */
function takeOver({ waiting }) {
  if (!waiting) return location.reload();
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting.postMessage({ type: "take_over" });
}
