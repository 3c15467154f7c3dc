import { freePort } from '../../libs/keycloak-test-servers/dist/index.js';
import { startCounter } from '../measure/counter.mjs';
import { keycloakEnvironment } from '../measure/environment.mjs';
import { inTurn } from '../measure/in-turn.mjs';
import { passwordToken } from '../measure/keycloak.mjs';
import { allAnswered, closedLoop } from '../measure/load.mjs';
import { AT_REFERENCE, atReference, bareHandler } from '../measure/reference.mjs';
import { measured, paired } from '../measure/rounds.mjs';
import { median } from '../measure/statistics.mjs';
import { figure, verdict } from '../report.mjs';

export const name = 'mcp';
export const title = 'a tool that calls another service for the user, against the same tool without the library';

const CALLS = 600;
const HANDLER_REQUESTS = 15_000;
const WARM_UP = 6_000;
const REQUESTS = 4_000;
const COUNTED = 2_000;

const ERA = '2026-07-28';
const CALL = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: 'approve_order',
    arguments: {},
    _meta: {
      'io.modelcontextprotocol/protocolVersion': ERA,
      'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
};
const HEADERS = {
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
  'mcp-protocol-version': ERA,
  'mcp-method': CALL.method,
  'mcp-name': CALL.params.name,
};

export async function run(bench) {
  const upstream = await bench.start('upstream', ['bench/servers/upstream.mjs'], { aside: true });
  return [...(await tools(bench, upstream)), ...(await streams(bench)), await exchanges(bench, upstream)];
}

async function tools(bench, upstream) {
  const results = await roundsOf(bench, async () => {
    const server = await startTools(bench, { keycloak: bench.keycloak, upstream });
    const call = callWith(await passwordToken(bench.keycloak));
    const requests = {};
    for (const [whose, url] of Object.entries(server.urls)) {
      await checkAnswer(url, call);
      requests[whose] = { url, ...call };
    }
    return { server, requests, calls: CALLS };
  });
  const words = 'tool that calls a service for the user: CPU added to the same tool';
  return [
    figure(`${words} with fetch and a fixed token`, added(results, 'guarded', 'fetch'), {
      unit: 'µs',
      must: { atMost: 15 },
      note: AT_REFERENCE,
    }),
    figure(`${words} with undici and a fixed token`, added(results, 'guarded', 'undici'), {
      unit: 'µs',
      note: AT_REFERENCE,
    }),
    figure(
      'the tool with fetch: CPU per call, on this machine',
      results.map(({ micros }) => median(micros.fetch)),
      { unit: 'µs' },
    ),
  ];
}

/** A route measures the stream's part, because mcp-nest's own cost of a call varies more than this part. */
async function streams(bench) {
  const results = await roundsOf(bench, async () => {
    const env = keycloakEnvironment(bench.keycloak, 'service-a');
    const server = await bench.start('routes', ['bench/servers/one-route.mjs', 'long-lived'], { env });
    const headers = { authorization: `Bearer ${await passwordToken(bench.keycloak)}` };
    const { url } = server;
    const requests = { guarded: { url, path: '/route', headers }, held: { url, path: '/long-lived', headers } };
    return { server, requests, calls: REQUESTS };
  });
  return [
    figure('@LongLivedResponse(): CPU added to a guarded route', added(results, 'held', 'guarded'), {
      unit: 'µs',
      must: { atMost: 2 },
      note: AT_REFERENCE,
    }),
  ];
}

async function roundsOf({ rounds, scale, say, signal, start }, begin) {
  const results = [];
  for (let round = 1; round <= rounds; round += 1) {
    const { server, requests, calls } = await begin();
    const micros = await inTurn(server, requests, { calls: calls * scale, warmUp: WARM_UP, signal });
    await server.stop();
    const { processes, load } = await bareHandler({ start, signal }).start();
    allAnswered(await load(WARM_UP));
    const handler = await measured(processes, () => load(HANDLER_REQUESTS));
    await Promise.all(processes.map((one) => one.stop()));
    results.push({ micros, handler });
    const each = Object.entries(micros).map(([whose, all]) => `${whose} ${median(all).toFixed(1)} µs`);
    say(`round ${round}: ${each.join(', ')}`);
  }
  return results;
}

function added(results, ours, theirs) {
  const micros = results.map((one) => median(paired(one.micros[ours], one.micros[theirs], (a, b) => a - b)));
  return atReference(micros, { 'node:http handler': results.map(({ handler }) => handler) });
}

async function exchanges(bench, upstream) {
  const counter = await startCounter(bench.keycloak, bench.start);
  const server = await startTools(bench, { keycloak: counter.keycloak, upstream });
  const request = callWith(await passwordToken(bench.keycloak));
  await checkAnswer(server.url, request);
  allAnswered(await closedLoop({ url: server.url, request, requests: COUNTED, signal: bench.signal }));
  const counts = await counter.counts();
  bench.say(`calls for ${COUNTED} tool calls of one user: ${JSON.stringify(counts)}`);
  const times = counts['service-a token-exchange'];
  return verdict(`${COUNTED} tool calls of one user: token exchanges`, times === 1, String(times), 'exactly 1');
}

export async function startTools({ start }, { keycloak, upstream }) {
  const ports = { FETCH_PORT: String(await freePort()), UNDICI_PORT: String(await freePort()) };
  const server = await start('tools', ['bench/servers/mcp-tools.mjs'], {
    env: { ...keycloakEnvironment(keycloak, 'service-a'), UPSTREAM_URL: upstream.url, ...ports },
  });
  const at = (port) => `http://127.0.0.1:${port}`;
  server.urls = { guarded: server.url, fetch: at(ports.FETCH_PORT), undici: at(ports.UNDICI_PORT) };
  return server;
}

export const callWith = (token) => ({
  method: 'POST',
  path: '/mcp',
  headers: { ...HEADERS, authorization: `Bearer ${token}` },
  body: JSON.stringify(CALL),
});

/** A refused tool answers with the status 200 too. */
export async function checkAnswer(url, { method, path, headers, body }) {
  const text = await (await fetch(url + path, { method, headers, body })).text();
  if (!text.includes('was processed')) throw new Error(`The tool answered ${text}`);
}
