// An OpenID Connect authority for the tests: npm's oidc-provider on 127.0.0.1, at a port of the system's choice.
//
// Started with its settings as JSON in argv: { ttl, offset, groups, tls: { key, cert }, page, apart }. Prints { issuer } and ends with its
// standard input. At /control it takes { offset, inject, mend } (seconds that its clock is ahead; refusals for the next token requests;
// changes to the next ID token: { claims, alg, key }) and tells what it has given out. `page` is the origin of a page that people
// sign in from, as the client "page"; with `apart` its pages keep their windows from whoever opened them.

import { createHmac, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";

import Provider from "../../../../web/node_modules/oidc-provider/lib/index.js";

const settings = JSON.parse(process.argv[2] ?? "{}");
let offset = settings.offset ?? 0;
let inject = [];
let mend = null;
const given = [];
const grants = [];
const answers = [];
const refused = [];

const now = Date.now;
Date.now = () => now() + offset * 1000;

const pair = () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const own = pair();
const jwk = { ...own.export({ format: "jwk" }), kid: "own", alg: "RS256", use: "sig" };

const device = "urn:ietf:params:oauth:grant-type:device_code";

function page() {
  return {
    client_id: "page",
    application_type: "web",
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: [`${settings.page}/signin.html`],
    post_logout_redirect_uris: [`${settings.page}/signin.html`],
  };
}

function configuration() {
  return {
    clients: [
      {
        client_id: "spoor",
        application_type: "native",
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token", device],
        response_types: ["code"],
        redirect_uris: ["http://127.0.0.1/"],
      },
      ...["none", "client_secret_basic"].map((way) => ({
        client_id: way === "none" ? "door" : "door-with-secret",
        ...(way === "none" ? {} : { client_secret: "door-secret-canary" }),
        application_type: "native",
        token_endpoint_auth_method: way,
        grant_types: ["authorization_code"],
        response_types: ["code"],
        redirect_uris: ["http://127.0.0.1/signin/callback"],
      })),
      {
        client_id: "robot",
        client_secret: "robot-secret",
        grant_types: ["client_credentials"],
        response_types: [],
        redirect_uris: [],
      },
      ...(settings.page ? [page()] : []),
    ],
    clientBasedCORS: (_, origin) => origin === settings.page,
    scopes: ["openid", "offline_access", "profile", "hunt", "other"],
    jwks: { keys: [jwk] },
    claims: { openid: ["sub", "groups"], profile: ["preferred_username"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["for tests"] },
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({ scope: "hunt other", audience: resource, accessTokenFormat: "opaque" }),
        useGrantedResource: () => true,
      },
    },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: `${id}@contoso.example`, groups: settings.groups?.[id] }),
    }),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: { AccessToken: 3600, RefreshToken: 86400, IdToken: 3600, DeviceCode: 600, Interaction: 600, Session: 3600, Grant: 86400, ...settings.ttl },
  };
}

// An ID token as somebody would make it who cannot sign as the authority, or as an authority would that is wrong.
function mended(token) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const read = (text) => JSON.parse(Buffer.from(text, "base64url").toString());
  const [header, claims] = token.split(".").slice(0, 2).map(read);
  const { alg = "RS256", key } = mend;
  const text = `${part({ ...header, alg })}.${part({ ...claims, ...mend.claims })}`;
  mend = null;
  if (alg === "none") return `${text}.`;
  // The public key, which anybody knows, taken for a secret.
  if (alg === "HS256") return `${text}.${createHmac("sha256", createPublicKey(own).export({ type: "spki", format: "pem" })).update(text).digest("base64url")}`;
  return `${text}.${sign("sha256", Buffer.from(text), key === "other" ? pair() : own).toString("base64url")}`;
}

async function watch(ctx, next) {
  ctx.set("Date", new Date(Date.now()).toUTCString());
  if (settings.apart) ctx.set("Cross-Origin-Opener-Policy", "same-origin");
  if (ctx.path === "/token" && inject.length > 0) {
    ctx.status = 400;
    ctx.body = inject.shift();
    if (settings.page) ctx.set("Access-Control-Allow-Origin", settings.page);
    return;
  }
  await next();
  if (ctx.path === "/device/auth" && ctx.status === 200) ctx.body = { ...ctx.body, interval: 1 };
  if (ctx.path !== "/token") return;
  if (mend && ctx.body?.id_token) ctx.body = { ...ctx.body, id_token: mended(ctx.body.id_token) };
  const type = ctx.oidc?.params?.grant_type;
  if (ctx.status === 200) {
    grants.push(type);
    answers.push({ type, resource: ctx.oidc.params.resource, ...ctx.body });
    given.push(...["access_token", "refresh_token", "id_token"].map((name) => ctx.body[name]).filter(Boolean));
  } else {
    refused.push(ctx.body?.error);
  }
}

function control(request, response) {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    const wanted = JSON.parse(body || "{}");
    offset = wanted.offset ?? offset;
    inject = wanted.inject ?? inject;
    mend = wanted.mend ?? mend;
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ given, grants, answers, refused }));
  });
}

let answer;
const listen = (request, response) => {
  if (request.url === "/control") control(request, response);
  else answer(request, response);
};
const server = settings.tls ? createTlsServer(settings.tls, listen) : createServer(listen);
server.listen(0, "127.0.0.1", () => {
  const issuer = `${settings.tls ? "https://localhost" : "http://127.0.0.1"}:${server.address().port}`;
  const provider = new Provider(issuer, configuration());
  provider.use(watch);
  answer = provider.callback();
  console.log(JSON.stringify({ issuer }));
});
process.stdin.on("end", () => process.exit(0)).resume();
