// What the page loads when it is first wanted, each in a file of its own.

export const loadEditor = () => import("./editor.mjs");
