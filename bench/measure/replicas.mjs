import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { startChain } from './chain.mjs';

const key = () => randomBytes(32).toString('base64');

export function sharing(url, { level2 }) {
  const own = key();
  return {
    SHARED_STATE_URL: url,
    SHARED_DENIAL_KEYS: key(),
    SHARED_STATE_KEYS: own,
    ...proofKeys(),
    ...(level2 ? { SHARED_ANSWERS_URL: `${url}/1` } : {}),
  };
}

/** Only pollers use the private key; the other services ignore it. */
function proofKeys() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    SIGNAL_PROOF_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    SIGNAL_PROOF_PUBLIC_KEYS: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
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
