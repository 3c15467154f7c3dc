// npm run tour: walks the running stack with the HTTP calls a person would make, and shows each call and its answer.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { paint } from './processes.mjs';
import { clientSecrets, REALM, services } from './services.mjs';

process.chdir(join(import.meta.dirname, '..'));
if (existsSync('.env')) process.loadEnvFile('.env');

const secrets = clientSecrets(process.env);
const keycloakUrl = (process.env.KEYCLOAK_BASE_URL || 'http://localhost:8080').replace(/\/$/, '');
const realm = process.env.KEYCLOAK_REALM || REALM;
const ports = Object.fromEntries(services(process.env).map(({ letter, port }) => [letter, port]));
const serviceA = process.env.SERVICE_A_URL || `http://localhost:${ports.A}`;
const serviceC = process.env.SERVICE_C_URL || `http://localhost:${ports.C}`;

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
/** What must not be shown, and what is shown in its place. */
const masks = new Map(Object.values(secrets).map((secret) => [secret, '********']));
let step = 0;

/** A step that did not go as it should, or a stack that does not run. */
class TourError extends Error {}

try {
  await tour();
  console.log(paint(32, `\nAll ${step} steps went as they should.`));
} catch (error) {
  console.error(paint(31, `\n${error instanceof TourError ? error.message : error.stack}`));
  process.exitCode = 1;
}

async function tour() {
  const discovery = await startingPoint();
  const tokenEndpoint = discovery.token_endpoint;
  const introspectionEndpoint = discovery.introspection_endpoint;

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

async function call(method, url, { headers, body, shownHeaders, shownBody }) {
  print(paint(36, `→ ${method} ${url}`));
  for (const line of [...shownHeaders, ...shownBody]) print(`    ${line}`);
  let response;
  try {
    response = await fetch(url, { method, headers, body, redirect: 'manual', signal: AbortSignal.timeout(30_000) });
  } catch (error) {
    throw new TourError(`Step ${step}: ${url} did not answer (${error.cause?.code ?? error.message})`);
  }
  const text = await response.text();
  const answer = { status: response.status, challenge: response.headers.get('www-authenticate'), body: parse(text) };
  hideTokens(answer.body);
  print(paint(answer.status < 400 ? 32 : 33, `← ${answer.status} ${response.statusText}`));
  if (answer.challenge !== null) print(`    WWW-Authenticate: ${answer.challenge}`);
  for (const line of JSON.stringify(answer.body, null, 2).split('\n')) print(`    ${line}`);
  return answer;
}

/** The claims of a token, shown, and compared with those expected. */
function claims(token, expected) {
  const all = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
  const { aud, azp, sub, scope, exp, typ } = all;
  print(`  ${token} holds:`);
  for (const [name, value] of Object.entries({ aud, azp, sub, scope, exp, typ })) {
    const until = name === 'exp' ? ` (in ${Math.round(value - Date.now() / 1000)} s)` : '';
    print(`    ${name}: ${JSON.stringify(value)}${until}`);
  }
  for (const [name, value] of Object.entries(expected)) {
    expectThat(isDeepStrictEqual(all[name], value), `${name} is ${value}`);
  }
  return all;
}

function explain(sentence) {
  step += 1;
  console.log(`\n${paint(1, `${step}. ${sentence}`)}`);
}

function expect(answer, status, what, members = {}) {
  expectThat(answer.status === status, `the answer is ${status}, ${what}`);
  for (const [name, value] of Object.entries(members)) {
    expectThat(isDeepStrictEqual(answer.body?.[name], value), `${name} is ${JSON.stringify(value)}`);
  }
}

function expectThat(holds, what) {
  if (!holds) throw new TourError(`Step ${step} did not go as it should. Expected: ${what}.`);
  print(paint(32, `  ✓ ${what}`));
}

/** Every token in an answer is shown as the first 8 hex digits of its SHA-256, here and wherever it comes up again. */
function hideTokens(body) {
  for (const name of ['access_token', 'refresh_token', 'id_token']) {
    const token = body?.[name];
    if (typeof token !== 'string') continue;
    masks.set(token, `token:${createHash('sha256').update(token).digest('hex').slice(0, 8)}`);
  }
}

function print(line) {
  let shown = line;
  for (const [hidden, mask] of masks) shown = shown.replaceAll(hidden, mask);
  console.log(shown);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function secretOf(client) {
  return secrets[`${client.toUpperCase().replaceAll('-', '_')}_CLIENT_SECRET`];
}

function words(text) {
  return String(text).split(' ');
}
