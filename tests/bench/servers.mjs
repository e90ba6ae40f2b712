// The servers that the page is measured from: the plainest there is, Spoor's own, and the tests'.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** `python3 -m http.server` over `folder`: no compression, no ranges, a connection for each request. */
export function plain(folder) {
  return started("python3", ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder], /port (\d+)/,
    ([, port]) => ({ url: `http://127.0.0.1:${port}/`, key: "" }));
}

/** `spoor serve` over `site` and `notebooks`: `key` is what the first address of a visit ends with. */
export function spoorServe(spoor, site, notebooks) {
  return started(spoor, ["serve", "--port", "0", "--site", site, "--notebooks", notebooks], /(http:\/\/[^/]+\/)(\S*)/,
    ([, url, key]) => ({ url, key }));
}

/** `spoor serve` over `site` and `data`. */
export function spoorWithData(spoor, site, data) {
  return started(spoor, ["serve", "--port", "0", "--site", site, "--data", data], /(http:\/\/[^/]+\/)(\S*)/,
    ([, url, key]) => ({ url, key }));
}

/** Runs a server until it says where it is. */
export async function started(program, args, pattern, read) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  const close = () => new Promise((done) => (child.exitCode === null ? child.once("exit", done).kill() : done()));
  for await (const line of createInterface({ input: child.stdout })) {
    const found = pattern.exec(line);
    if (found) return { ...read(found), pid: child.pid, close };
  }
  throw new Error(`${program} ${args.join(" ")} did not start`);
}
