// The plain page: opens a notebook of the gallery, shows it with its saved outputs at once, loads
// the engines behind, and runs its cells. `?nb=gallery/NAME.ipynb` names the notebook; `&run` runs
// it when the kernel is there; `&verify` has the worker hash what it loads.
//
// Everything about cells is the worker's part (`web/worker/src/messages.rs` has the messages); this
// page only shows.

import { joined, show } from "./outputs.mjs";

const query = new URLSearchParams(location.search);
const byId = (id) => document.getElementById(id);
const cells = new Map();
const loads = new Map();
const waiting = new Map();

/** What tests and the console see. */
const spoor = { cells: [], loaded: {}, failed: [], state: "none", finished: false, send: (message) => worker.postMessage(message) };
globalThis.spoor = spoor;

const STATES = { none: "not loaded", loading: "loading", idle: "idle", busy: "busy", dead: "dead" };
let worker;
/** The notebook's cells in the page, in order. */
let views = [];

const named = query.get("nb");
if (named) open(named).catch((error) => say(error.message, "failed"));
else gallery().catch((error) => say(error.message, "failed"));

async function text(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} could not be fetched: the server answered ${response.status}.`);
  return response.text();
}

async function json(url) {
  return JSON.parse(await text(url));
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function say(text, className) {
  byId("messages").append(make("p", className, text));
}

async function gallery() {
  const list = make("ul", "gallery");
  for (const { file, title, description } of await json("gallery/index.json")) {
    const link = make("a");
    link.href = `?nb=gallery/${encodeURIComponent(file)}`;
    link.append(make("strong", "", title), description);
    const item = make("li");
    item.append(link);
    list.append(item);
  }
  byId("main").append(make("h1", "", "Hunts to start from"), list);
}

async function open(url) {
  const reading = text(url);
  startWorker();
  const [site, sources] = await Promise.all([json("site.json"), dataSources()]);
  begin(site, sources);
  const source = await reading;
  const notebook = JSON.parse(source);
  byId("title").textContent = decodeURIComponent(url.split("/").pop());
  document.title = `${byId("title").textContent} – Spoor`;
  worker.postMessage({ type: "markdown", notebook: source });
  // Python is large: it is fetched for notebooks that have a cell for it, pandas where it is used.
  if (notebook.cells.some(needsPython)) {
    const image = notebook.cells.some(mentionsFrames) ? "pandas" : "bare";
    worker.postMessage({ type: "prepare_python", image });
  }
  views = notebook.cells.map(cellView);
  byId("main").replaceChildren(...views);
  for (const area of document.querySelectorAll("textarea")) fit(area);
  if (cells.size === 0) return;
  byId("run").disabled = false;
  byId("run").onclick = () => runAll();
  if (query.has("run")) await runAll();
}

function needsPython({ cell_type, source }) {
  return cell_type === "code" && !/^\s*(%%kql\b|$)/.test(joined(source));
}

/** Results of KQL are frames to Python, and so is what these packages work on. */
function mentionsFrames({ cell_type, source }) {
  return cell_type === "code" && /kql|pandas|numpy|spoor|matplotlib|seaborn|scipy|sklearn|statsmodels|msticpy/i.test(joined(source));
}

/** The data that the server offers beside the page; none is as good as any. */
async function dataSources() {
  const response = await fetch("data/index.json");
  return response.ok ? response.json() : [];
}

// The worker

function startWorker() {
  worker = new Worker("worker.js", { type: "module" });
  worker.onmessage = ({ data }) => take[data.type]?.(data);
  worker.onerror = (event) => take.failed({ part: "worker", message: event.message ?? "The worker did not start." });
}

function begin(site, sources) {
  worker.postMessage({ type: "open", site, sources, verify: query.has("verify"), options: {} });
  setState("loading");
  interruptible();
  byId("restart").onclick = () => {
    // What runs ends first: a restart waits its turn.
    request({ event: "interrupt" });
    request({ event: "restart" });
  };
}

function request(event) {
  worker.postMessage({ type: "request", event });
}

/** The button interrupts what runs. */
function interruptible() {
  byId("stop").textContent = "Interrupt";
  byId("stop").onclick = () => request({ event: "interrupt" });
}

const take = {
  state: ({ state }) => setState(state),
  loading: ({ part, loaded, total }) => { loads.set(part, { loaded, total }); progress(); },
  loaded: ({ part, ms, sha256 }) => { loads.delete(part); spoor.loaded[part] = { ms, sha256, at: performance.now() }; progress(); },
  failed: ({ part, message }) => { spoor.failed.push({ part, message }); loads.delete(part); progress(); say(message, "failed"); },
  stream_append: ({ cell, output, text }) => cells.get(cell)?.append(output, text),
  memory: ({ kernel, python }) => { spoor.memory = { kernel, python }; },
  // An interrupt was not heeded: what is left is to end Python's thread.
  stuck: ({ can_interrupt }) => {
    spoor.stuck = { can_interrupt };
    byId("stop").textContent = "Stop";
    byId("stop").onclick = () => worker.postMessage({ type: "roll_back" });
  },
  outputs: ({ cell, from, outputs, execution_count }) => cells.get(cell)?.update(from, outputs, execution_count),
  publish: ({ msg_type, parent, content }) => {
    if (msg_type === "input_request") cells.get(parent)?.ask(content);
    if (msg_type === "execute_reply") cells.get(parent)?.replied(content);
  },
  // The worker's Rust has sanitised it; the page's Content Security Policy is the second line.
  markdown: ({ cells: rendered }) => {
    for (const [index, html] of rendered) {
      const view = views[index];
      view.classList.remove("source");
      view.innerHTML = html;
    }
  },
  done: ({ parent }) => { if (spoor.stuck) interruptible(); spoor.stuck = undefined; waiting.get(parent)?.(); waiting.delete(parent); },
};

function setState(state) {
  spoor.state = state;
  byId("kernel").dataset.state = state;
  byId("kernel").textContent = STATES[state];
  byId("stop").disabled = state !== "busy";
  byId("restart").disabled = state !== "idle" && state !== "busy";
}

function progress() {
  const parts = [...loads].filter(([, { loaded, total }]) => loaded < total);
  byId("progress").textContent = parts.map(([part, { loaded, total }]) =>
    `${part}: ${((total - loaded) / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB left`).join(" · ");
}

// Cells

function cellView(cell, index) {
  const source = joined(cell.source);
  if (cell.cell_type !== "code") {
    const view = make("div", "cell markdown source", source);
    return view;
  }
  const view = new CodeCell(cell.id ?? `cell-${index}`, source);
  view.update(0, cell.outputs ?? [], cell.execution_count);
  cells.set(view.id, view);
  spoor.cells.push(view);
  return view.element;
}

class CodeCell {
  constructor(id, source) {
    this.id = id;
    this.outputs = [];
    this.count = null;
    this.status = undefined;
    this.element = make("div", "cell code");
    this.gutter = make("div", "gutter");
    this.area = make("textarea");
    this.area.value = source;
    this.area.spellcheck = false;
    this.area.rows = 1;
    this.area.setAttribute("aria-label", `Code of cell ${id}`);
    this.area.oninput = () => fit(this.area);
    this.area.onkeydown = (event) => {
      if (event.key !== "Enter" || !(event.shiftKey || event.ctrlKey)) return;
      event.preventDefault();
      this.run();
    };
    this.shown = make("div", "outputs");
    this.element.append(this.gutter, this.area, this.shown);
  }

  update(from, outputs, count) {
    this.outputs.splice(from, Infinity, ...outputs);
    while (this.shown.children.length > from) this.shown.lastChild.remove();
    this.shown.append(...outputs.map(show));
    this.count = count ?? null;
    this.label();
  }

  /** Adds text to an output that is a stream. */
  append(output, text) {
    const stream = this.outputs[output];
    stream.text = joined(stream.text) + text;
    const element = this.shown.children[output];
    // Colours go on from text to text.
    if (stream.text.includes("\x1b")) element.replaceWith(show(stream));
    else element.append(text);
  }

  label() {
    const busy = this.element.dataset.state === "busy";
    this.gutter.textContent = `[${busy ? "*" : this.count ?? " "}]`;
  }

  /** Runs the cell; resolves when it has ended. */
  async run() {
    this.element.dataset.state = "busy";
    this.label();
    const ended = new Promise((end) => waiting.set(this.id, end));
    request({ event: "execute", id: this.id, cell_id: this.id, code: this.area.value, allow_stdin: true });
    await ended;
    delete this.element.dataset.state;
    this.label();
    return this.status === "ok";
  }

  replied({ status }) {
    this.status = status;
  }

  ask({ prompt, password }) {
    const form = make("form");
    const field = make("input");
    field.type = password ? "password" : "text";
    field.setAttribute("aria-label", prompt || "Input");
    form.append(make("label", "", prompt), field);
    form.onsubmit = (event) => {
      event.preventDefault();
      form.remove();
      request({ event: "input_reply", value: field.value });
    };
    this.element.append(form);
    field.focus();
  }
}

function fit(area) {
  area.style.height = "0";
  area.style.height = `${area.scrollHeight + 2}px`;
}

/** Runs every code cell in order, up to the first that fails. */
async function runAll() {
  byId("run").disabled = true;
  spoor.finished = false;
  for (const cell of cells.values()) {
    if (!(await cell.run())) break;
  }
  byId("run").disabled = false;
  spoor.finished = true;
}
