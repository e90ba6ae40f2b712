// Signing in from the page: real Chromium, the real page, npm's oidc-provider over https on loopback.
//
//   SPOOR_SITE=DIR node --test tests/browser/signin.test.mjs

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { consent, signInAs, startAuthority } from "./authority.mjs";
import { becomes, withPage } from "./browser.mjs";
import { serve } from "./server.mjs";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

const { SPOOR_SITE: root } = process.env;
if (!root) throw new Error("SPOOR_SITE is to name the site's folder");

/** Seconds that an access token lasts: renewed a minute before its end, it is good for six. */
const LASTS = 66;
const STALE = (LASTS - 60 + 1) * 1000;

/** The authority's certificate is its own. */
const FLAGS = { flags: ["--ignore-certificate-errors"] };
const SERVER = "https://logs.lab.example";

let folder, site, authority;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "spoor-signin-"));
  site = await serve(root, { texts: { "/data/index.json": "[]" } });
  authority = await startAuthority(folder, site.url, { ttl: { AccessToken: LASTS } });
});

after(async () => {
  authority?.close();
  await site?.close();
  if (folder) await rm(folder, { recursive: true });
});

const realm = (more = {}) => ({
  authority: authority.issuer, client_id: "page", scopes: ["hunt"], is_oidc: true, known_authorities: [], ...more,
});
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const digests = async () => (await authority.control()).answers.map(({ access_token: token }) => sha256(token));
const grants = async (type) => (await authority.control()).grants.filter((one) => one === type).length;

/** Opens the page with the accounts of `entries`. */
async function open(page, entries = [{ workspaces: ["lab"], realm: realm() }], address = "/") {
  await page.goto(site.url + address);
  await show(page, entries);
}

async function show(page, entries = [{ workspaces: ["lab"], realm: realm() }]) {
  await page.locator("#main > :not(noscript)").first().waitFor();
  await page.evaluate((entries) => spoor.signIn(entries), entries);
  await page.getByRole("list", { name: `Signed in for ${entries[0].workspaces}` }).getByRole("listitem").first().waitFor();
}

const names = (page) => page.locator("li.account").evaluateAll((rows) => rows.map((row) => row.dataset.account));
const status = (page) => page.locator(".realm [role=status]").first().textContent();
const token = (page, more, force = false) => page.evaluate(([realm, force]) => spoor.token(realm, force).catch((error) => `no: ${error}`), [realm(more), force]);

/** Whether the page has loaded MSAL, by what its scripts hold. */
async function hasMsal(page) {
  const scripts = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname));
  const texts = scripts.filter((name) => name.endsWith(".js")).map((name) => readFile(path.join(root, name), "utf8"));
  return (await Promise.all(texts)).some((text) => text.includes("msal.js.browser"));
}

/** Clicks, and gives the window that opens. */
async function windowOf(page, button = "Sign in…") {
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.getByRole("button", { name: button }).click()]);
  return popup;
}

/** As long as few persons are faster: a page believes that its window was closed if it saw it at the authority for a second. */
const seen = (page) => page.waitForTimeout(1500);

/** Signs somebody in, in a window. */
async function signIn(page, user, button) {
  const popup = await windowOf(page, button);
  const closed = popup.waitForEvent("close");
  await signInAs(popup, user);
  await closed;
  await page.locator(`li.account[data-account="${user}@contoso.example"]`).waitFor();
}

test("in a window: a token that the authority gave, and nothing of it in the page's keeping", () => withPage(async (page) => {
  await page.goto(site.url);
  await page.getByText("Hunts to start from").waitFor();
  assert.equal(await hasMsal(page), false, "who signs in nowhere loads nothing for it");
  await open(page);
  assert.equal(await hasMsal(page), true);
  assert.deepEqual(await names(page), []);
  assert.match(await token(page), /^no: nobody is signed in at https:\/\/localhost:\d+, or the sign-in has ended: sign in under Workspaces/);
  await signIn(page, "anna");
  assert.match(await status(page), /^anna@contoso\.example is signed in at /);
  assert.ok((await digests()).includes(await token(page)));
  // Off until somebody wants it.
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).filter((key) => /msal|signin/.test(key))), []);
  assert.equal(await page.evaluate(() => document.cookie), "");
  const other = await page.context().newPage();
  await open(other);
  assert.deepEqual(await names(other), [], "another tab is signed out");
  await page.reload();
  await show(page);
  assert.deepEqual(await names(page), ["anna@contoso.example"]);
}, FLAGS));

test("on the page itself, which comes back to where it was", () => withPage(async (page) => {
  const address = "/?nb=gallery/process-alert.ipynb";
  await open(page, undefined, address);
  await page.getByRole("button", { name: "Sign in on this page" }).click();
  await page.waitForURL(`${authority.issuer}/**`);
  await signInAs(page, "ben");
  await page.waitForURL(site.url + address);
  await page.getByText(/^ben@contoso\.example is signed in at /).first().waitFor();
  await show(page);
  assert.deepEqual(await names(page), ["ben@contoso.example"]);
  assert.ok((await digests()).includes(await token(page)));
  // The code is in no entry of the history, nor is what was kept for the way.
  assert.deepEqual(await page.evaluate(() => navigation.entries().map(({ url }) => url).filter((url) => /code=|state=/.test(url))), []);
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage).filter((key) => /urlHash|verifier|interaction|redirect/i.test(key))), []);
}, FLAGS));

test("renewal in silence, by a refresh token that changes each time", () => withPage(async (page) => {
  await open(page);
  await signIn(page, "anna");
  const first = await token(page);
  assert.equal(await token(page), first, "what is fresh is given again");
  const before = await grants("refresh_token");
  await page.waitForTimeout(STALE);
  // Several cells at once are one renewal.
  const renewed = await page.evaluate((realm) => Promise.all([1, 2, 3].map(() => spoor.token(realm, false))), realm());
  assert.equal(new Set(renewed).size, 1);
  assert.notEqual(renewed[0], first);
  assert.equal(await grants("refresh_token"), before + 1);
  const forced = await token(page, {}, true);
  assert.notEqual(forced, renewed[0]);
  const { answers } = await authority.control();
  const refresh = answers.slice(-3).map((answer) => answer.refresh_token);
  assert.equal(new Set(refresh).size, 3, "the refresh token was rotated");
  assert.equal(sha256(answers.at(-1).access_token), forced);
}, FLAGS));

test("a refresh token that was taken back asks for the person", () => withPage(async (page) => {
  await open(page);
  await signIn(page, "anna");
  const { answers } = await authority.control();
  await authority.revoke(answers.at(-1).refresh_token);
  assert.match(await token(page, {}, true), /^no: nobody is signed in at .*, or the sign-in has ended/);
  // Who is still known to the authority is asked for no more than a yes.
  await consent(await windowOf(page, "Sign in again: anna@contoso.example"));
  await becomes(async () => (await token(page)).startsWith("no"), false);
}, FLAGS));

test("two tabs renew in turn", () => withPage(async (page) => {
  await open(page);
  await page.getByLabel("Keep me signed in, in all tabs").check();
  await signIn(page, "anna");
  const other = await page.context().newPage();
  await open(other);
  assert.deepEqual(await names(other), ["anna@contoso.example"]);
  for (let round = 0; round < 3; round += 1) {
    const before = await grants("refresh_token");
    await page.waitForTimeout(STALE);
    const [one, two] = await Promise.all([token(page), token(other)]);
    assert.equal(one, two);
    assert.ok((await digests()).includes(one), one);
    assert.equal(await grants("refresh_token"), before + 1);
  }
  // A sign-out holds in both.
  await page.getByRole("button", { name: "Sign out: anna@contoso.example" }).click();
  await page.getByText("Nobody is signed in.").waitFor();
  await becomes(() => token(other), /^no: nobody is signed in/);
  // What was kept cannot be read by who finds it: the key is not beside it.
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).filter((key) => /accesstoken|refreshtoken|idtoken/i.test(key))), []);
}, FLAGS));

test("what is kept is encrypted, and goes when it is kept no more", () => withPage(async (page) => {
  await open(page);
  await page.getByLabel("Keep me signed in, in all tabs").check();
  await signIn(page, "anna");
  const { answers } = await authority.control();
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage }));
  for (const name of ["access_token", "refresh_token", "id_token"]) assert.ok(!kept.includes(answers.at(-1)[name]), name);
  await page.getByLabel("Keep me signed in, in all tabs").uncheck();
  await page.getByText("Nobody is signed in.").waitFor();
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).filter((key) => /token-|accesstoken|refreshtoken|idtoken|spoor\.signin/i.test(key))), []);
}, FLAGS));

test("a browser that is started anew has nobody signed in", async () => {
  for (const keep of [false, true]) {
    const kept = path.join(folder, `profile-${keep}`);
    await withPage(async (page) => {
      await open(page);
      if (keep) await page.getByLabel("Keep me signed in, in all tabs").check();
      await signIn(page, "anna");
    }, { ...FLAGS, kept });
    await withPage(async (page) => {
      await open(page);
      assert.deepEqual(await names(page), []);
      assert.match(await token(page), /^no: nobody is signed in/);
      assert.equal(await page.getByLabel("Keep me signed in, in all tabs").isChecked(), keep);
    }, { ...FLAGS, kept });
  }
});

test("two accounts, of which one is chosen", () => withPage(async (page) => {
  await open(page);
  await signIn(page, "anna");
  const annas = await token(page);
  await signIn(page, "ben", "Add an account…");
  assert.deepEqual((await names(page)).sort(), ["anna@contoso.example", "ben@contoso.example"]);
  const bens = await token(page);
  assert.notEqual(bens, annas, "who signed in last is asked for");
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run("dialog"));
  assert.deepEqual(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]), []);
  await page.getByLabel("anna@contoso.example", { exact: true }).check();
  await becomes(() => token(page), annas);
  await page.getByRole("button", { name: "Sign out: anna@contoso.example" }).click();
  await becomes(() => names(page), ["ben@contoso.example"]);
  assert.equal(await token(page), bens);
  await signIn(page, "anna", "Add an account…");
  await page.getByRole("button", { name: "Sign all out" }).click();
  await becomes(() => names(page), []);
}, FLAGS));

test("an authority whose clock is wrong", () => withPage(async (page) => {
  for (const offset of [900, -900]) {
    await authority.control({ offset });
    await open(page);
    await signIn(page, offset > 0 ? "anna" : "ben", offset > 0 ? undefined : "Add an account…");
    assert.ok((await digests()).includes(await token(page)));
    const before = await grants("refresh_token");
    await page.waitForTimeout(STALE);
    assert.doesNotMatch(await token(page), /^no/);
    assert.equal(await grants("refresh_token"), before + 1, "what is fresh is measured by this computer's clock");
  }
}, FLAGS).finally(() => authority.control({ offset: 0 })));

test("signing out at the authority too", () => withPage(async (page) => {
  await open(page);
  await signIn(page, "anna");
  const popup = await windowOf(page, "Everywhere: anna@contoso.example");
  const closed = popup.waitForEvent("close");
  await popup.getByRole("button", { name: "Yes, sign me out" }).click();
  await closed;
  await becomes(() => status(page), "Signed out.");
  assert.deepEqual(await names(page), []);
  // The authority asks who it is again.
  const again = await windowOf(page);
  await again.locator("input[name=login]").waitFor();
  await seen(page);
  await again.close();
  await becomes(() => status(page), /cancelled/);
}, FLAGS));

test("signing out here leaves the authority's session", () => withPage(async (page) => {
  await open(page);
  await signIn(page, "anna");
  await page.getByRole("button", { name: "Sign out: anna@contoso.example" }).click();
  await page.getByText("Nobody is signed in.").waitFor();
  const popup = await windowOf(page);
  await consent(popup);
  await page.locator('li.account[data-account="anna@contoso.example"]').waitFor();
}, FLAGS));

test("a window that is closed, and a wait that is given up", () => withPage(async (page) => {
  await open(page);
  const closed = await windowOf(page);
  await closed.locator("input[name=login]").waitFor();
  await seen(page);
  await closed.close();
  await becomes(() => status(page), /^The sign-in was cancelled before it was done/);
  const given = await windowOf(page);
  await given.locator("input[name=login]").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await becomes(() => status(page), /^The sign-in was cancelled before it was done/);
  await becomes(() => given.isClosed(), true);
  // Neither stands in the way of the next.
  await page.getByRole("button", { name: "Sign in on this page" }).click();
  await page.waitForURL(`${authority.issuer}/**`);
  await page.goBack();
  await show(page);
  await signIn(page, "anna");
}, FLAGS));

test("a page or an authority that keeps its windows apart does not see them closed, and people sign in all the same", () => withPage(async (page) => {
  const context = page.context();
  for (const [isolated, apart] of [[true, false], [false, true]]) {
    const own = await serve(root, { texts: { "/data/index.json": "[]" }, isolated, opened: ["/signin.html"] });
    const other = await startAuthority(folder, own.url, { apart });
    try {
      await page.goto(own.url);
      await show(page, [{ workspaces: ["lab"], realm: realm({ authority: other.issuer }) }]);
      assert.equal(await page.evaluate(() => crossOriginIsolated), isolated);
      const [left] = await Promise.all([context.waitForEvent("page"), page.getByRole("button", { name: "Sign in…" }).click()]);
      await left.locator("input[name=login]").waitFor();
      await page.waitForTimeout(4000);
      assert.match(await status(page), /^Go on in the window/, "it only looks closed");
      await page.getByRole("button", { name: "Cancel" }).click();
      await becomes(() => status(page), /cancelled/);
      const [popup] = await Promise.all([context.waitForEvent("page"), page.getByRole("button", { name: "Sign in…" }).click()]);
      const closed = popup.waitForEvent("close");
      await signInAs(popup, "anna");
      await page.locator('li.account[data-account="anna@contoso.example"]').waitFor();
      await closed;
      await left.close();
    } finally {
      other.close();
      await own.close();
    }
  }
}, FLAGS));

test("what a person, a browser and an authority refuse is told apart", () => withPage(async (page) => {
  await open(page);
  const popup = await windowOf(page);
  await popup.locator("input[name=login]").waitFor();
  await popup.getByRole("link", { name: /cancel/i }).click();
  await becomes(() => status(page), /refused: access_denied \(End-User aborted interaction\)/);
  await authority.control({ inject: [{ error: "temporarily_unavailable", error_description: `no token eyJ${"x".repeat(60)} today` }] });
  const refused = await windowOf(page);
  await signInAs(refused, "anna");
  await becomes(() => status(page), /refused: temporarily_unavailable \(no token … today\)/);
  await page.evaluate(() => { [globalThis.opens, window.open] = [window.open, () => null]; });
  await page.getByRole("button", { name: "Sign in…" }).click();
  await becomes(() => status(page), /^The browser let no window be opened/);
  const nobody = realm({ authority: "https://localhost:9" });
  assert.match(await page.evaluate((realm) => spoor.token(realm, false).catch(String), nobody), /^nobody is signed in at https:\/\/localhost:9/);
  await show(page, [{ workspaces: ["gone"], realm: nobody }]);
  await page.evaluate(() => { window.open = opens; });
  await page.locator(".realm[aria-label=gone]").getByRole("button", { name: "Sign in…" }).click();
  await becomes(() => page.locator(".realm[aria-label=gone] [role=status]").textContent(), /^The authority https:\/\/localhost:9 cannot be reached/);
  const plain = realm({ authority: "http://localhost:9" });
  assert.match(await page.evaluate((realm) => spoor.token(realm, false).catch(String), plain), /cannot be signed in to as it is configured \(authority_uri_insecure\)/);
}, FLAGS));

test("a sign-in is for the server and the resource that it was for", () => withPage(async (page) => {
  const lab = realm({ server: SERVER, resource: SERVER });
  await open(page, [{ workspaces: ["lab"], realm: lab }]);
  await signIn(page, "anna");
  assert.ok((await digests()).includes(await token(page, lab)));
  assert.equal((await authority.control()).answers.at(-1).resource, SERVER);
  assert.doesNotMatch(await token(page, lab, true), /^no/);
  const { answers } = await authority.control();
  assert.equal(answers.at(-1).resource, SERVER, "and so is what is renewed");
  assert.match(await token(page, { server: "https://elsewhere.example" }), /is for another server than https:\/\/elsewhere\.example/);
}, FLAGS));

test("Microsoft's authority is asked as it wants to be", () => withPage(async (page) => {
  const scope = "https://api.loganalytics.io/Data.Read";
  const entra = realm({ authority: "https://login.microsoftonline.com/contoso.example", client_id: "0f1e2d3c-0000-1111-2222-333344445555", scopes: [scope], is_oidc: false });
  await open(page, [{ workspaces: ["sentinel"], realm: entra }]);
  const asked = page.context().waitForEvent("request", (request) => request.url().startsWith("https://login.microsoftonline.com/"));
  await page.getByRole("button", { name: "Sign in…" }).click();
  const { pathname, searchParams } = new URL((await asked).url());
  assert.equal(pathname, "/contoso.example/oauth2/v2.0/authorize");
  const { client_id: client, redirect_uri: back, response_type: type, response_mode: mode, code_challenge_method: method, prompt, scope: scopes } = Object.fromEntries(searchParams);
  assert.deepEqual([client, back, type, mode, method, prompt], [entra.client_id, `${site.url}/signin.html`, "code", "fragment", "S256", "select_account"]);
  assert.deepEqual(scopes.split(" ").sort(), [scope, "offline_access", "openid", "profile"]);
  assert.match(searchParams.get("code_challenge"), /^[\w-]{43}$/);
  await page.getByRole("button", { name: "Cancel" }).click();
  await becomes(() => status(page), /cancelled/);
}, { flags: [...FLAGS.flags, "--host-resolver-rules=MAP login.microsoftonline.com ~NOTFOUND"] }));

test("signin.html keeps its answer to itself", () => withPage(async (page) => {
  await page.goto(`${site.url}/signin.html#code=canary&state=bm9uc2Vuc2U`);
  await page.getByText("That is all.").waitFor();
  assert.equal(page.url(), `${site.url}/signin.html`);
  const forged = Buffer.from(JSON.stringify({ id: "x", meta: { interactionType: "redirect" } })).toString("base64url");
  await page.evaluate(() => sessionStorage.setItem("msal.interaction.status", JSON.stringify({ clientId: "page", type: "signin" })));
  await page.evaluate(() => sessionStorage.setItem("msal.page.request.origin", "https://elsewhere.example/"));
  await page.goto("about:blank");
  await page.goto(`${site.url}/signin.html#code=canary&state=${forged}`);
  await page.waitForURL(`${site.url}/`);
}, FLAGS));

test("no token is anywhere but in MSAL's keeping and in the requests that carry it", () => withPage(async (page) => {
  const context = page.context();
  const seen = [];
  const see = (what, text) => seen.push([what, String(text)]);
  context.on("request", (request) => {
    see("an address", request.url());
    see("a referrer", request.headers().referer);
    const form = new URLSearchParams(request.postData() ?? "");
    // These are what the token endpoint is asked with, and nobody else.
    const { origin, pathname } = new URL(request.url());
    if (origin + pathname !== `${authority.issuer}/token`) see("a request", request.postData());
    else for (const [name, value] of form) if (!["refresh_token", "code", "code_verifier"].includes(name)) see(`the form's ${name}`, value);
    see("a header", JSON.stringify(request.headers()));
  });
  context.on("console", (message) => see("the console", message.text()));
  for (const event of ["page", "framenavigated"]) {
    context.on(event, (one) => one.on?.("framenavigated", (frame) => see("a navigation", frame.url())));
  }
  await context.addInitScript(() => {
    globalThis.said = [];
    const text = (message) => JSON.stringify(message, (_, value) => (ArrayBuffer.isView(value) ? new TextDecoder().decode(value) : value)) ?? "";
    for (const kind of [Worker, MessagePort]) {
      const post = kind.prototype.postMessage;
      kind.prototype.postMessage = function (...given) {
        said.push(text(given[0]));
        return post.apply(this, given);
      };
    }
  });
  const look = async () => seen.push(...(await page.evaluate(contents, (await authority.control()).given)));
  const before = (await authority.control()).grants.length;
  // Every way: a window, this page, renewed, refused, kept.
  const address = "/?nb=gallery/process-alert.ipynb";
  await open(page, undefined, address);
  await signIn(page, "anna");
  await page.waitForTimeout(STALE);
  await token(page);
  await look();
  await page.getByRole("button", { name: "Add one on this page" }).click();
  await page.waitForURL(`${authority.issuer}/**`);
  await signInAs(page, "ben");
  await page.waitForURL(site.url + address);
  await show(page);
  await token(page, {}, true);
  await authority.control({ inject: [{ error: "invalid_grant", error_description: "no" }] });
  assert.match(await token(page, {}, true), /^no/);
  await page.getByLabel("Keep me signed in, in all tabs").check();
  const popup = await windowOf(page);
  await consent(popup);
  await becomes(() => names(page), ["ben@contoso.example"]);
  await page.keyboard.press("Escape");

  await look();

  // The notebook is saved in the browser.
  await page.locator(".cell").first().focus();
  await page.keyboard.press("Control+s");
  await page.getByRole("textbox", { name: "Name" }).fill("Hunt");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\?file=/);
  await becomes(() => page.locator(".saved").textContent(), "saved");
  const { given, grants } = await authority.control();
  const [code, refresh] = ["authorization_code", "refresh_token"];
  assert.deepEqual(grants.slice(before), [code, refresh, code, refresh, code]);
  assert.ok(context.pages().length === 1);
  await look();
  for (const token of given) {
    for (const [what, text] of seen.filter(([what]) => what !== "MSAL's keeping")) {
      assert.ok(!text.includes(token), `a token is in ${what}: ${text.slice(0, 200)}`);
    }
  }
  // Where nothing was looked at nothing is found.
  assert.ok(seen.some(([what, text]) => what === "MSAL's keeping" && given.some((token) => text.includes(token))));
  const whole = seen.map(([what]) => what);
  for (const what of ["an address", "a header", "a message", "the history", "the document", "a database", "a notebook"]) assert.ok(whole.includes(what), what);
}, FLAGS));

/** What the page has in its own keeping: pairs of what it is, and the first of `tokens` in it, else how it begins. Runs in the page. */
async function contents(tokens) {
  const found = [["the document", document.documentElement.outerHTML], ["a cookie", document.cookie], ["the name of the window", window.name]];
  const text = (bytes) => new TextDecoder().decode(bytes);
  for (const { url } of navigation.entries()) found.push(["the history", url]);
  for (const message of said) found.push(["a message", message]);
  for (const [name, storage] of Object.entries({ localStorage, sessionStorage })) {
    for (const [key, value] of Object.entries(storage)) {
      // In this tab MSAL keeps tokens as they are.
      found.push([name === "sessionStorage" && key.startsWith("msal.") ? "MSAL's keeping" : `${name} ${key}`, value]);
    }
  }
  const walk = async (folder, at) => {
    for await (const [name, handle] of folder) {
      if (handle.kind === "directory") await walk(handle, `${at}/${name}`);
      else found.push(["a file", `${at}/${name} ${text(await (await handle.getFile()).arrayBuffer())}`]);
    }
  };
  await walk(await navigator.storage.getDirectory(), "");
  for (const { name } of await indexedDB.databases()) {
    const done = (request) => new Promise((over, failed) => { request.onsuccess = () => over(request.result); request.onerror = () => failed(request.error); });
    const database = await done(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const all = await done(database.transaction(store).objectStore(store).getAll());
      const whole = `${name} ${store} ${JSON.stringify(all, (_, value) => (ArrayBuffer.isView(value) || value instanceof ArrayBuffer ? text(value) : value))}`;
      found.push([whole.includes("nbformat") ? "a notebook" : "a database", whole]);
    }
    database.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) found.push(["a cache", `${request.url} ${await (await cache.match(request)).text()}`]);
  }
  return found.map(([what, text]) => [what, tokens.find((token) => text.includes(token)) ?? text.slice(0, 10_000)]);
}
