// An authority for the browser's tests: npm's oidc-provider over https, as the host's tests start it too, and a person at its pages.

import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PROVIDER = fileURLToPath(new URL("../../host/signin/tests/support/provider.mjs", import.meta.url));

/** A certificate that nobody vouches for, made in `folder`. */
export async function certificate(folder) {
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => path.join(folder, name));
  await promisify(execFile)("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert]);
  return { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
}

/**
 * Starts an authority where the client "page" signs people in from the origin `page`. `folder` is for its certificate; `settings` are
 * more of provider.mjs's. Resolves to `{ issuer, control, revoke, close }`.
 */
export async function startAuthority(folder, page, settings = {}) {
  const tls = await certificate(folder);
  return started({ ...settings, tls, page });
}

/** Starts an authority in plain http, which a server on the same machine takes: its client "door" is that server's. */
export function startPlainAuthority(settings) {
  return started(settings);
}

/** How long an authority may take to start, in milliseconds: some sixty times what it takes. */
const START = 60_000;

async function started(settings) {
  const child = spawn(process.execPath, [PROVIDER, JSON.stringify(settings)], { stdio: ["pipe", "pipe", "ignore"] });
  let late;
  const issuer = await new Promise((found, failed) => {
    createInterface({ input: child.stdout }).on("line", (line) => line.startsWith('{"issuer"') && found(JSON.parse(line).issuer));
    child.on("exit", (code, signal) => failed(new Error(`the authority ended as it started (${signal ?? code})`)));
    late = setTimeout(() => child.kill("SIGKILL"), START);
  }).finally(() => clearTimeout(late));
  return {
    issuer,
    /** Changes settings, and tells what was given out. */
    control: (wanted = {}) => post(`${issuer}/control`, JSON.stringify(wanted), "application/json").then(JSON.parse),
    /** Takes a refresh token back. */
    revoke: (token) => post(`${issuer}/token/revocation`, new URLSearchParams({ token, client_id: "page" }).toString(), "application/x-www-form-urlencoded"),
    close: () => child.stdin.end(),
  };
}

function post(url, body, type) {
  return new Promise((done, failed) => {
    const asked = request(url, { method: "POST", rejectUnauthorized: false, headers: { "Content-Type": type } }, (response) => {
      let text = "";
      response.on("data", (part) => { text += part; });
      response.on("end", () => (response.statusCode === 200 ? done(text) : failed(new Error(`${response.statusCode} ${text}`))));
    });
    asked.on("error", failed).end(body);
  });
}

/** Fills in the authority's pages as `user`, until they lead away from it. */
export async function signInAs(page, user) {
  await page.locator("input[name=login]").fill(user);
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  await consent(page);
}

/** Says yes to what is asked for. */
export async function consent(page) {
  await page.getByRole("button", { name: "Continue" }).click();
}
