// A folder of data as a page is told of it: `data/index.json`. Used by `build.mjs` and the tests.

import { readdir, stat } from "node:fs/promises";
import path from "node:path";

/** Formats that a file's extension announces; others are found from the bytes. */
const ANNOUNCED = ["csv", "parquet", "arrow"];

/** The sources in `folder`, for `Source` in `worker/src/messages.rs`; URLs are below `data/`. */
export async function dataIndex(folder) {
  const index = [];
  for (const file of (await readdir(folder)).sort()) {
    const found = await stat(path.join(folder, file));
    if (file.startsWith(".") || !found.isFile()) continue;
    const extension = path.extname(file).slice(1);
    const format = ANNOUNCED.includes(extension) ? extension : "auto";
    index.push({ name: file.split(".")[0], file, url: `data/${encodeURIComponent(file)}`, bytes: found.size, format });
  }
  return index;
}
