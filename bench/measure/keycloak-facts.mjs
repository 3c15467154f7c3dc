import { setTimeout as sleep } from 'node:timers/promises';
import { administratorOf } from '../../scripts/start/running-keycloak.mjs';
import { startCounter } from './counter.mjs';
import { clientToken, exchangedToken, SECRETS } from './keycloak.mjs';
import { allAnswered, closedLoop } from './load.mjs';
import { sharing } from './replicas.mjs';
import { preparedRealm, startPoller } from './signals.mjs';

const CALLS = 10;
const CONNECTIONS = 8;
const SECONDS = 4;
const POLLER_SECONDS = 20;
const SETTLED_MS = 5000;
const EXCHANGE = { scope: 'analytics.run', audience: 'service-c' };

/** Measures at the real Keycloak what a fake server can't show: its speed, and the rows of its event log. */
export async function keycloakFacts({ keycloak, start, signal }, valkey) {
  const perSecond = await answeredPerSecond(keycloak, signal);
  const { read } = await administrator(keycloak);
  const before = await read('/events/config');
  const rows = {
    "the feed's types": await rowsPerCall(keycloak, before.enabledEventTypes),
    "Keycloak's default types": await rowsPerCall(keycloak, []),
  };
  await (await administrator(keycloak)).change('PUT', '/events/config', before);
  return { perSecond, rows, poller: await pollerCalls({ keycloak, start, signal }, valkey) };
}

async function pollerCalls({ keycloak, start, signal }, valkey) {
  const realm = await preparedRealm(keycloak);
  const counter = await startCounter(keycloak, start);
  const poller = await startPoller(counter.keycloak, sharing(valkey.url, { level2: false }), signal);
  try {
    await sleep(SETTLED_MS, undefined, { signal });
    await (await administrator(keycloak)).change('DELETE', '/events');
    await counter.reset();
    await sleep(POLLER_SECONDS * 1000, undefined, { signal });
    const requests = (await counter.total()) / POLLER_SECONDS;
    return { requests, rows: (await storedEvents(keycloak)) / POLLER_SECONDS };
  } finally {
    await poller.stop();
    await realm.restore();
  }
}

function administrator(keycloak) {
  return administratorOf({
    AUTHORIZATION_SERVER: keycloak.issuer,
    KC_BOOTSTRAP_ADMIN_USERNAME: keycloak.adminUsername,
    KC_BOOTSTRAP_ADMIN_PASSWORD: keycloak.adminPassword,
  });
}

/**
 * Returns the rows that a call of each kind adds to the event log. `types` is Keycloak's setting `enabledEventTypes`;
 * an empty list means Keycloak's default types.
 */
async function rowsPerCall(keycloak, types) {
  const { change } = await administrator(keycloak);
  await change('PUT', '/events/config', { eventsEnabled: true, enabledEventTypes: types });
  const token = await clientToken(keycloak, 'service-a', 'orders.approve');
  const kinds = {
    introspection: () => introspect(keycloak, token),
    'introspection of an inactive token': () => introspect(keycloak, `${token}A`),
    exchange: () => exchangedToken(keycloak, 'service-b', token, EXCHANGE),
    'own token': () => clientToken(keycloak, 'service-a', 'orders.approve'),
  };
  const rows = {};
  for (const [kind, call] of Object.entries(kinds)) {
    await change('DELETE', '/events');
    for (let n = 0; n < CALLS; n += 1) await call();
    rows[kind] = (await storedEvents(keycloak)) / CALLS;
  }
  return rows;
}

/** Waits a moment, because an event is stored after the answer. */
async function storedEvents(keycloak) {
  await sleep(500);
  return (await (await administrator(keycloak)).read('/events?max=1000')).length;
}

/** Returns the calls per second that this Keycloak answers, with 8 connections and no other load. */
async function answeredPerSecond(keycloak, signal) {
  const token = await clientToken(keycloak, 'service-a', 'orders.approve');
  const form = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: token, ...EXCHANGE };
  const subject_token_type = 'urn:ietf:params:oauth:token-type:access_token';
  const calls = {
    introspections: ['token/introspect', { token }],
    exchanges: ['token', { ...form, subject_token_type }],
  };
  const perSecond = {};
  for (const [kind, [endpoint, body]] of Object.entries(calls)) {
    const load = {
      url: keycloak.baseUrl,
      request: requestOf(keycloak, endpoint, body),
      connections: CONNECTIONS,
      signal,
    };
    allAnswered(await closedLoop({ ...load, seconds: SECONDS }));
    const measured = await closedLoop({ ...load, seconds: SECONDS });
    allAnswered(measured);
    perSecond[kind] = measured.requests / measured.seconds;
  }
  return perSecond;
}

async function introspect(keycloak, token) {
  const { path, ...request } = requestOf(keycloak, 'token/introspect', { token });
  const answer = await fetch(`${keycloak.baseUrl}${path}`, request);
  if (!answer.ok) throw new Error(`Keycloak answers ${answer.status} to an introspection`);
  await answer.text();
}

function requestOf({ realm }, endpoint, form) {
  const basic = Buffer.from(`service-b:${SECRETS['service-b']}`).toString('base64');
  return {
    method: 'POST',
    path: `/realms/${realm}/protocol/openid-connect/${endpoint}`,
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  };
}
