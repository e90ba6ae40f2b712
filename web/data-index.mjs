// A folder of data as a page is told of it: `data/index.json`. Used by `build.mjs` and the tests.
//
// The names and formats are those that `spoor run --data` gives (`table_names` and `Format::of_path`
// in runtime/names/src), so that a notebook finds the same tables on both sides.

import { readdir, stat } from "node:fs/promises";
import path from "node:path";

/** Formats by the extension that announces them. Others are found from the bytes. */
const FORMATS = {
  csv: "csv", tsv: "csv", parquet: "parquet", pq: "parquet",
  arrow: "arrow", arrows: "arrow", ipc: "arrow", feather: "arrow",
  json: "auto", jsonl: "auto", ndjson: "auto", jsonlines: "auto",
  log: "auto", gz: "auto", gzip: "auto", zst: "auto", zstd: "auto", zip: "auto",
};

/** The sources in `folder`, for `Source` in `worker/src/messages.rs`; URLs are below `data/`. */
export async function dataIndex(folder) {
  const index = [];
  for (const file of (await readdir(folder)).sort()) {
    const [stem, extensions] = parts(file);
    const { size } = await stat(path.join(folder, file));
    if (file.startsWith(".") || extensions.length === 0) continue;
    const format = extensions.map((name) => FORMATS[name]).find((name) => name !== "auto") ?? "auto";
    index.push({ name: tableName(stem), file, url: `data/${encodeURIComponent(file)}`, bytes: size, format });
  }
  const names = index.map((source) => source.name);
  for (const source of index) {
    // Files that would be one table keep their extensions.
    const alike = names.filter((name) => name === source.name).length;
    if (alike > 1) source.name = tableName(source.file);
  }
  return index;
}

/** A file's name without its known extensions, and these, last first. */
function parts(file) {
  const extensions = [];
  let stem = file;
  for (;;) {
    const extension = path.extname(stem).slice(1).toLowerCase();
    if (!(extension in FORMATS)) return [stem, extensions];
    extensions.push(extension);
    stem = stem.slice(0, -extension.length - 1);
  }
}

function tableName(stem) {
  const name = stem.split(/[^\p{Alphabetic}\p{N}_\u0300-\u036f]+/u).filter(Boolean).join("_");
  return name === "" ? "Table1" : /^[\p{Alphabetic}_]/u.test(name) ? name : `_${name}`;
}
