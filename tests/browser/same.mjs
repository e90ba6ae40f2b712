// Whether two runs of a cell gave the same outputs.
//
// Both sides run the same bytes, so outputs are compared as they are, save for what no two runs
// share. Each rule below names one such thing; nothing else is let pass.

const RULES = [
  // Where an object lies in memory: `<object at 0x7f3a10>`.
  [/\b0x[0-9a-fA-F]{4,}\b/g, "0x…"],
  // `%time`, `%%time`: "CPU times: user 5 ms, sys: 0 ns, total: 5 ms" and "Wall time: 5 ms".
  [/CPU times: [^\n]*/g, "CPU times: …"],
  [/Wall time: [^\n]*/g, "Wall time: …"],
  // `%timeit`: "1.2 ms ± 3 μs per loop (mean ± std. dev. of 7 runs, 1,000 loops each)".
  [/[\d.,]+ \S+ ± [\d.,]+ \S+ per loop \([^)]*\)/g, "… per loop"],
  // Process CPU time and the like that a cell prints in seconds: "took 0.123 s".
  [/\b\d+\.\d+ ?(?:s|ms|seconds)\b/g, "… s"],
  // The random ids that pandas' Styler gives its tables.
  [/\bT_[0-9a-f]{5}/g, "T_…"],
];

/** A text with what no two runs share taken out. */
export function normalised(text) {
  return RULES.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), text);
}

/** The cells that differ: `[{ index, here, there }]`, each side as JSON. Empty where none does. */
export function differences(here, there) {
  const different = [];
  for (let index = 0; index < Math.max(here.length, there.length); index++) {
    const [a, b] = [comparable(here[index]), comparable(there[index])];
    if (a !== b) different.push({ index, here: a, there: b });
  }
  return different;
}

function comparable(cell) {
  if (!cell) return "no such cell";
  const { execution_count, outputs } = cell;
  return JSON.stringify({ execution_count, outputs: outputs.map((output) => plain(output)) }, null, 1);
}

/** nbformat lets text be a list of lines; keys have no order. */
function plain(value, key) {
  if (Array.isArray(value)) {
    const lines = key !== "traceback" && value.length > 0 && value.every((item) => typeof item === "string");
    return lines ? normalised(value.join("")) : value.map((item) => plain(item));
  }
  if (typeof value === "string") return normalised(value);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, plain(value[name], name)]));
}
