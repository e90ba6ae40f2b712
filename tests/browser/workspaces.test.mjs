// Workspaces in the page: the configuration, queries of a real store over TLS (`spoor serve --api`), sign-in at a real authority
// (oidc-provider) whose tokens a gateway before the store checks, and what is told where something fails.
//
//   SPOOR_SITE=DIR SPOOR=FILE node --test tests/browser/workspaces.test.mjs

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

import { certificate, signInAs, startAuthority } from "./authority.mjs";
import { until, withPage } from "./browser.mjs";
import { serve } from "./server.mjs";

const { SPOOR_SITE: root, SPOOR: command } = process.env;
if (!root || !command) throw new Error("SPOOR_SITE is to name the site's folder, and SPOOR the command");

/** The store's certificate, and the authority's, are their own. */
const FLAGS = { flags: ["--ignore-certificate-errors"] };

/** What the store is called: Log Analytics' workspaces have GUIDs. */
const NAME = "00000000-0000-0000-0000-000000000001";

const LOGS = `TimeGenerated,Account,Tries
2024-03-01T08:00:00.1234567Z,ana,3
2024-03-01T09:00:00Z,ben,12
`;

const code = (id, source) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs: [], source });
const written = (metadata, sources) => JSON.stringify({
  nbformat: 4, nbformat_minor: 5, metadata, cells: sources.map((source, at) => code(`c${at}`, source)),
});
const notebook = (...sources) => written({}, sources);

const NOTEBOOKS = {
  "/open.ipynb": notebook("%%kql --workspace lab --as logs\nLogs | order by Tries desc", "kql('Logs | count', workspace='lab').iloc[0, 0] + len(logs)"),
  "/mistake.ipynb": notebook("%%kql --workspace lab\nLogs | where Treis > 1"),
  "/nowhere.ipynb": notebook("%%kql --workspace nobody\nLogs"),
  "/guarded.ipynb": notebook("%%kql --workspace soc --as kept\nLogs | summarize sum(Tries) | extend mark = strcat('kept-by-the-', 'kernel')", "kql('Logs', workspace='soc').shape"),
  "/current.ipynb": written({ spoor: { workspace: "lab" } }, [
    "%%kql --as many\nLogs | where Tries > 5",
    "%%kql\nmany | project Account",
    "%%kql\nworkspace('lab').Logs | where Tries < 5 | join kind=leftanti (workspace('lab').Logs | where Account == 'ben') on Account | project Account",
  ]),
  "/login.ipynb": notebook("!az login"),
  "/slow.ipynb": notebook("%%kql --workspace stuck\nLogs"),
};

/** Stands before a worker's script: keeps the memories of what it instantiates, to be searched. */
const WATCH = `
{
  const memories = (self.memories = new Set());
  const keep = (made) => {
    for (const one of Object.values((made.instance ?? made).exports ?? {})) if (one instanceof WebAssembly.Memory) memories.add(one);
    return made;
  };
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const plain = WebAssembly[name];
    WebAssembly[name] = (...given) => plain.apply(WebAssembly, given).then(keep);
  }
  for (const name of ["Instance", "Memory"]) {
    WebAssembly[name] = new Proxy(WebAssembly[name], {
      construct(target, given) {
        const made = Reflect.construct(target, given);
        return made instanceof WebAssembly.Memory ? (memories.add(made), made) : keep(made);
      },
    });
  }
}
`;

/** In a worker: how many memories there are, of how many bytes, and in how many of them a text stands. */
function search(text) {
  const wanted = new TextEncoder().encode(text);
  const holds = (memory) => {
    const bytes = new Uint8Array(memory.buffer);
    for (let at = bytes.indexOf(wanted[0]); at >= 0; at = bytes.indexOf(wanted[0], at + 1)) {
      if (wanted.every((byte, nth) => bytes[at + nth] === byte)) return true;
    }
    return false;
  };
  const all = [...self.memories];
  return { memories: all.length, bytes: all.reduce((sum, one) => sum + one.buffer.byteLength, 0), found: all.filter(holds).length };
}

let folder, site, store, authority, gateway, stuck;
const stopped = [];

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "spoor-workspaces-"));
  await mkdir(path.join(folder, "data"));
  await writeFile(path.join(folder, "data/Logs.csv"), LOGS);
  const tls = await certificate(folder);
  const watched = Object.fromEntries(await Promise.all(["worker.js", "fetch.js"].map(async (name) => (
    [`/${name}`, WATCH + await readFile(path.join(root, name), "utf8")]))));
  site = await serve(root, { texts: { ...NOTEBOOKS, ...watched, "/data/index.json": "[]" } });
  store = await startStore(site.url);
  authority = await startAuthority(folder, site.url);
  gateway = await startGateway(tls);
  stuck = await startStuck(tls);
});

after(async () => {
  await site?.close();
  authority?.close();
  store?.child.kill();
  for (const server of [gateway, stuck]) server?.close();
  if (folder) await rm(folder, { recursive: true });
});

/** The real command over the data, for the page's origin. */
async function startStore(page) {
  const child = spawn(command, ["serve", "--api", "--port", "0", "--data", path.join(folder, "data"), "--api-name", NAME, "--api-origin", page,
    "--tls-cert", path.join(folder, "cert.pem"), "--tls-key", path.join(folder, "key.pem")], { stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise((found, failed) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const address = /https:\/\/[^\s/]+:\d+/.exec(line);
      if (address) found(address[0]);
    });
    child.on("exit", (code) => failed(new Error(`the store ended with ${code}`)));
  });
  return { child, port: Number(new URL(url).port) };
}

const cors = ({ headers }) => ({
  "Access-Control-Allow-Origin": headers.origin ?? "", "Access-Control-Allow-Headers": headers["access-control-request-headers"] ?? "", Vary: "Origin",
});

/** Asks a server of this machine; resolves to its status and body. */
function ask(port, { method, url, headers }, body) {
  return new Promise((done, failed) => {
    const asked = request({ host: "127.0.0.1", port, method, path: url, headers, rejectUnauthorized: false }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => done({ status: response.statusCode, body: Buffer.concat(parts) }));
    });
    asked.on("error", failed).end(body);
  });
}

const listening = (server) => new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(server)));

/** Lets in who brings a token that the authority knows, and hands the rest on to the store. */
function startGateway(tls) {
  const server = createServer(tls, async (message, response) => {
    if (message.method === "OPTIONS") return response.writeHead(204, cors(message)).end();
    const parts = [];
    for await (const part of message) parts.push(part);
    const { authorization = "" } = message.headers;
    const issuer = new URL(authority.issuer);
    const known = await ask(Number(issuer.port), { method: "GET", url: `${issuer.pathname.replace(/\/$/, "")}/me`, headers: { authorization, host: issuer.host } });
    if (known.status !== 200) {
      const error = { error: { code: "InvalidTokenError", message: "The token is none of ours" } };
      return response.writeHead(401, { ...cors(message), "Content-Type": "application/json" }).end(JSON.stringify(error));
    }
    const { method, url } = message;
    const answer = await ask(store.port, { method, url, headers: { "content-type": "application/json" } }, Buffer.concat(parts));
    response.writeHead(answer.status, { ...cors(message), "Content-Type": "application/json" }).end(answer.body);
  });
  return listening(server);
}

/** Answers nothing, and hears when nobody waits any more. */
function startStuck(tls) {
  const server = createServer(tls, async (message, response) => {
    if (message.method === "OPTIONS") return response.writeHead(204, cors(message)).end();
    let body = "";
    for await (const part of message) body += part;
    const { csl } = JSON.parse(body);
    if (csl.startsWith(".cancel")) stopped.push(csl);
    response.on("close", () => response.writableFinished || stopped.push("closed"));
    if (csl.startsWith(".cancel")) response.writeHead(200, cors(message)).end("{}");
  });
  return listening(server);
}

const configuration = () => `
[workspaces.lab]
kind = "spoor"
endpoint = "https://localhost:${store.port}"
database = "${NAME}"

[workspaces.soc]
kind = "log-analytics"
cloud = "custom"
endpoint = "https://localhost:${gateway.address().port}"
authority = "${authority.issuer}"
client-id = "page"
scope = "openid"
workspace-id = "${NAME}"

[workspaces.stuck]
kind = "kusto"
cloud = "custom"
endpoint = "https://localhost:${stuck.address().port}"
database = "any"
`;

/** Opens the dialog of workspaces by the keyboard's way, the palette. */
async function openWorkspaces(page) {
  await page.keyboard.press("Control+Shift+C");
  await page.keyboard.type("Workspaces and sign-in");
  await page.keyboard.press("Enter");
  await page.locator("dialog.workspaces").waitFor();
}

async function configure(page, text) {
  await openWorkspaces(page);
  await page.getByLabel("Configuration (TOML)").fill(text);
  await page.locator("dialog.workspaces").getByRole("button", { name: "Save" }).click();
}

const closeDialog = (page) => page.locator("dialog.workspaces").getByRole("button", { name: "Close" }).click();

async function open(page, name) {
  await page.goto(`${site.url}/?nb=${name}`);
  await until(page, () => globalThis.spoor?.cells?.length > 0, undefined, 60_000);
}

/** Waits until every code cell has run, or one failed, since the first had the execution count `before`. */
const ended = (page, before) => until(page, (before) => {
  if (spoor.cells[0].count === before) return false;
  const states = [...document.querySelectorAll(".cell[data-state]")].map((cell) => cell.dataset.state);
  return states.every((state) => state === "done") || states.some((state) => ["failed", "interrupted"].includes(state));
}, before, 120_000);

/** Runs all cells and resolves to their outputs. */
async function run(page) {
  const before = await page.evaluate(() => spoor.cells[0].count);
  await page.keyboard.press("Control+Shift+C");
  await page.keyboard.type("Run all cells");
  await page.keyboard.press("Enter");
  await ended(page, before);
  return page.evaluate(() => spoor.cells.map((cell) => cell.outputs));
}

const text = (output) => (output.data ? [output.data["text/plain"]].flat().join("") : `${output.evalue}\n${output.traceback?.join("\n")}`);

test("what is wrong with a configuration is told with its lines, and changes nothing", () => withPage(async (page) => {
  await open(page, "open.ipynb");
  await configure(page, "[workspaces.lab]\nkind = 'spoor'\nendpont = 'https://localhost'\n");
  const told = page.locator("#workspaces-told");
  await told.getByText(/Line 3: .*endpont.*endpoint/).waitFor();
  await told.getByText(/Line 1: .*endpoint/).waitFor();
}, FLAGS));

test("a store is asked from KQL and from Python, and the configuration stays over a reload", () => withPage(async (page) => {
  await open(page, "open.ipynb");
  await configure(page, configuration());
  await page.locator('[data-workspace="lab"]').waitFor();
  await closeDialog(page);
  for (const again of [false, true]) {
    if (again) await page.reload();
    await until(page, () => globalThis.spoor?.cells?.length > 0, undefined, 60_000);
    const [query, python] = await run(page);
    assert.match(text(query[0]), /2024-03-01T09:00:00.0000000Z[^]*ben[^]*12[^]*2024-03-01T08:00:00.1234567Z[^]*ana[^]*3/);
    assert.equal(query[0].metadata.spoor.workspace, "lab");
    assert.match(text(python[0]), /^(np\.int64\()?4\)?$/);
  }
}, FLAGS));

test("the notebook's workspace runs what names none, offers its tables, and can be changed", () => withPage(async (page) => {
  await open(page, "current.ipynb");
  const chosen = page.getByLabel("Queries go to");
  await chosen.locator("option", { hasText: "lab (not configured here)" }).waitFor({ state: "attached" });
  await configure(page, configuration());
  await page.locator('[data-workspace="lab"]').waitFor();
  await closeDialog(page);
  assert.equal(await chosen.inputValue(), "lab");
  assert.deepEqual(await chosen.locator("option").allTextContents(), ["This notebook's data", "lab", "soc", "stuck"]);
  const [many, account, across] = await run(page);
  assert.match(text(many[0]), /ben[^]*12/);
  assert.equal(many[0].metadata.spoor.workspace, "lab");
  assert.match(text(account[0]), /ben/);
  assert.equal(account[0].metadata.spoor, undefined);
  assert.match(text(across[0]), /ana/);

  await page.locator("pre.source").first().click();
  await until(page, () => document.activeElement.matches(".cm-content"));
  await page.keyboard.press("Control+End");
  await page.keyboard.type("\n| project Tri");
  await page.locator(".cm-tooltip-autocomplete").getByText("Tries").waitFor();
  await page.keyboard.press("Escape");

  await chosen.selectOption("");
  const [[local]] = await run(page);
  assert.match(text(local), /Logs/);
  assert.equal(local.output_type, "error");
}, FLAGS));

test("a mistake in a query is told by the store, with its place; an unknown workspace with what to do", () => withPage(async (page) => {
  await open(page, "mistake.ipynb");
  await configure(page, configuration());
  await page.locator('[data-workspace="lab"]').waitFor();
  await closeDialog(page);
  const [[mistake]] = await run(page);
  assert.match(`${mistake.evalue}\n${mistake.traceback.join("\n")}`, /Treis[^]*Tries/);
  await open(page, "nowhere.ipynb");
  const [[nobody]] = await run(page);
  assert.match(nobody.evalue, /no workspace is called 'nobody'/);
  assert.match(nobody.traceback.join("\n"), /Workspaces/);
}, FLAGS));

test("a query that needs a sign-in says so, runs after it, and the token is not the session's", () => withPage(async (page) => {
  await open(page, "guarded.ipynb");
  await configure(page, configuration());
  await page.locator('[data-workspace="soc"]').waitFor();
  await closeDialog(page);
  const [[refused]] = await run(page);
  assert.match(refused.evalue, /workspace 'soc': nobody is signed in/);
  await page.locator("#toasts").getByRole("button", { name: "Sign in" }).click();
  const [popup] = await Promise.all([
    page.waitForEvent("popup"),
    page.getByRole("region", { name: "soc" }).getByRole("button", { name: /^Sign in/ }).first().click(),
  ]);
  await signInAs(popup, "ana");
  await page.getByRole("region", { name: "soc" }).getByText("ana").first().waitFor();
  await closeDialog(page);
  const [[sum]] = await run(page);
  assert.match(text(sum), /15/);
  // MSAL keeps the token in this tab; whatever else there is has none of it.
  const token = await page.evaluate(() => {
    const values = Object.values(sessionStorage);
    return values.map((value) => { try { return JSON.parse(value).secret; } catch { return undefined; } }).find(Boolean);
  });
  assert.ok(token, "MSAL keeps no token that could be looked for");
  // The kernel's and its driver's memory, and Python's.
  const inWorkers = (text) => {
    const guests = page.workers().filter((worker) => worker.url().endsWith("/worker.js"));
    return Promise.all(guests.map((worker) => worker.evaluate(search, text)));
  };
  // What is kept there is found, and so would be what came with it: a result, and the text of a cell.
  for (const text of ["kept-by-the-kernel", "kql('Logs', workspace='soc').shape"]) {
    const guests = await inWorkers(text);
    assert.ok(guests.some(({ memories, found }) => memories >= 2 && found > 0), `${text}: ${JSON.stringify(guests)}`);
  }
  const guests = await inWorkers(token);
  assert.equal(guests.length, 2);
  assert.ok(guests.every(({ found }) => found === 0), JSON.stringify(guests));
  const saved = JSON.stringify(await page.evaluate(() => [spoor.cells, location.href, { ...localStorage }, document.documentElement.outerHTML]));
  assert.ok(!saved.includes(token));
}, FLAGS));

test("a cell that signs in as on a terminal leads to where the page does", () => withPage(async (page) => {
  await open(page, "login.ipynb");
  const [[refused]] = await run(page);
  assert.equal(refused.ename, "SignIn");
  await page.locator("#toasts").getByRole("button", { name: "Sign in" }).click();
  await page.locator("dialog.workspaces").waitFor();
}));

test("nobody writes before what is kept is there", () => withPage(async (page) => {
  await page.addInitScript(() => new MutationObserver(() => {
    const text = document.getElementById("workspaces-text");
    if (text) globalThis.firstSeen ??= { readOnly: text.readOnly, save: document.querySelector("dialog.workspaces .dialog-foot .primary").disabled };
  }).observe(document, { childList: true, subtree: true }));
  await open(page, "slow.ipynb");
  await openWorkspaces(page);
  await page.locator("#workspaces-text:not([readonly])").waitFor();
  await page.locator("dialog.workspaces .dialog-foot .primary:enabled").waitFor();
  assert.deepEqual(await page.evaluate(() => firstSeen), { readOnly: true, save: true });
}, FLAGS));

test("an interrupt ends a query, and the service is told", () => withPage(async (page) => {
  await open(page, "slow.ipynb");
  await configure(page, configuration());
  await page.locator('[data-workspace="stuck"]').waitFor();
  await closeDialog(page);
  await page.keyboard.press("Control+Shift+C");
  await page.keyboard.type("Run all cells");
  await page.keyboard.press("Enter");
  await page.getByText("asking the service").first().waitFor();
  await page.keyboard.press("Control+Shift+C");
  await page.keyboard.type("Interrupt");
  await page.keyboard.press("Enter");
  await ended(page, null);
  for (let tries = 0; stopped.length < 2 && tries < 100; tries += 1) await new Promise((later) => setTimeout(later, 100));
  assert.ok(stopped.includes("closed"), JSON.stringify(stopped));
  assert.ok(stopped.some((what) => /^\.cancel query "Spoor;[0-9a-f]{32}"/.test(what)), JSON.stringify(stopped));
}, FLAGS));
