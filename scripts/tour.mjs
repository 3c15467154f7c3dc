// npm run tour: walks the running stack with the HTTP calls a person would make, and shows each call and its answer.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { paint } from './processes.mjs';
import { clientSecrets, portOf, REALM, services } from './services.mjs';
import { TourBrowser } from './tour-browser.mjs';
import { call, claims, expect, expectThat, explain, hide, steps, TourError } from './tour-calls.mjs';

process.chdir(join(import.meta.dirname, '..'));
if (existsSync('.env')) process.loadEnvFile('.env');

const secrets = clientSecrets(process.env);
const ownServer = `http://localhost:${portOf(process.env, 'KEYCLOAK_PORT', 8080)}`;
const keycloakUrl = (process.env.KEYCLOAK_BASE_URL || ownServer).replace(/\/$/, '');
const realm = process.env.KEYCLOAK_REALM || REALM;
const ports = Object.fromEntries(services(process.env).map(({ letter, port }) => [letter, port]));
const serviceA = process.env.SERVICE_A_URL || `http://localhost:${ports.A}`;
const serviceC = process.env.SERVICE_C_URL || `http://localhost:${ports.C}`;

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
for (const secret of Object.values(secrets)) hide(secret);

try {
  const { token_endpoint: tokenEndpoint, introspection_endpoint: introspectionEndpoint } = await startingPoint();
  await chainByHand(tokenEndpoint, introspectionEndpoint);
  await usersWithTokens(tokenEndpoint);
  await usersWithBrowsers();
  await attacks();
  console.log(paint(32, `\nAll ${steps()} steps went as they should.`));
} catch (error) {
  console.error(paint(31, `\n${error instanceof TourError ? error.message : error.stack}`));
  process.exitCode = 1;
}

async function chainByHand(tokenEndpoint, introspectionEndpoint) {
  explain(
    'Service A asks for a token of its own (client credentials, RFC 6749 §4.4). One scope decides both what the token permits and whom it is for: aud is service-b.',
  );
  const forA = await form(tokenEndpoint, { grant_type: 'client_credentials', scope: 'orders.approve' }, 'service-a');
  expect(forA, 200, 'a token');
  const tokenA = forA.body.access_token;
  const claimsA = claims(tokenA, { aud: 'service-b', azp: 'service-a' });
  expectThat(words(claimsA.scope).includes('orders.approve'), 'scope holds orders.approve');

  explain('Service B receives it and asks Keycloak whether it is good (introspection, RFC 7662). It is.');
  const atB = await form(introspectionEndpoint, { token: tokenA }, 'service-b');
  expect(atB, 200, 'active', { active: true, aud: 'service-b', azp: 'service-a' });

  explain(
    'Service C asks the same about the same token. It is not meant for C, so Keycloak says no more than: not active.',
  );
  const atC = await form(introspectionEndpoint, { token: tokenA }, 'service-c');
  expect(atC, 200, 'not active', { active: false });

  explain(
    'So Service B does not pass it on: it exchanges it for one that is meant for Service C (token exchange, RFC 8693). Still for the same subject (sub), but now azp is service-b, aud is service-c, and it lives a minute.',
  );
  const exchange = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: tokenA,
    subject_token_type: ACCESS_TOKEN,
    requested_token_type: ACCESS_TOKEN,
    audience: 'service-c',
    scope: 'analytics.run',
  };
  const exchanged = await form(tokenEndpoint, exchange, 'service-b');
  expect(exchanged, 200, 'another token', { issued_token_type: ACCESS_TOKEN });
  const tokenB = exchanged.body.access_token;
  claims(tokenB, { aud: 'service-c', azp: 'service-b', sub: claimsA.sub });

  explain('Service C asks about the exchanged token: active, for C, from B, on behalf of the same subject.');
  const exchangedAtC = await form(introspectionEndpoint, { token: tokenB }, 'service-c');
  expect(exchangedAtC, 200, 'active', { active: true, aud: 'service-c', azp: 'service-b', sub: claimsA.sub });

  explain(
    "Service A's own token, sent straight to Service C, is refused: 401, and WWW-Authenticate says why (RFC 6750 §3).",
  );
  const refused = await json(`${serviceC}/api/compute`, tokenA, { value: 10 });
  expect(refused, 401, 'invalid_token');
  expectThat(/error="invalid_token"/.test(refused.challenge ?? ''), 'WWW-Authenticate names invalid_token');

  explain('The exchanged token, sent to Service C, is let in.');
  expect(await json(`${serviceC}/api/compute`, tokenB, { value: 10 }), 200, 'a result', { result: 20 });
}

async function usersWithTokens(tokenEndpoint) {
  explain(
    'A person: alice signs in at a command-line client and calls Service A, which calls B, which calls C. At every hop the token is hers (sub), and for that hop alone.',
  );
  const alice = await userToken(tokenEndpoint, 'alice');
  expect(await get(`${serviceA}/run-service-b`, alice), 200, 'an answer from B and C');

  explain(
    'bob may read orders but not approve them. Service A lets him in, and the call to B is refused for want of orders.approve: 403.',
  );
  const bob = await userToken(tokenEndpoint, 'bob');
  const forBob = await get(`${serviceA}/run-service-b`, bob);
  expect(forBob, 403, 'a refusal');
  const refusal = `${forBob.challenge ?? ''} ${JSON.stringify(forBob.body)}`;
  expectThat(refusal.includes('orders.approve'), 'the refusal names orders.approve');
}

async function usersWithBrowsers() {
  const browser = new TourBrowser();
  await logIn(browser, 'alice', {
    toKeycloak:
      'The same with a browser, which must never hold a token. alice clicks "Log in": Service A sends her to Keycloak (authorization code flow with PKCE).',
    password: 'There she types her password. Service A never sees it; Keycloak sends her back with a code, good once.',
    back: 'Service A exchanges the code for tokens and keeps them. Her browser gets the id of a session, which scripts cannot read.',
  });

  explain(
    "With that, the chain runs in alice's name: A exchanges her token for one for B, and B that for one for C. In demo mode the services report each step (Server-Timing): what Keycloak was asked for, and what was known already.",
  );
  const ran = await browser.get(`${serviceA}/run-service-b`);
  expect(ran, 200, 'a page');
  expectThat(wordsOf(ran).includes('Called as alice'), 'it says: Called as alice');
  for (const service of ['service-a', 'service-b']) {
    expectThat(ran.headers.get('server-timing')?.includes(`${service}.token-exchange`), `${service} exchanged a token`);
  }

  explain('bob logs in with a browser of his own, and is refused: the page names the permission that he lacks.');
  const bobs = new TourBrowser();
  await logIn(bobs, 'bob');
  const refused = await bobs.get(`${serviceA}/run-service-b`);
  expect(refused, 403, 'a page');
  expectThat(wordsOf(refused).includes('Permission orders.approve is missing'), 'it names orders.approve');

  explain(
    'alice logs out, with the token against forged requests that her page has. Service A ends her session at Keycloak and its own, and sends her browser there to forget it too.',
  );
  const csrf_token = /name="csrf_token" value="([^"]+)"/.exec((await browser.get(`${serviceA}/`)).body)?.[1] ?? '';
  hide(csrf_token);
  const former = browser.copy();
  const out = await browser.post(`${serviceA}/auth/logout`, { csrf_token });
  expect(out, 303, 'to Keycloak');
  expectThat(!browser.holds('session'), 'the browser has no session any more');
  const end = await browser.follow(out);
  expectThat(end.status === 200 && wordsOf(end).includes('Log in'), 'it ends at the start page, which offers a login');

  explain('Whoever kept the id of that session has nothing: it is over.');
  expect(await former.get(`${serviceA}/run-service-b`), 401, 'a refusal');
}

async function attacks() {
  explain(
    'Now somebody tries to break in: real attacks on the running services, each made by the service that holds what is misused.',
  );
  const page = await new TourBrowser().post(`${serviceA}/attacks`, {});
  expect(page, 200, 'a page');
  const verdicts = [...page.body.matchAll(/data-attack="([^"]+)" data-verdict="([^"]+)"/g)];
  expectThat(verdicts.length >= 13, `it tells of ${verdicts.length} attacks`);
  for (const [, attack, verdict] of verdicts) {
    expectThat(verdict === 'refused', `${attack}: refused, for the expected reason`);
  }
}

/** `why`: what is said before each of the three requests. */
async function logIn(browser, username, why = {}) {
  const say = (sentence) => sentence && explain(sentence);
  say(why.toKeycloak);
  const toKeycloak = await browser.get(`${serviceA}/auth/login`);
  expect(toKeycloak, 303, 'to Keycloak');
  expectThat(
    toKeycloak.headers.get('location').includes('code_challenge_method=S256'),
    'it asks for a code, with PKCE',
  );
  say(why.password);
  const page = await browser.follow(toKeycloak);
  const back = await browser.submitForm(page, { username, password: username });
  expect(back, 302, 'back to Service A');
  say(why.back);
  const done = await browser.get(back.headers.get('location'));
  expect(done, 303, 'to the start page');
  expectThat(browser.holds('session'), 'the browser has the id of a session');
}

/** Stops with advice unless Keycloak and the services that the tour calls answer. */
async function startingPoint() {
  const discoveryUrl = `${keycloakUrl}/realms/${realm}/.well-known/openid-configuration`;
  for (const url of [discoveryUrl, `${serviceA}/health/ready`, `${serviceC}/health/ready`]) {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) }).catch((error) => error);
    if (response.ok) continue;
    const why = response.status ?? response.cause?.code ?? response.message;
    throw new TourError(
      `The stack does not run: ${url} did not answer as it should (${why}).\n` +
        'Start it first, in another terminal: npm start (or: docker compose up --build)',
    );
  }
  const discovery = await (await fetch(discoveryUrl, { signal: AbortSignal.timeout(10_000) })).json();
  console.log(`The discovery document of the realm, ${discoveryUrl}, says where everything is:`);
  for (const name of ['issuer', 'token_endpoint', 'introspection_endpoint'])
    console.log(`  ${name}: ${discovery[name]}`);
  return discovery;
}

async function userToken(tokenEndpoint, username) {
  const parameters = {
    grant_type: 'password',
    client_id: 'demo-cli',
    username,
    password: username,
    scope: 'openid orders.read',
  };
  const answer = await form(tokenEndpoint, parameters);
  expect(answer, 200, 'a token');
  claims(answer.body.access_token, { aud: 'service-a', azp: 'demo-cli' });
  return answer.body.access_token;
}

/** A form is posted, as `client` with its secret (HTTP Basic) if one is given. */
function form(url, parameters, client) {
  const lines = Object.entries(parameters).map(
    ([name, value]) => `${name}=${name === 'password' ? '********' : value}`,
  );
  const basic = client && `Basic ${Buffer.from(`${client}:${secretOf(client)}`).toString('base64')}`;
  return call('POST', url, {
    headers: basic ? { authorization: basic } : {},
    shownHeaders: client ? [`Authorization: Basic ${client}:********`] : [],
    shownBody: lines,
    body: new URLSearchParams(parameters),
  });
}

function json(url, token, value) {
  const body = JSON.stringify(value);
  return call('POST', url, { ...bearer(token, { 'content-type': 'application/json' }), shownBody: [body], body });
}

function get(url, token) {
  return call('GET', url, { ...bearer(token, {}), shownBody: [] });
}

function bearer(token, headers) {
  return {
    headers: { accept: 'application/json', authorization: `Bearer ${token}`, ...headers },
    shownHeaders: [`Authorization: Bearer ${token}`],
  };
}

function secretOf(client) {
  return secrets[`${client.toUpperCase().replaceAll('-', '_')}_CLIENT_SECRET`];
}

/** What there is to read on a page. */
function wordsOf({ body }) {
  return String(body)
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/\s+/g, ' ');
}

function words(text) {
  return String(text).split(' ');
}
