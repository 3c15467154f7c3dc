import { randomBytes } from 'node:crypto';
import { startChain } from './chain.mjs';

const key = () => randomBytes(32).toString('base64');

export function sharing(url, { level2 }) {
  const own = key();
  return {
    SHARED_STATE_URL: url,
    SHARED_DENIAL_KEYS: key(),
    SHARED_STATE_KEYS: own,
    ...(level2 ? { SHARED_ANSWERS_URL: `${url}/1` } : {}),
  };
}

export async function startReplicas(keycloak, count, { env, signal }) {
  const chains = [];
  for (let at = 0; at < count; at += 1) chains.push(await startChain(keycloak, { env, signal }));
  return {
    chains,
    processes: chains.flatMap(({ processes }) => processes),
    stop: () => Promise.all(chains.map((chain) => chain.stop())),
  };
}
