import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { serviceOf } from './chain.mjs';
import { keycloakEnvironment } from './environment.mjs';
import { clientToken } from './keycloak.mjs';
import { allAnswered, closedLoop } from './load.mjs';
import { stepNumber, STEPS } from './steps.mjs';

const PATH = '/api/process';
const ORDER = { order_id: 9876, amount: 1500 };
const ANSWER = {
  service_b: 'Order 9876 processed by Service B',
  service_c: { result: 20, msg: 'Order 9876 was processed' },
};

const TRACED = `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`;

export const BUILT = {
  'service-b': {},
  'service-b with its request log': { env: { REQUEST_LOG: 'true' } },
  'service-b, traced': { headers: { traceparent: TRACED } },
};
export const FLIGHT = [...STEPS.map(({ name }) => name), ...Object.keys(BUILT)];

export async function staircase(bench) {
  const upstream = await bench.start('upstream', ['bench/servers/upstream.mjs'], { aside: true });
  return FLIGHT.map((name) => ({
    name,
    async start() {
      const server = await startStep(name, bench, upstream.url);
      const load = async (requests) => {
        const sent = { ...(await headers(bench)), ...BUILT[name]?.headers };
        const request = { method: 'POST', path: PATH, headers: sent, body: JSON.stringify(ORDER) };
        allAnswered(await closedLoop({ url: server.url, request, requests: 1, connections: 1 }));
        return closedLoop({ url: server.url, request, requests, signal: bench.signal });
      };
      return { processes: [server], load };
    },
  }));
}

export async function proveSteps(bench) {
  const upstream = await bench.start('upstream', ['bench/servers/upstream.mjs'], { aside: true });
  for (const name of FLIGHT) {
    const server = await startStep(name, bench, upstream.url);
    await proveStep(name, server, await headers(bench));
    await server.stop();
  }
  await upstream.stop();
}

function startStep(name, { keycloak, start, signal }, upstreamUrl) {
  const built = BUILT[name];
  if (built !== undefined)
    return serviceOf('service-b', keycloak, { env: { SERVICE_C_URL: upstreamUrl, ...built.env }, signal });
  const env = { ...keycloakEnvironment(keycloak, 'service-b'), UPSTREAM_URL: upstreamUrl };
  return start(`step ${name}`, ['bench/servers/one-step.mjs', name], { env });
}

const headers = async ({ keycloak }) => ({
  authorization: `Bearer ${await clientToken(keycloak, 'service-a', 'orders.approve')}`,
  'content-type': 'application/json',
});

async function proveStep(name, server, sent) {
  const has = (step) => FLIGHT.indexOf(name) >= stepNumber(step);
  const post = async ({ headers: own = sent, body = ORDER } = {}) => {
    const request = { method: 'POST', headers: own, body: JSON.stringify(body) };
    const response = await fetch(`${server.url}${PATH}`, request);
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  const expect = (what, seen, expected) =>
    strictEqual(seen, expected, `step ${name}: ${what}: ${seen}, not ${expected}`);

  const { authorization: _, ...withoutToken } = sent;
  const plain = await post();
  expect('status', plain.status, 200);
  deepStrictEqual(plain.body, ANSWER, `step ${name}`);
  expect('security headers', plain.headers.has('content-security-policy'), has('headers'));
  expect('a faulty body', (await post({ body: { ...ORDER, amount: '1500' } })).status, has('validation') ? 400 : 200);
  expect('a code for an unknown path', 'code' in (await (await fetch(`${server.url}/nowhere`)).json()), has('filters'));
  expect('an unknown host', await statusForHost(server.url, sent), has('service') ? 421 : 200);
  const traced = await post({ headers: { ...sent, traceparent: TRACED } });
  expect('its steps told', traced.headers.has('server-timing'), has('trace'));
  expect('no token', (await post({ headers: withoutToken })).status, has('guard') ? 401 : 200);
  await server.ask('countBegin');
  await post();
  expect('requests that it makes', await server.ask('countEnd'), has('client') ? 1 : 0);
}

/** Returns the status of a request with another Host header; `fetch` can't send such a header. */
function statusForHost(url, sent) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}${PATH}`, { method: 'POST', headers: { ...sent, host: 'elsewhere.example' } });
    request.once('error', reject).once('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.end(JSON.stringify(ORDER));
  });
}
