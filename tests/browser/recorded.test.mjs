// What workspaces answered is recorded on the host and given again in the page: a real service's protocol on loopback, the real
// command, Chromium. The page asks nobody but its own site.
//
//   SPOOR_SITE=DIR SPOOR=FILE node --test tests/browser/recorded.test.mjs

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { until, withPage } from "./browser.mjs";
import { serve } from "./server.mjs";

const { SPOOR_SITE: root, SPOOR: command } = process.env;
if (!root || !command) throw new Error("SPOOR_SITE is to name the site's folder, and SPOOR the command");

const code = (id, source) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs: [], source });
const notebook = (cells) => JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });
const HUNT = notebook([
  code("q", "%%kql --workspace soc --timespan P1D --as failures\nSigninLogs | where ResultType != 0"),
  code("p", "kql('SigninLogs | count', workspace='soc', allow_partial=True).attrs['spoor']['workspace']"),
]);

/** Log Analytics, of which one answer is not whole. */
const ANSWER = {
  tables: [{
    name: "PrimaryResult",
    columns: [{ name: "TimeGenerated", type: "datetime" }, { name: "Account", type: "string" }, { name: "Tries", type: "long" }],
    rows: [["2024-03-01T08:00:00.1234567Z", "ana", 3], ["2024-03-01T09:00:00Z", null, 9007199254740993n.toString()]],
  }],
};
const PARTIAL = { code: "PartialError", message: "There were some errors when processing your query.", details: [{ code: "EngineError", message: "a shard did not answer" }] };

let service, folder, site;
const asked = [];

before(async () => {
  service = createServer((request, response) => {
    let body = "";
    request.on("data", (bytes) => { body += bytes; });
    request.on("end", () => {
      const { query, timespan } = JSON.parse(body);
      asked.push({ query: query.trim(), timespan, url: request.url });
      const answer = JSON.stringify({ ...ANSWER, error: query.includes("where") ? PARTIAL : undefined });
      // A number that JavaScript has not, as the service writes it.
      response.writeHead(200, { "Content-Type": "application/json" }).end(answer.replace('"9007199254740993"', "9007199254740993"));
    });
  });
  await new Promise((ready) => service.listen(0, "127.0.0.1", ready));
  folder = await mkdtemp(path.join(tmpdir(), "spoor-recorded-"));
  await writeFile(path.join(folder, "hunt.ipynb"), HUNT);
  await writeFile(path.join(folder, "spoor.toml"), `
[workspaces.soc]
kind = "log-analytics"
cloud = "custom"
endpoint = "http://127.0.0.1:${service.address().port}"
plain-loopback = true
workspace-id = "00000000-0000-0000-0000-000000000001"
`);
  const run = (output, ...args) => promisify(execFile)(command, ["run", "hunt.ipynb", "-o", output, ...args], { cwd: folder });
  await run("done.ipynb", "--record", "done.recorded");
  assert.equal(asked.length, 2);
  await new Promise((done) => service.close(done));
  // Nobody answers any more, and nobody is asked.
  await run("again.ipynb", "--replay", "done.recorded");
  assert.equal(asked.length, 2);
  site = await serve(root, { mounts: { "/hunts/": folder }, texts: { "/data/index.json": "[]" } });
});

after(async () => {
  await site?.close();
  service?.close();
  if (folder) await rm(folder, { recursive: true });
});

test("the service is asked for what the cells say", () => {
  assert.deepEqual(asked.map(({ query, timespan }) => [query, timespan]), [["SigninLogs | where ResultType != 0", "P1D"], ["SigninLogs | count", undefined]]);
  assert.ok(asked.every(({ url }) => url === "/v1/workspaces/00000000-0000-0000-0000-000000000001/query"), JSON.stringify(asked));
});

test("the saved notebook says that a result is not whole, and where recorded answers are", async () => {
  const { metadata, cells } = JSON.parse(await readFile(path.join(folder, "done.ipynb"), "utf8"));
  assert.equal(metadata.spoor.recorded, "done.recorded");
  const [notice, result] = cells[0].outputs;
  assert.match(notice.data["text/plain"].toString(), /Partial result of workspace 'soc': .*a shard did not answer/);
  assert.equal(result.metadata.spoor.workspace, "soc");
  assert.match(result.metadata.spoor.partial[0], /a shard did not answer/);
  assert.match(result.data["text/plain"].toString(), /2024-03-01T08:00:00.1234567Z.*ana.*3[^]*9007199254740993/);
  const again = JSON.parse(await readFile(path.join(folder, "again.ipynb"), "utf8"));
  assert.match(again.cells[0].outputs[0].data["text/plain"].toString(), /Recorded from workspace 'soc' on 2\d{3}-/);
  assert.deepEqual(again.cells[0].outputs[1].data, result.data);
});

test("the page runs it again from what was recorded, and says so", () => withPage(async (page) => {
  await page.goto(`${site.url}/?nb=hunts/done.ipynb&run`);
  await until(page, () => spoor.finished, undefined, 120_000);
  const [query, python] = await page.evaluate(() => spoor.cells.map((cell) => cell.outputs));
  const text = (output) => [output.data["text/plain"]].flat().join("");
  assert.match(text(query[0]), /Partial result of workspace 'soc'[^]*Recorded from workspace 'soc' on 2\d{3}-/);
  assert.match(text(query[1]), /9007199254740993/);
  assert.equal(text(python[0]), "'soc'");
  await page.getByText("Recorded from workspace 'soc'").first().waitFor();
}));

test("a query that was not recorded says what to do", () => withPage(async (page) => {
  await writeFile(path.join(folder, "other.ipynb"), JSON.stringify({
    ...JSON.parse(notebook([code("q", "%%kql --workspace soc\nSecurityAlert")])), metadata: { spoor: { recorded: "done.recorded" } },
  }));
  await page.goto(`${site.url}/?nb=hunts/other.ipynb&run`);
  await until(page, () => spoor.finished, undefined, 120_000);
  const [error] = await page.evaluate(() => spoor.cells[0].outputs);
  assert.match(error.evalue, /this query of workspace 'soc' is not recorded/);
  assert.match(error.traceback.join("\n"), /spoor run --record DIR/);
}));
