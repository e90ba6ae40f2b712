// What it costs to ask a workspace through `spoor serve`, beside asking it directly: a small query again and again, and all rows of a
// table. The workspace is `spoor serve --api` over the same file, by Kusto's protocol, on this machine.
//
//   node tests/bench/proxy.mjs --spoor FILE --site DIR --data FILE --table NAME [--small 200] [--large 3]
//
// The direct answer is Kusto's JSON, read to its last byte and no further; through the server it is an Arrow stream, which the server
// has made of that JSON. Writes one JSON object to standard output: milliseconds, and rows a second.

import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

import { started } from "./servers.mjs";

const { values: options } = parseArgs({
  options: {
    spoor: { type: "string" }, site: { type: "string" }, data: { type: "string" }, table: { type: "string" },
    small: { type: "string", default: "200" }, large: { type: "string", default: "3" },
  },
});
for (const name of ["spoor", "site", "data", "table"]) if (!options[name]) throw new Error(`--${name} is missing`);

const TOKEN = randomBytes(32).toString("hex");
const ROWS = 10_000_000;

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const freePort = () => new Promise((found) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => found(port));
  });
});

const store = () => started(options.spoor, ["serve", "--api", "--port", "0", "--data", options.data, "--api-rows", String(ROWS)],
  /(http:\/\/[^\s/]+)/, ([, url]) => ({ url }));

/** The server, whose only workspace is the store. */
async function server(folder, upstream) {
  const port = await freePort();
  const access = path.join(folder, "access.toml");
  const config = path.join(folder, "spoor.toml");
  await writeFile(access, `address = "http://127.0.0.1:${port}"
[[machines]]
name = "bench"
role = "responder"
workspaces = ["*"]
sha256 = "${createHash("sha256").update(TOKEN).digest("hex")}"
[limits]
requests-per-minute = 1000000
[audit]
file = "audit.jsonl"
[workspaces.up]
identity = "server"
`);
  await writeFile(config, `[workspaces.up]
kind = "kusto"
cloud = "custom"
endpoint = "${upstream}"
plain-loopback = true
database = "spoor"
[workspaces.up.limits]
rows = ${ROWS}
bytes = ${512 << 20}
`);
  return started(options.spoor, ["serve", "--port", String(port), "--site", options.site, "--access", access, "--config", config],
    /(http:\/\/[^\s/]+)/, ([, url]) => ({ url }));
}

const agent = new http.Agent({ keepAlive: true });

/** Asks, and gives the milliseconds until the last byte and how many there were. */
function ask(url, headers, body) {
  const begun = performance.now();
  return new Promise((done, failed) => {
    const request = http.request(url, { agent, method: "POST", headers: { "content-type": "application/json", ...headers } }, (response) => {
      let bytes = 0;
      let said = "";
      response.on("data", (part) => {
        bytes += part.length;
        if (response.statusCode !== 200) said += part;
      });
      response.on("end", () => {
        if (response.statusCode !== 200) failed(new Error(`status ${response.statusCode}: ${said}`));
        else done({ ms: performance.now() - begun, bytes });
      });
      response.on("error", failed);
    });
    request.on("error", failed);
    request.end(JSON.stringify(body));
  });
}

async function measured(upstream, proxy) {
  // All of the answer, as the server asks for it too.
  const direct = (query) => ask(`${upstream.url}/v2/rest/query`, {}, {
    db: "spoor", csl: query, properties: { Options: { truncationmaxrecords: ROWS, truncationmaxsize: 512 << 20 } },
  });
  const through = (query) => ask(`${proxy.url}/api/workspaces/up/query`, { authorization: `Bearer ${TOKEN}` }, { query });
  /** Both in turn, so many times, after one that is not counted. */
  const inTurn = async (query, times) => {
    const [ours, theirs] = [[], []];
    for (let at = 0; at <= times; at += 1) {
      const [one, other] = [await direct(query), await through(query)];
      if (at > 0) theirs.push(one), ours.push(other);
    }
    return { direct: median(theirs.map(({ ms }) => ms)), through: median(ours.map(({ ms }) => ms)), bytes: [theirs[0].bytes, ours[0].bytes] };
  };
  return { small: await inTurn("print n = 1", Number(options.small)), large: await inTurn(options.table, Number(options.large)) };
}

const folder = await mkdtemp(path.join(tmpdir(), "spoor-proxy-"));
const servers = [];
try {
  servers.push(await store());
  servers.push(await server(folder, servers[0].url));
  console.log(JSON.stringify(await measured(...servers)));
} finally {
  agent.destroy();
  await Promise.all(servers.map((one) => one.close()));
  await rm(folder, { recursive: true });
}
