// The hostile corpus as `cargo run -p spoor-gate --example corpus -- DIR` writes it, and plugins changed to be called
// from a query: their manifest is taken off and another put on.

import { readFile } from "node:fs/promises";
import path from "node:path";

const MANIFEST = "spoor.manifest";
const SIGNATURE = "spoor.signature";

/** The cases in a folder, as `cases.json` describes them, each with the file of its module. */
export async function corpus(folder) {
  const cases = JSON.parse(await readFile(path.join(folder, "cases.json"), "utf8"));
  return cases.map((one) => ({ ...one, file: path.join(folder, `${one.name}.wasm`) }));
}

/**
 * The module with its manifest changed: `f` takes a table, whatever it did before, whose one column may be left out, so
 * that a query can call it. Nothing is done to a module that is signed.
 */
export function callable(module, change = (manifest) => manifest) {
  const sections = split(module);
  if (sections.some(({ name }) => name === SIGNATURE)) return module;
  const found = sections.find(({ name }) => name === MANIFEST);
  const manifest = JSON.parse(Buffer.from(found.content).toString());
  for (const one of manifest.functions) {
    one.input = "whole";
    one.parameters = [{ name: "c", kind: "column", type: "long", default: null }];
  }
  const rest = sections.filter((section) => section !== found).map(({ bytes }) => bytes);
  return Buffer.concat([module.subarray(0, 8), ...rest, custom(MANIFEST, Buffer.from(JSON.stringify(change(manifest))))]);
}

/** The module's sections, each whole; of custom ones also the name and the content. */
function split(module) {
  const sections = [];
  for (let at = 8; at < module.length;) {
    const [size, body] = leb(module, at + 1);
    const end = body + size;
    const section = { bytes: module.subarray(at, end) };
    if (module[at] === 0) {
      const [length, name] = leb(module, body);
      section.name = Buffer.from(module.subarray(name, name + length)).toString();
      section.content = module.subarray(name + length, end);
    }
    sections.push(section);
    at = end;
  }
  return sections;
}

function custom(name, content) {
  const body = Buffer.concat([written(name.length), Buffer.from(name), content]);
  return Buffer.concat([Buffer.of(0), written(body.length), body]);
}

/** An unsigned LEB128 number at `at`, and where it ends. */
function leb(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function written(value) {
  const bytes = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}
