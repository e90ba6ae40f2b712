// What signin.html does, to which authorities send people back: it hands the answer to the page that asked for it, and closes.
//
// In a window of its own it tells the page over a BroadcastChannel; in the page's own tab it leads back to where that was. Where the
// answer says nothing that MSAL knows, as after some authorities' sign-outs, it says what to do.

import { broadcastResponseToMainFrame } from "@azure/msal-browser/redirect-bridge";

/** Goes back to the page. What the tab remembers of it is not followed to another site. */
const navigation = {
  async navigateInternal(address) {
    const { origin, pathname } = new URL(address, location.href);
    const known = origin === location.origin && pathname.startsWith(new URL("./", location.href).pathname);
    location.replace(known ? address : "./");
    // The page that this was is going away.
    return new Promise(() => {});
  },
};

try {
  await broadcastResponseToMainFrame(navigation);
} catch {
  // No answer that anybody waits for.
}
// The library calls the page by another name.
document.title = "Spoor";
// Codes stay in no history. The tab is still here only where nobody waits or it may not close itself.
history.replaceState(null, "", location.pathname);
document.getElementById("done").hidden = false;
