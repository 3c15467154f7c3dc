// The limit: the chain beside the least that answers alike, and one hop built up step by step. Measured only: nothing must be reached.
import { deepStrictEqual } from 'node:assert/strict';
import { RUN_CHAIN, startChain } from '../measure/chain.mjs';
import { chainContender } from '../measure/contenders.mjs';
import { bareHandler } from '../measure/reference.mjs';
import { interleaved, paired } from '../measure/rounds.mjs';
import { FLIGHT, proveSteps, staircase } from '../measure/staircase.mjs';
import { STEPS } from '../measure/steps.mjs';
import { figure } from '../report.mjs';

export const name = 'limit';
export const title = 'the chain beside plain Fastify and undici, and what each part adds to one hop';

/** In a round. */
const CHAIN_REQUESTS = 9_000;
const STEP_REQUESTS = 24_000;
const STEP_WARM_UP = 15_000;

export async function run(bench) {
  await proveLimit(bench);
  await proveSteps(bench);
  return [...(await chain(bench)), ...(await steps(bench))];
}

const micros = (of) => of.map(({ cpuMicros }) => cpuMicros);

async function chain(bench) {
  const { rounds, scale, say, signal } = bench;
  const contenders = [
    bareHandler(bench),
    chainContender('limit', bench, { program: 'limit' }),
    chainContender('ours', bench),
  ];
  const results = await interleaved(contenders, { rounds, requests: CHAIN_REQUESTS * scale, say, signal });
  const { limit, ours } = results;
  return [
    figure(
      'chain: CPU, of the limit',
      paired(ours, limit, (a, b) => a.cpuMicros / b.cpuMicros),
      { unit: '×', note: `Node ${process.version}` },
    ),
    figure('chain: CPU per request, A + B + C, on this machine', micros(ours), { unit: 'µs' }),
    figure('limit of the chain: CPU per request, A + B + C, on this machine', micros(limit), { unit: 'µs' }),
    figure('node:http handler: CPU per request, on this machine', micros(results['node:http handler']), { unit: 'µs' }),
  ];
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
  const added = (at) => paired(results[FLIGHT[at]], results[FLIGHT[at - 1]], (a, b) => a.cpuMicros - b.cpuMicros);
  return FLIGHT.flatMap((step, at) => {
    const what = STEPS[at] === undefined ? 'Service B as it is built' : `${at > 0 ? '+ ' : ''}${STEPS[at].adds}`;
    const whole = figure(`one hop: ${what}: CPU per request`, micros(results[step]), { unit: 'µs' });
    return at === 0 ? [whole] : [whole, figure(`one hop: ${what}: added`, added(at), { unit: 'µs' })];
  });
}

/** The two chains give one answer, and the limit validates as well. */
export async function proveLimit({ keycloak, signal }) {
  const answers = [];
  for (const program of ['services', 'limit']) {
    const running = await startChain(keycloak, { program, signal });
    const { path, headers } = RUN_CHAIN;
    const response = await fetch(`${running.a.url}${path}`, { headers });
    answers.push({ status: response.status, body: await response.json() });
    if (program === 'limit') await proveValidation(running);
    await running.stop();
  }
  deepStrictEqual(answers[1], answers[0], 'The limit answers otherwise than the chain');
}

async function proveValidation({ b, c }) {
  const faulty = [
    [b, '/api/process', { order_id: '9876', amount: 1500 }],
    [b, '/api/process', { order_id: 9876, amount: 1500, more: 1 }],
    [c, '/api/compute', {}],
  ];
  for (const [{ url }, path, body] of faulty) {
    const headers = { 'content-type': 'application/json' };
    const { status } = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (status !== 400) throw new Error(`The limit answers ${status} to a faulty body at ${path}`);
  }
}
