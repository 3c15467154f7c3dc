import { RUN_CHAIN, startChain } from '../measure/chain.mjs';
import { startCounter } from '../measure/counter.mjs';
import { passwordToken } from '../measure/keycloak.mjs';
import { allAnswered, closedLoop } from '../measure/load.mjs';
import { verdict } from '../report.mjs';

export const name = 'cold-burst';
export const title = '500 cold requests at once through the chain: calls to Keycloak';
export const counts = true;

const REQUESTS = 500;
const AS_ITSELF = {
  'service-a client_credentials': 1,
  'service-b introspect': 1,
  'service-b token-exchange': 1,
  'service-c introspect': 1,
};
const FOR_A_USER = {
  'service-a introspect': 1,
  'service-a token-exchange': 1,
  'service-b introspect': 1,
  'service-b token-exchange': 1,
  'service-c introspect': 1,
};

export async function run({ keycloak, start, signal }) {
  const counter = await startCounter(keycloak, start);
  const chain = await startChain(counter.keycloak, { signal });
  const burst = async (headers) => {
    await counter.reset();
    const request = { ...RUN_CHAIN, headers: { ...RUN_CHAIN.headers, ...headers } };
    allAnswered(await closedLoop({ url: chain.a.url, request, requests: REQUESTS, connections: REQUESTS, signal }));
    return counter.counts();
  };
  const asItself = await burst({});
  const forUser = await burst({ authorization: `Bearer ${await passwordToken(keycloak)}` });
  return [
    evaluated('cold burst of 500, the service itself', asItself, AS_ITSELF),
    evaluated('cold burst of 500, a new user', forUser, FOR_A_USER),
  ];
}

function evaluated(text, seen, expected) {
  const same = inWords(seen) === inWords(expected);
  return verdict(text, same, inWords(seen), `exactly: ${inWords(expected)}`);
}

const inWords = (counted) =>
  Object.entries(counted)
    .map(([what, times]) => `${times} ${what}`)
    .toSorted()
    .join(', ');
