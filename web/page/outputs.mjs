// Shows one output of a code cell. Whatever a notebook brings is untrusted: text is set as text,
// SVG is shown as an image, and HTML goes into a frame of opaque origin in which no script of its
// own can run and from which nothing can be fetched.

import { FRAME_SCRIPT } from "./frame.mjs";

/** MIME types that can be shown, best first. */
const RICHNESS = ["text/html", "image/svg+xml", "image/png", "image/jpeg", "image/gif", "text/markdown", "text/latex", "application/json", "text/plain"];

const frames = new Map();
addEventListener("message", ({ source, data }) => {
  const frame = frames.get(source);
  if (frame && Number.isFinite(data?.height)) frame.style.height = `${Math.min(Math.ceil(data.height), 4000)}px`;
});

/** The element that shows an nbformat output. */
export function show(output) {
  switch (output.output_type) {
    case "stream": return pre(joined(output.text), output.name === "stderr" ? "stderr" : "stdout");
    case "error": return pre((output.traceback ?? []).join("\n") || `${output.ename}: ${output.evalue}`, "error");
    case "display_data":
    case "execute_result": return bundle(output.data ?? {});
    default: return note(`An output of the type ${output.output_type}, which this page cannot show.`);
  }
}

/** nbformat's multi-line text, in one piece. */
export const joined = (text) => (Array.isArray(text) ? text.join("") : text ?? "");

function bundle(data) {
  const mime = RICHNESS.find((type) => type in data);
  if (!mime) return note(`An output of ${Object.keys(data).join(", ") || "no type"}, which this page cannot show.`);
  const content = data[mime];
  if (mime === "text/html") return framed(joined(content));
  if (mime === "image/svg+xml") return image(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(joined(content))}`, data);
  if (mime.startsWith("image/")) return image(`data:${mime};base64,${joined(content).replaceAll(/\s/g, "")}`, data);
  return pre(mime === "application/json" ? JSON.stringify(content, null, 2) : joined(content), "result");
}

function image(source, data) {
  const img = document.createElement("img");
  img.src = source;
  img.alt = joined(data["text/plain"]) || "A picture";
  return img;
}

function note(text) {
  const p = document.createElement("p");
  p.className = "note";
  p.textContent = text;
  return p;
}

/** What can open a connection or a page in spite of a Content Security Policy: `link` by its hints. */
const REACHING_OUT = "link, meta, base, iframe, frame, object, embed";

/* global FRAME_HASH -- set by build.mjs */
/** HTML in a frame of its own origin: its Content Security Policy lets styles, pictures in data:
 * URLs and the one script that reports the height through, and nothing else. */
function framed(html) {
  const frame = document.createElement("iframe");
  const inert = new DOMParser().parseFromString(html, "text/html");
  for (const element of inert.querySelectorAll(REACHING_OUT)) element.remove();
  frame.sandbox = "allow-scripts";
  frame.title = "Output";
  frame.height = 60;
  frame.srcdoc = `<!doctype html><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; script-src '${FRAME_HASH}'">
<meta name="color-scheme" content="light dark"><style>
body{margin:0;font:13px/1.5 system-ui,"DejaVu Sans",sans-serif;overflow-x:auto}
table{border:0;border-collapse:collapse;font-size:12.5px}th,td{padding:3px 10px;text-align:left;border:0;border-bottom:1px solid #8884;white-space:nowrap}
</style><script>${FRAME_SCRIPT}</script>${inert.head.innerHTML}<body>${inert.body.innerHTML}`;
  frame.addEventListener("load", () => frames.set(frame.contentWindow, frame));
  return frame;
}

/** Text with ANSI colours (SGR sequences; others are left out). */
function pre(text, kind) {
  const element = document.createElement("pre");
  element.className = kind;
  let classes = [];
  for (const part of text.split(/(\x1b\[[0-9;]*[A-Za-z])/)) {
    const code = /^\x1b\[([0-9;]*)([A-Za-z])$/.exec(part);
    if (code) classes = code[2] === "m" ? styled(classes, code[1]) : classes;
    else if (part) element.append(span(part, classes));
  }
  return element;
}

function styled(classes, parameters) {
  let next = classes;
  for (const number of parameters.split(";").map(Number)) {
    if (number === 0) next = [];
    else if (number === 1) next = [...next, "a1"];
    else if (number === 39) next = next.filter((name) => name === "a1");
    else if (number >= 30 && number <= 37) next = [...next.filter((name) => name === "a1"), `a${number}`];
    else if (number >= 90 && number <= 97) next = [...next.filter((name) => name === "a1"), `a${number - 60}`];
  }
  return next;
}

function span(text, classes) {
  if (!classes.length) return text;
  const element = document.createElement("span");
  element.className = classes.join(" ");
  element.textContent = text;
  return element;
}
