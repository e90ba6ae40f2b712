// The notebooks that are measured.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const cell = (id, source) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs: [], source });
const text = (cells) => JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });

/** A cell of a long notebook: Python and KQL in turn, with what was printed. */
function longer(n) {
  const printed = [{ output_type: "stream", name: "stdout", text: `line of cell ${n}\n`.repeat(4) }];
  if (n % 2) return cell(`c${n}`, `%%kql\nrange n from 1 to ${n} step 1\n| extend twice = n * 2\n| where twice > 10\n`);
  return { ...cell(`c${n}`, `rows = [n * ${n} for n in range(10)]\nprint(sum(rows), len(rows))\n`), outputs: printed };
}

/** Texts by the files' names. */
export const NOTEBOOKS = {
  "python.ipynb": text([cell("a", "print(1 + 1)")]),
  "kql.ipynb": text([cell("a", "%%kql\nprint 1 + 1")]),
  "pandas.ipynb": text([cell("a", "import pandas\nprint(len(pandas.DataFrame({'a': [1, 2]})))")]),
  "million.ipynb": text([cell("a", "%%kql\nset notruncation; range n from 1 to 1000000 step 1 | extend twice = n * 2, text = strcat('row ', tostring(n)), odd = n % 2 == 1")]),
  "long.ipynb": text([cell("a", "x = 1"), ...Array.from({ length: 499 }, (_, n) => longer(n + 1))]),
};

/** The text of a notebook that `spoor run` has run over `data`, saved outputs and all. */
export async function executed(spoor, file, data) {
  const folder = await mkdtemp(path.join(tmpdir(), "spoor-executed-"));
  try {
    const out = path.join(folder, "out.ipynb");
    await promisify(execFile)(spoor, ["run", file, "--data", data, "--output", out], { maxBuffer: 1 << 28 });
    return await readFile(out, "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
