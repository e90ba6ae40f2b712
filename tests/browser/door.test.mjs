// The page behind the door of `spoor serve --access`, in Chromium: whoever signs in at a real authority (oidc-provider) asks the
// workspaces that the server asks for them, is named, and signs out.
//
//   SPOOR_SITE=DIR SPOOR=COMMAND node --test tests/browser/door.test.mjs

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

import { signInAs, startPlainAuthority } from "./authority.mjs";
import { until, withPage } from "./browser.mjs";

const { SPOOR_SITE: root, SPOOR: command } = process.env;
if (!root || !command) throw new Error("SPOOR_SITE is to name the site's folder, and SPOOR the command");

const LOGS = `Account,Tries\n${Array.from({ length: 30 }, (_, n) => `user${n},${n}`).join("\n")}\n`;

const code = (id, source) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs: [], source });
const HUNT = JSON.stringify({
  nbformat: 4, nbformat_minor: 5, metadata: { spoor: { workspace: "soc" } },
  cells: ["%%kql\nLogs | where Tries > 27", "kql('Logs | count', workspace='soc').iloc[0, 0]", "%%kql --workspace soc\nLogs"]
    .map((source, at) => code(`c${at}`, source)),
});

let folder, authority, store, server;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "spoor-door-"));
  for (const name of ["data", "hunts"]) await mkdir(path.join(folder, name));
  await writeFile(path.join(folder, "data/Logs.csv"), LOGS);
  await writeFile(path.join(folder, "hunts/hunt.ipynb"), HUNT);
  authority = await startPlainAuthority({ groups: { ana: ["soc"] } });
  store = await started(["serve", "--api", "--port", "0", "--data", path.join(folder, "data")]);
  const port = await freePort();
  await writeFile(path.join(folder, "access.toml"), `address = "http://127.0.0.1:${port}"
[authority]
issuer = "${authority.issuer}"
client-id = "door"
[audit]
file = "audit.jsonl"
[[roles]]
role = "responder"
claim = "groups"
values = ["soc"]
folders = ["*"]
workspaces = ["soc"]
[workspaces.soc]
identity = "server"
`);
  await writeFile(path.join(folder, "spoor.toml"), `[workspaces.soc]
kind = "kusto"
cloud = "custom"
endpoint = "${store.url}"
plain-loopback = true
database = "spoor"
# Of which the third cell hears.
[workspaces.soc.limits]
rows = 20
`);
  server = await started(["serve", "--port", String(port), "--site", root, "--notebooks", path.join(folder, "hunts"),
    "--access", path.join(folder, "access.toml"), "--config", path.join(folder, "spoor.toml")]);
});

after(async () => {
  authority?.close();
  for (const one of [store, server]) one?.child.kill();
  if (folder) await rm(folder, { recursive: true });
});

/** The command, once it has said where it is. */
async function started(args) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /is at (http:\/\/[^\s/]+)/.exec(line);
    if (found) return { child, url: found[1] };
  }
  throw new Error(`spoor ${args.join(" ")} did not start`);
}

const freePort = () => new Promise((found) => {
  const taken = createServer().listen(0, "127.0.0.1", () => {
    const { port } = taken.address();
    taken.close(() => found(port));
  });
});

test("who signs in asks the server's workspaces, is named, and signs out", () => withPage(async (page) => {
  await page.goto(`${server.url}/?server=hunt.ipynb`);
  await signInAs(page, "ana");
  await until(page, () => globalThis.spoor?.cells?.length === 3, undefined, 60_000);
  const chosen = page.getByLabel("Queries go to");
  await chosen.locator("option", { hasText: /^soc$/ }).waitFor({ state: "attached" });
  assert.equal(await chosen.inputValue(), "soc");

  await page.keyboard.press("Control+Shift+C");
  await page.keyboard.type("Run all cells");
  await page.keyboard.press("Enter");
  await until(page, () => [...document.querySelectorAll(".cell[data-state]")].length === 3
    && [...document.querySelectorAll(".cell[data-state]")].every((cell) => cell.dataset.state === "done"), undefined, 120_000);
  const outputs = await page.evaluate(() => spoor.cells.map((cell) => cell.outputs));
  const text = (output) => [output.data["text/plain"]].flat().join("");
  assert.match(text(outputs[0][0]), /user28[^]*user29/);
  assert.equal(outputs[0][0].metadata.spoor.workspace, "soc");
  assert.match(text(outputs[1][0]), /^(np\.int64\()?30\)?$/);
  // What is missing comes along by a header.
  assert.match(text(outputs[2][0]), /Partial result of workspace 'soc'.*20/);

  // The tables came along, and are offered in what is typed next.
  await page.locator("pre.source").first().click();
  await until(page, () => document.activeElement.matches(".cm-content"));
  await page.keyboard.press("Control+End");
  await page.keyboard.type(" and Acc");
  await page.locator(".cm-tooltip-autocomplete").getByText("Account").waitFor();
  await page.keyboard.press("Escape");

  await page.goto(`${server.url}/`);
  await page.getByText("Signed in as ana").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  // The authority still knows who it was, and says who may come back.
  await page.waitForURL((url) => url.origin !== server.url || url.pathname === "/");
  const asked = await fetch(`${server.url}/api/`, { redirect: "manual" });
  assert.equal(asked.status, 401);
}));
