// MSAL, with what it leaves out: a sign-in whose window was closed comes to an end.

import { BrowserAuthError, PublicClientApplication } from "@azure/msal-browser";

/** Milliseconds between two looks at the window. */
const LOOK_EVERY = 100;

/** How often it has to be seen at the authority, and then in a row to be gone: an answer that is on its way comes first. */
const LOOKS = 10;

/** Makes an application that is ready for use. */
export async function open(configuration) {
  const application = new Application(configuration);
  await application.initialize();
  return application;
}

class Application extends PublicClientApplication {
  #cancel = () => {};

  constructor(configuration) {
    super({
      ...configuration,
      // It would log addresses, and with them codes.
      system: { ...configuration.system, loggerOptions: { loggerCallback() {}, logLevel: 0, piiLoggingEnabled: false } },
    });
  }

  /** What the redirect that led to this page brought, or null: the same whenever it is asked for. */
  redirected() {
    return this.handleRedirectPromise();
  }

  /** Ends the wait for a window, if there is one, and closes that where it can be reached. */
  cancel() {
    this.#cancel();
  }

  /** MSAL waits for what signin.html says, and for nothing else: since version 5 a closed window keeps it waiting to the end of its time. */
  async waitForPopupResponse(request, popup, parent) {
    const answer = super.waitForPopupResponse(request, popup, parent);
    let cancel, timer;
    const given = new Promise((_, fail) => {
      cancel = () => {
        popup.close();
        fail(new BrowserAuthError("user_cancelled", request.correlationId));
      };
      timer = setInterval(lookAt(popup, cancel), LOOK_EVERY);
    });
    this.#cancel = cancel;
    // Of two that end only one is heard.
    for (const one of [answer, given]) one.catch(() => {});
    return Promise.race([answer, given]).finally(() => {
      clearInterval(timer);
      // Another window may be waited for by now.
      if (this.#cancel === cancel) this.#cancel = () => {};
    });
  }
}

/**
 * A function that looks whether the window was closed. A page that keeps its windows apart (Cross-Origin-Opener-Policy: this one
 * where it is isolated, or an authority's) makes a window that is open look closed from its first moments on. So it counts as
 * closed only if it was seen open at the authority for a while, and only while the person looks at this page. Where that cannot
 * be known `cancel()` is for the person.
 */
function lookAt(popup, closed) {
  let [away, gone] = [0, 0];
  return () => {
    if (crossOriginIsolated) return;
    if (!popup.closed) {
      if (isElsewhere(popup)) away += 1;
      gone = 0;
    } else if (away >= LOOKS && document.hasFocus()) {
      gone += 1;
      if (gone === LOOKS) closed();
    }
  };
}

/** Whether the window shows a page of another origin, of which this one may know nothing. */
function isElsewhere(popup) {
  try {
    void popup.location.href;
    return false;
  } catch {
    return true;
  }
}
