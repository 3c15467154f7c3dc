import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { replicaName } from './balancer.mjs';
import { installed } from '../common/installed.mjs';
import { statusInWords } from '../common/processes.mjs';
import { prefixOf } from './services.mjs';

/** @typedef {import('./services.mjs').NamedService} Service */

/** @typedef {{ service: Service, name: string, port: number }} Place */

const MOST = 9;
const RESTART_AFTER_MS = 1000;
/** Within this time, HAProxy detects that a replica is not ready. */
const SHUTDOWN_DELAY_SECONDS = 2;

/** @param {{ readonly replicas?: string, readonly watch?: boolean }} options */
export function replicasAsked({ replicas, watch = false }) {
  if (replicas === undefined) return undefined;
  if (watch) throw new Error("--replicas can't be combined with --watch: a change would restart all replicas at once.");
  const count = Number(replicas);
  if (/^\d$/.test(replicas) && count > 1) return count;
  throw new Error(`--replicas must be a whole number from 2 to ${MOST}, not ${replicas || 'nothing'}.`);
}

/** @param {NodeJS.ProcessEnv} environment */
export const namesValkey = (environment) =>
  Object.entries(environment).some(([name, value]) => /(^|_)SHARED_STATE_URL$/.test(name) && Boolean(value));

/**
 * @param {NodeJS.ProcessEnv} environment
 * @param {(name: string) => string | undefined} [find]
 */
export function toolsForReplicas(environment, find = installed) {
  const needed = namesValkey(environment) ? ['haproxy'] : ['haproxy', 'valkey-server'];
  const missing = needed.filter((name) => find(name) === undefined);
  if (missing.length === 0) return { haproxy: find('haproxy') ?? '', valkey: find('valkey-server') ?? '' };
  const formulas = missing.map((name) => name.replace('-server', ''));
  throw new Error(`--replicas needs ${missing.join(' and ')} on the PATH.
  Debian, Ubuntu:   apt-get install ${missing.join(' ')}
  macOS:            brew install ${formulas.join(' ')}
  With Docker:      docker compose -f docker-compose.yml -f compose.replicas.yml up --build --wait`);
}

/**
 * @param {readonly Service[]} all
 * @param {number | undefined} count
 * @param {() => Promise<number>} freePort
 * @returns {Promise<Place[]>}
 */
export async function placesOf(all, count, freePort) {
  if (count === undefined) return all.map((service) => ({ service, name: service.name, port: service.port }));
  const places = all.flatMap((service) =>
    Array.from({ length: count }, (_, index) => ({ service, name: replicaName(service.name, index), port: 0 })),
  );
  const taken = new Set(all.map(({ port }) => port));
  for (const place of places) {
    do place.port = await freePort();
    while (taken.has(place.port));
    taken.add(place.port);
  }
  return places;
}

/**
 * @param {readonly Service[]} all
 * @param {NodeJS.ProcessEnv} environment
 * @param {Readonly<Record<string, string>>} [urls] of Valkey by user, required if the environment names none
 * @returns {NodeJS.ProcessEnv}
 */
export function sharingEnvironment(all, environment, urls = {}) {
  const newKey = () => randomBytes(32).toString('base64');
  const shared = Object.entries(urls).flatMap(([user, url]) => [
    [`${prefixOf(user)}_SHARED_STATE_URL`, url],
    [`${prefixOf(user)}_SHARED_ANSWERS_URL`, `${url}/1`],
  ]);
  return {
    SHUTDOWN_DELAY_SECONDS: String(SHUTDOWN_DELAY_SECONDS),
    SHARED_DENIAL_KEYS: newKey(),
    ...proofKeys(environment),
    ...Object.fromEntries(all.map(({ prefix }) => [`${prefix}_SHARED_STATE_KEYS`, newKey()])),
    ...Object.fromEntries(shared),
    ...Object.fromEntries(Object.entries(environment).filter(([, value]) => value)),
    // All replicas would use the same management port.
    ...Object.fromEntries(all.map(({ prefix }) => [`${prefix}_MANAGEMENT_PORT`, undefined])),
  };
}

/**
 * Returns the keys of the poller's proofs, in base64 without PEM lines.
 *
 * @param {NodeJS.ProcessEnv} given
 * @returns {NodeJS.ProcessEnv}
 */
function proofKeys({ SIGNAL_PROOF_PRIVATE_KEY: own, SIGNAL_PROOF_PUBLIC_KEYS: published }) {
  if (published) return {};
  const privateKey = own ? privateKeyIn(own) : generateKeyPairSync('ed25519').privateKey;
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  return {
    SIGNAL_PROOF_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    SIGNAL_PROOF_PUBLIC_KEYS: createPublicKey(pem).export({ type: 'spki', format: 'der' }).toString('base64'),
  };
}

/** @param {string} text PEM, or base64 without PEM lines */
function privateKeyIn(text) {
  const der = Buffer.from(text.replaceAll(/-----[A-Z ]+-----/g, ''), 'base64');
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch {
    throw new Error('SIGNAL_PROOF_PRIVATE_KEY is not a private key. Make one: openssl genpkey -algorithm ed25519');
  }
}

/**
 * @template {{ name: string, end: Promise<number | string | null> }} Replica
 * @param {Replica} replica changed in place
 * @param {(replica: Replica) => Replica} start
 * @param {{ say: (line: string) => void, signal: AbortSignal }} options
 * @returns {Promise<never>}
 */
export async function keepRunning(replica, start, { say, signal }) {
  for (;;) {
    const status = await replica.end;
    signal.throwIfAborted();
    say(`${replica.name} ended unexpectedly (${statusInWords(status)}): starting it again`);
    await sleep(RESTART_AFTER_MS, undefined, { signal });
    Object.assign(replica, start(replica));
  }
}
