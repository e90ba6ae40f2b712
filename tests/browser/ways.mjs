// The ways by which text of a notebook comes to be shown, for the tests that try hostile text through
// every one of them.

const bundle = (data) => ({ output_type: "display_data", metadata: {}, data });
export const code = (outputs, source = "") => ({ cell_type: "code", metadata: {}, execution_count: 1, source, outputs });
export const prose = (source) => ({ cell_type: "markdown", metadata: {}, source });
const svg = (inner) => `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">${inner}</svg>`;

/** Each makes a cell of a vector. */
export const WAYS = {
  "a Markdown cell": prose,
  "an HTML output": (text) => code([bundle({ "text/html": text })]),
  "an HTML result": (text) => code([{ output_type: "execute_result", execution_count: 1, metadata: {}, data: { "text/html": text, "text/plain": "x" } }]),
  "a Markdown output": (text) => code([bundle({ "text/markdown": text })]),
  "an SVG output": (text) => code([bundle({ "image/svg+xml": svg(text) })]),
  "an SVG output that is no SVG": (text) => code([bundle({ "image/svg+xml": text })]),
  "a LaTeX output": (text) => code([bundle({ "text/latex": text })]),
  "a JSON output": (text) => code([bundle({ "application/json": { [text]: text } })]),
  "plain text": (text) => code([bundle({ "text/plain": text })]),
  "a stream": (text) => code([{ output_type: "stream", name: "stdout", text }]),
  "an error": (text) => code([{ output_type: "error", ename: text, evalue: text, traceback: [text, `\u001b[31m${text}\u001b[0m`] }]),
  "a picture's alternative": (text) => code([bundle({ "image/png": "iVBORw0KGgo=", "text/plain": text })]),
  "an unknown type": (text) => code([bundle({ [`text/x-${text}`]: text })]),
  "JavaScript": (text) => code([bundle({ "application/javascript": `document.write(${JSON.stringify(text)})` })]),
  "a chart": (text) => code([bundle({
    "application/vnd.spoor.chart+json": {
      version: 1, kind: "columnchart", title: text, legend: true, x: { type: "category", categories: [text], title: text }, y: { type: "number", title: text },
      series: [{ name: text, points: [[0, 1]] }], note: text,
    },
    "text/plain": text,
  })]),
  "a cell's source": (text) => code([], text),
  "a query's source": (text) => code([], `%%kql\n${text}`),
  "a raw cell": (text) => ({ cell_type: "raw", metadata: { format: text }, source: text }),
  "an attachment": (text) => ({ cell_type: "markdown", metadata: {}, attachments: { [text]: { "image/svg+xml": text } }, source: `![${text}](<attachment:${text}>)` }),
};

/** The bytes of a notebook. */
export const notebook = (cells, metadata = {}) => JSON.stringify({
  nbformat: 4, nbformat_minor: 5, metadata, cells: cells.map((cell, index) => ({ id: `c${index}`, ...cell })),
});

/** Whether a way reads the text as Markdown. */
export const isMarkdown = (way) => way.includes("Markdown") || way === "an attachment";
