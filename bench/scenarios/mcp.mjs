import { routeContender } from '../measure/contenders.mjs';
import { startCounter } from '../measure/counter.mjs';
import { keycloakEnvironment } from '../measure/environment.mjs';
import { passwordToken } from '../measure/keycloak.mjs';
import { allAnswered, closedLoop } from '../measure/load.mjs';
import { AT_REFERENCE, atReference, bareHandler } from '../measure/reference.mjs';
import { interleaved, paired, ROUNDS_MORE } from '../measure/rounds.mjs';
import { figure, verdict } from '../report.mjs';

export const name = 'mcp';
export const title = 'a tool that calls another service for the user, against the same tool without the library';

const CALLS = 4_000;
const WARM_UP = 6_000;
const REQUESTS = 30_000;
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
  const { keycloak, rounds, scale, say, signal } = bench;
  const contender = (kind) => ({
    name: kind,
    async start() {
      const server = await startTools(bench, { kind, keycloak, upstream });
      const load = async (requests) => {
        const request = callWith(await passwordToken(keycloak));
        await checkAnswer(server.url, request);
        return closedLoop({ url: server.url, request, requests, signal });
      };
      return { processes: [server], load };
    },
  });
  const results = await interleaved([bareHandler(bench), contender('bare'), contender('guarded')], {
    rounds: rounds * ROUNDS_MORE,
    requests: CALLS * scale,
    warmUp: WARM_UP,
    say,
    signal,
  });
  const { bare, guarded } = results;
  const added = paired(guarded, bare, (ours, theirs) => ours.cpuMicros - theirs.cpuMicros);
  const cpu = (of) => of.map(({ cpuMicros }) => cpuMicros);
  return [
    figure('tool that calls a service for the user: CPU added', atReference(added, results), {
      unit: 'µs',
      must: { atMost: 15 },
      note: AT_REFERENCE,
    }),
    figure('the same, on this machine', added, { unit: 'µs' }),
    figure('the tool without the library: CPU per call', cpu(bare), { unit: 'µs' }),
  ];
}

/** A route measures the stream's part, because mcp-nest's own cost of a call varies more than this part. */
async function streams(bench) {
  const { rounds, scale, say, signal } = bench;
  const contenders = [
    bareHandler(bench),
    routeContender('guarded', bench, { kind: 'guarded' }),
    routeContender('long-lived', bench, { kind: 'long-lived' }),
  ];
  const requests = REQUESTS * scale;
  const results = await interleaved(contenders, { rounds: rounds * ROUNDS_MORE, requests, say, signal });
  const added = paired(results['long-lived'], results.guarded, (held, not) => held.cpuMicros - not.cpuMicros);
  return [
    figure('@LongLivedResponse(): CPU added to a guarded route', atReference(added, results), {
      unit: 'µs',
      must: { atMost: 2 },
      note: AT_REFERENCE,
    }),
  ];
}

async function exchanges(bench, upstream) {
  const counter = await startCounter(bench.keycloak, bench.start);
  const server = await startTools(bench, { kind: 'guarded', keycloak: counter.keycloak, upstream });
  const request = callWith(await passwordToken(bench.keycloak));
  await checkAnswer(server.url, request);
  allAnswered(await closedLoop({ url: server.url, request, requests: COUNTED, signal: bench.signal }));
  const counts = await counter.counts();
  bench.say(`calls for ${COUNTED} tool calls of one user: ${JSON.stringify(counts)}`);
  const times = counts['service-a token-exchange'];
  return verdict(`${COUNTED} tool calls of one user: token exchanges`, times === 1, String(times), 'exactly 1');
}

export const startTools = ({ start }, { kind, keycloak, upstream }) =>
  start(`${kind} tools`, ['bench/servers/mcp-tools.mjs', kind], {
    env: { ...keycloakEnvironment(keycloak, 'service-a'), UPSTREAM_URL: upstream.url },
  });

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
