// Public vectors of cross-site scripting, taken from the packages that publish them: the payloads of
// brs-kb (which holds the well-known cheat sheets) and the tests of ammonia. They are read out of the
// packages' text; none of the packages' code runs.

import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";

const root = new URL("../..", import.meta.url).pathname;

/** Prints, as JSON, what the wheel's modules of payloads give for `payload=`. */
const PAYLOADS = `
import ast, json, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
found = set()
for name in wheel.namelist():
    if name.startswith("brs_kb/payloads/") and name.endswith(".py"):
        for node in ast.walk(ast.parse(wheel.read(name))):
            if isinstance(node, ast.keyword) and node.arg == "payload" and isinstance(node.value, ast.Constant):
                found.add(str(node.value.value))
print(json.dumps(sorted(found)))
`;

/** The payloads of brs-kb, whose wheel is in `folder`. */
export function payloads(folder) {
  const [, version] = /^brs-kb==(\S+)/m.exec(readFileSync(new URL("vectors.lock", import.meta.url), "utf8"));
  const wheel = readdirSync(folder).find((name) => name.startsWith(`brs_kb-${version}-`) && name.endsWith(".whl"));
  if (!wheel) throw new Error(`${folder} does not hold brs-kb: run \`cargo xtask setup\``);
  const text = execFileSync("python3", ["-c", PAYLOADS, path.join(folder, wheel)], { maxBuffer: 64e6 });
  return JSON.parse(text);
}

/** The pieces of HTML that ammonia's own tests clean. */
export function ammonia() {
  const metadata = execFileSync("cargo", ["metadata", "--format-version", "1", "--locked"], { cwd: root, maxBuffer: 256e6, stdio: ["ignore", "pipe", "ignore"] });
  const found = JSON.parse(metadata).packages.find(({ name }) => name === "ammonia");
  if (!found) throw new Error("no crate of the workspace depends on ammonia");
  const source = readFileSync(path.join(path.dirname(found.manifest_path), "src/lib.rs"), "utf8");
  const tests = source.slice(source.indexOf("#[cfg(test)]"));
  return literals(tests).filter((text) => text.includes("<"));
}

/** What the string literals of Rust source stand for. */
function literals(source) {
  const texts = new Set();
  const literal = /r(#*)"([^]*?)"\1|"((?:[^"\\]|\\[^])*)"|\/\/[^\n]*|'(?:[^'\\]|\\.)'/g;
  for (const [, , raw, plain] of source.matchAll(literal)) {
    if (raw !== undefined) texts.add(raw);
    if (plain !== undefined) texts.add(unescaped(plain));
  }
  return [...texts];
}

const ESCAPES = { n: "\n", r: "\r", t: "\t", 0: "\0", "\\": "\\", '"': '"', "'": "'" };

function unescaped(text) {
  return text.replace(/\\(?:\n\s*|x([0-9a-f]{2})|u\{([0-9a-f]+)\}|(.))/gi, (_, byte, point, one) => {
    if (byte ?? point) return String.fromCodePoint(parseInt(byte ?? point, 16));
    return one === undefined ? "" : (ESCAPES[one] ?? one);
  });
}
