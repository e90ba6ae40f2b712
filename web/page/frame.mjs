// The one script that runs in the frame of an HTML output: it reports the frame's height. The
// Content Security Policies of the page and of the frame allow it by its hash, which `build.mjs`
// computes.

export const FRAME_SCRIPT = `
const tell = () => parent.postMessage({ height: document.documentElement.scrollHeight }, "*");
addEventListener("load", () => { new ResizeObserver(tell).observe(document.body); tell(); });
`;
