// Compiles entropy.ts, and puts the manifest behind it: AssemblyScript has no way to say a custom section.
// `npm install && npm run build` leaves entropy.wasm, or what is named as the first argument.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const out = process.argv[2] ?? "entropy.wasm";
const asc = process.env.ASC ?? "node_modules/.bin/asc";
execFileSync(asc, [
  "entropy.ts", "-o", out, "-O3", "--noAssert", "--runtime", "stub", "--use", "abort=entropy/abort",
  // A start function is refused; this is its place.
  "--exportStart", "_initialize",
]);

/** A number as LEB128, which is how WebAssembly writes lengths. */
function leb(number) {
  const bytes = [];
  for (; number > 127; number >>>= 7) bytes.push((number & 127) | 128);
  return [...bytes, number];
}

const name = Buffer.from("spoor.manifest");
const content = Buffer.concat([Buffer.from(leb(name.length)), name, readFileSync("manifest.json")]);
writeFileSync(out, Buffer.concat([readFileSync(out), Buffer.from([0, ...leb(content.length)]), content]));
