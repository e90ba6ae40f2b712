// Many sessions of the page at one `spoor serve`, as browsers have them: each enters by the printed address, keeps its cookie and
// its connection, reads the page, and asks queries one after the other. All do so at once.
//
//   node tests/bench/sessions.mjs --spoor FILE --site DIR --data DIR [--sessions 200] [--rounds 3]
//
// Before, one session asks the same queries, so that the tables are read and the engine has had its memory. Writes one JSON object to
// standard output: times of queries in milliseconds, the server's resident memory in bytes, and what went wrong.

import { readFile } from "node:fs/promises";
import http from "node:http";
import { parseArgs } from "node:util";

import { spoorWithData } from "./servers.mjs";

const { values: options } = parseArgs({
  options: {
    spoor: { type: "string" }, site: { type: "string" }, data: { type: "string" },
    sessions: { type: "string", default: "200" }, rounds: { type: "string", default: "3" },
  },
});
for (const name of ["spoor", "site", "data"]) if (!options[name]) throw new Error(`--${name} is missing`);

/** What a hunt begins with. */
const QUERIES = [
  "SigninLogs | summarize failures = countif(ResultType != '0') by IPAddress | top 10 by failures",
  "SigninLogs | where TimeGenerated > ago(3650d) | summarize count() by bin(TimeGenerated, 1h)",
  "SecurityAlert | take 100",
];

/** The most of the server's memory that samples have seen. */
class Memory {
  constructor(pid) {
    this.pid = pid;
    this.most = 0;
  }

  async now() {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    const resident = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)[1]) * 1024;
    this.most = Math.max(this.most, resident);
    return resident;
  }

  watch() {
    const timer = setInterval(() => this.now().catch(() => {}), 100);
    return () => clearInterval(timer);
  }
}

/** One page: a connection that stays, and a cookie. */
class Session {
  constructor(server) {
    this.server = server;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    this.cookie = "";
  }

  /** The status, the headers and the length of an answer that came whole. */
  ask(path, body) {
    const headers = { cookie: this.cookie, "sec-fetch-site": "same-origin" };
    if (body) Object.assign(headers, { "content-type": "application/json", origin: new URL(this.server.url).origin });
    const url = new URL(path, this.server.url);
    return new Promise((done, failed) => {
      const request = http.request(url, { agent: this.agent, method: body ? "POST" : "GET", headers }, (response) => {
        let bytes = 0;
        response.on("data", (part) => (bytes += part.length));
        response.on("end", () => done({ status: response.statusCode, headers: response.headers, bytes }));
        response.on("error", failed);
      });
      request.on("error", failed);
      request.end(body);
    });
  }

  async enter() {
    const entered = await this.ask(this.server.key);
    this.cookie = entered.headers["set-cookie"]?.[0].split(";")[0] ?? "";
    if (!this.cookie) throw new Error(`no cookie came with status ${entered.status}`);
    const page = await this.ask("");
    if (page.status !== 200) throw new Error(`the page has status ${page.status}`);
  }

  /** The milliseconds of a query. */
  async query(text) {
    const begun = performance.now();
    const answer = await this.ask("api/kql", JSON.stringify({ query: text }));
    if (answer.status !== 200 || answer.bytes === 0) throw new Error(`a query has status ${answer.status}`);
    return performance.now() - begun;
  }

  close() {
    this.agent.destroy();
  }
}

/** All that a session does: its queries' times, and its errors. */
async function visit(session, rounds) {
  const times = [];
  const errors = [];
  try {
    await session.enter();
    for (let round = 0; round < rounds; round++) for (const query of QUERIES) times.push(await session.query(query));
  } catch (error) {
    errors.push(String(error));
  }
  return { times, errors };
}

async function measured(server) {
  const memory = new Memory(server.pid);
  // Two at once are as many as the server runs.
  const first = [new Session(server), new Session(server)];
  const alone = await Promise.all(first.map((session) => visit(session, 5)));
  const wrong = alone.flatMap(({ errors }) => errors);
  if (wrong.length > 0) throw new Error(wrong[0]);
  const before = await memory.now();
  const stop = memory.watch();
  const sessions = Array.from({ length: Number(options.sessions) }, () => new Session(server));
  const begun = performance.now();
  const visits = await Promise.all(sessions.map((session) => visit(session, Number(options.rounds))));
  const seconds = (performance.now() - begun) / 1000;
  const after = await memory.now();
  stop();
  for (const session of [...first, ...sessions]) session.close();
  const times = visits.flatMap((visit) => visit.times).sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * (times.length - 1))];
  return {
    sessions: sessions.length,
    queries: times.length,
    errors: visits.flatMap((visit) => visit.errors),
    median: at(0.5),
    p95: at(0.95),
    seconds,
    memory: { before, after, most: memory.most },
  };
}

const server = await spoorWithData(options.spoor, options.site, options.data);
try {
  console.log(JSON.stringify(await measured(server)));
} finally {
  await server.close();
}
