import { RUN_CHAIN, startChain } from '../measure/chain.mjs';
import { startCounter } from '../measure/counter.mjs';
import { clientToken } from '../measure/keycloak.mjs';
import { allAnswered, atRate, closedLoop } from '../measure/load.mjs';
import { figure } from '../report.mjs';

export const name = 'steady-state';
export const title = 'calls to Keycloak per 1,000 requests, warm';
export const counts = true;

const TOKENS = 10;
const RATE = 500;
const TTL_SECONDS = 10;
/** An exchanged token expires after 60 s, and is renewed 10 s earlier. */
const EXCHANGED_SECONDS = 50;
const ORDER = JSON.stringify({ order_id: 9876, amount: 1500 });

export async function run({ keycloak, start, counts: short, say, signal }) {
  const counter = await startCounter(keycloak, start);
  const chain = await startChain(counter.keycloak, { signal });
  return [
    await hotTokens({ keycloak, counter, chain, seconds: short ? 20 : 60, say, signal }),
    await fullSpeed({ counter, chain, seconds: short ? 10 : 20, say, signal }),
  ];
}

async function hotTokens({ keycloak, counter, chain, seconds, say, signal }) {
  const requests = [];
  while (requests.length < TOKENS) {
    const authorization = `Bearer ${await clientToken(keycloak, 'service-a', 'orders.approve')}`;
    const headers = { authorization, 'content-type': 'application/json' };
    requests.push({ method: 'POST', path: '/api/process', headers, body: ORDER });
  }
  const request = (n) => requests[n % TOKENS];
  allAnswered(await closedLoop({ url: chain.b.url, request, requests: TOKENS, connections: 1 }));
  await counter.reset();
  const result = await atRate({ url: chain.b.url, request, rate: RATE, seconds, signal });
  allAnswered(result);
  const calls = await counter.total();
  const allowed = 1.05 * ((2 * TOKENS) / TTL_SECONDS + TOKENS / EXCHANGED_SECONDS) * seconds;
  say(`${calls} calls for ${result.requests} requests in ${seconds} s: ${JSON.stringify(await counter.counts())}`);
  return figure(`${TOKENS} hot tokens, ${RATE} requests/s: calls per 1,000`, [(calls / result.requests) * 1000], {
    must: { atMost: (allowed / (RATE * seconds)) * 1000 },
    aim: { atMost: (allowed / (RATE * seconds)) * 1000 },
    note: `1.05 × (2T/t + T/(L - leeway)) over ${seconds} s`,
  });
}

async function fullSpeed({ counter, chain, seconds, say, signal }) {
  const request = RUN_CHAIN;
  allAnswered(await closedLoop({ url: chain.a.url, request, requests: 1000 }));
  await counter.reset();
  const result = await closedLoop({ url: chain.a.url, request, seconds, signal });
  allAnswered(result);
  const calls = await counter.total();
  say(`${calls} calls for ${result.requests} requests in ${seconds} s: ${JSON.stringify(await counter.counts())}`);
  return figure("Service A's own token at full speed: calls per 1,000", [(calls / result.requests) * 1000], {
    must: { atMost: 1 },
    aim: { atMost: 1 },
  });
}
