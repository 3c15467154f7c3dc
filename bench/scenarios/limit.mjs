import { deepStrictEqual } from 'node:assert/strict';
import { RUN_CHAIN, serviceOf, startChain } from '../measure/chain.mjs';
import { chainContender } from '../measure/contenders.mjs';
import { clientToken, exchangedToken } from '../measure/keycloak.mjs';
import { closedLoop } from '../measure/load.mjs';
import { bareHandler } from '../measure/reference.mjs';
import { interleaved, paired } from '../measure/rounds.mjs';
import { BUILT, FLIGHT, proveSteps, staircase } from '../measure/staircase.mjs';
import { median } from '../measure/statistics.mjs';
import { STEPS } from '../measure/steps.mjs';
import { figure } from '../report.mjs';

export const name = 'limit';
export const title =
  'the chain beside plain Fastify and undici, one hop beside the least, and what each part adds to one';

const CHAIN_REQUESTS = 9_000;
const HOP_REQUESTS = 24_000;
const STEP_REQUESTS = 24_000;
const STEP_WARM_UP = 15_000;

/** Promises and streams need more CPU time on older versions of Node.js. */
const NODE = Number(process.versions.node.split('.')[0]);
const MUST = NODE >= 24 ? 1.6 : 2;
const AIM = NODE >= 24 ? 1.4 : 1.7;
/** If the ratio of bare Nest exceeds `MUST`, the limit is that ratio multiplied by this factor. */
const ABOVE_NEST = 1.15;

export async function run(bench) {
  await proveLimit(bench);
  await proveSteps(bench);
  return [...(await chain(bench)), ...(await hop(bench)), ...(await steps(bench))];
}

const micros = (of) => of.map(({ cpuMicros }) => cpuMicros);
const ratio = (all, of) => paired(all, of, (a, b) => a.cpuMicros / b.cpuMicros);

async function chain(bench) {
  const { rounds, scale, say, signal } = bench;
  const contenders = [
    bareHandler(bench),
    chainContender('limit', bench, { program: 'limit' }),
    chainContender('bare Nest', bench, { program: 'nest' }),
    chainContender('ours', bench),
  ];
  const results = await interleaved(contenders, { rounds, requests: CHAIN_REQUESTS * scale, say, signal });
  const { limit, ours } = results;
  const nest = ratio(results['bare Nest'], limit);
  const atMost = NODE >= 24 && median(nest) > MUST ? median(nest) * ABOVE_NEST : MUST;
  const note = `Node ${process.version}`;
  return [
    figure('chain: CPU, of the limit', ratio(ours, limit), { unit: '×', must: { atMost }, aim: { atMost: AIM }, note }),
    figure('chain of bare Nest, class-validator and fetch: CPU, of the limit', nest, { unit: '×', note }),
    figure('chain: CPU per request, A + B + C, on this machine', micros(ours), { unit: 'µs' }),
    figure('limit of the chain: CPU per request, A + B + C, on this machine', micros(limit), { unit: 'µs' }),
    figure('node:http handler: CPU per request, on this machine', micros(results['node:http handler']), { unit: 'µs' }),
  ];
}

async function hop(bench) {
  const { keycloak, rounds, scale, say, signal } = bench;
  const contender = (program) => ({
    name: program,
    async start() {
      const server = await serviceOf('service-c', keycloak, { program, signal });
      const load = async (requests) => {
        const request = { method: 'POST', path: '/api/compute', body: '{"value":10}', headers: await headers() };
        return closedLoop({ url: server.url, request, requests, signal });
      };
      return { processes: [server], load };
    },
  });
  const headers = async () => ({
    authorization: `Bearer ${await tokenForC(keycloak)}`,
    'content-type': 'application/json',
  });
  const contenders = [contender('limit'), contender('services')];
  const { limit, services } = await interleaved(contenders, { rounds, requests: HOP_REQUESTS * scale, say, signal });
  return [
    figure('one guarded POST hop with validation: CPU, of the limit', ratio(services, limit), {
      unit: '×',
      must: { atMost: 2.2 },
      aim: { atMost: 1.8 },
    }),
    figure(
      'one guarded POST hop with validation: requests/s of the limit, of ours',
      paired(services, limit, (a, b) => b.perSecond / a.perSecond),
      { unit: '×' },
    ),
    figure('one guarded POST hop with validation: CPU per request', micros(services), { unit: 'µs' }),
    figure('limit of one POST hop with validation: CPU per request', micros(limit), { unit: 'µs' }),
  ];
}

async function tokenForC(keycloak) {
  const sent = await clientToken(keycloak, 'service-a', 'orders.approve');
  return exchangedToken(keycloak, 'service-b', sent, { audience: 'service-c', scope: 'analytics.run' });
}

async function steps(bench) {
  const { rounds, scale, say, signal } = bench;
  const results = await interleaved(await staircase(bench), {
    rounds,
    requests: STEP_REQUESTS * scale,
    warmUp: STEP_WARM_UP,
    say,
    signal,
  });
  const added = (step, below) => paired(results[step], results[below], (a, b) => a.cpuMicros - b.cpuMicros);
  const [built] = Object.keys(BUILT);
  return FLIGHT.flatMap((step, at) => {
    const adds = STEPS[at]?.adds;
    const what = adds === undefined ? step : `${at > 0 ? '+ ' : ''}${adds}`;
    const whole = figure(`one hop: ${what}: CPU per request`, micros(results[step]), { unit: 'µs' });
    if (at === 0) return [whole];
    const below = adds === undefined && step !== built ? built : FLIGHT[at - 1];
    return [whole, figure(`one hop: ${what}: added to ${below}`, added(step, below), { unit: 'µs' })];
  });
}

export async function proveLimit({ keycloak, signal }, programs = ['limit', 'nest']) {
  const answers = [];
  for (const program of ['services', ...programs]) {
    const running = await startChain(keycloak, { program, signal });
    const { path, headers } = RUN_CHAIN;
    const response = await fetch(`${running.a.url}${path}`, { headers });
    answers.push({ status: response.status, body: await response.json() });
    if (program !== 'services') await proveValidation(program, running);
    await running.stop();
  }
  for (const answer of answers) deepStrictEqual(answer, answers[0], 'Another chain answers otherwise than ours');
}

async function proveValidation(program, { b, c }) {
  const faulty = [
    [b, '/api/process', { order_id: '9876', amount: 1500 }],
    [b, '/api/process', { order_id: 9876, amount: 1500, more: 1 }],
    [c, '/api/compute', {}],
  ];
  for (const [{ url }, path, body] of faulty) {
    const headers = { 'content-type': 'application/json' };
    const { status } = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (status !== 400) throw new Error(`${program} answers ${status} to a faulty body at ${path}`);
  }
}
