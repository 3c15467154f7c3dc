import { randomBytes } from 'node:crypto';

export const CLIENT_ID = 'bench';
export const REPLICAS = 3;

/** Each replica gets each token once in this time. */
export const CADENCE_SECONDS = 2.5;
const TTL_SECONDS = 10;
const FEED_TTL_SECONDS = 300;
const EXCHANGED_SECONDS = 60;
const MIN_REMAINING_SECONDS = 10;

/** The shares of a result's lifetime between which a request renews the result. */
const RENEWED_FROM_TO = { ttl: [0.96, 0.98], feed: [0.96, 0.98], exchange: [0.8, 0.9], keys: [1, 1] };

export const KINDS = Object.keys(RENEWED_FROM_TO);

const LIFETIME_SECONDS = {
  ttl: TTL_SECONDS,
  feed: FEED_TTL_SECONDS,
  exchange: EXCHANGED_SECONDS - MIN_REMAINING_SECONDS,
  keys: TTL_SECONDS,
};

/** The page's formula: the time between two calls for a token that is always in use. */
export const PERIOD_SECONDS = {
  ttl: TTL_SECONDS,
  feed: FEED_TTL_SECONDS,
  exchange: 0.85 * (EXCHANGED_SECONDS - MIN_REMAINING_SECONDS),
};

const CALLS_IN_WINDOW = 3000;
const CALLS_IN_SLOT = 400;
const LONGEST_SLOTS = 900;
const KEYS_WINDOW_SECONDS = 3750;

/**
 * Returns the calls per second of the services' clock. Only a `share` of the services runs, or of the tokens of a single
 * service, and the calls of the rest are computed. If `isMissed`, each request may cause a call.
 */
export async function fleetCalls({ start, issuer, tokensFile, valkey }, cell) {
  const { kind, services, share = 1, tokens, shared = true, maxEntries = 0, isMissed = false } = cell;
  const hosted = Math.max(1, services * share);
  const hostedTokens = tokens * share;
  const { slots, renewedAfter, window } = timesOf(kind, hostedTokens, isMissed);
  await valkey?.command('FLUSHALL', 'SYNC');
  const emptyBytes = await usedBytes(valkey);
  const env = {
    ISSUER: issuer.url,
    CLIENT_ID,
    TOKENS_FILE: tokensFile,
    KIND: kind,
    ...(shared ? { VALKEY_URL: valkey.url, SHARED_KEY: randomBytes(32).toString('base64') } : {}),
    ...texts({ SERVICES: hosted, REPLICAS, TOKENS: hostedTokens, MAX_ENTRIES: maxEntries }),
    ...texts({ CADENCE: CADENCE_SECONDS, SLOTS: slots, TTL: LIFETIME_SECONDS[kind] }),
    ...texts({ RENEWED_AFTER: renewedAfter, WINDOW: cell.window ?? window }),
  };
  const fleet = await start('fleet', ['--max-old-space-size=8000', 'bench/servers/fleet.mjs'], { env });
  await fleet.ask('fill');
  const valkeyBytes = (await usedBytes(valkey)) - emptyBytes;
  await issuer.ask('reset');
  const { seconds, requests, looks = 0, faults } = await fleet.ask('window');
  const calls = await issuer.ask('calls');
  await fleet.stop();
  const all = (count) => count / seconds / share;
  const counted = Object.values(calls).reduce((sum, count) => sum + count, 0);
  return {
    perSecond: all(counted),
    requestsPerSecond: all(requests),
    looksPerSecond: all(looks),
    valkeyBytes: valkeyBytes / share,
    faults,
  };
}

function timesOf(kind, tokens, isMissed) {
  const renewedAfter = renewedAfterSeconds(kind);
  const callsInCadence = isMissed ? tokens : (tokens * CADENCE_SECONDS) / renewedAfter;
  const slots = 3 * Math.min(LONGEST_SLOTS / 3, Math.max(1, Math.ceil(callsInCadence / CALLS_IN_SLOT / 3)));
  if (kind === 'keys') return { slots: 3, renewedAfter, window: KEYS_WINDOW_SECONDS };
  const wanted = (CALLS_IN_WINDOW * renewedAfter) / tokens;
  return { slots, renewedAfter, window: Math.min(2 * renewedAfter, Math.max(1, wanted)) };
}

/** The first request in the renewal window, or after it, renews a result. */
function renewedAfterSeconds(kind) {
  const [from, to] = RENEWED_FROM_TO[kind];
  const steps = 1000;
  let sum = 0;
  for (let step = 0; step < steps; step += 1) {
    const renewedAt = LIFETIME_SECONDS[kind] * (from + ((to - from) * (step + 0.5)) / steps);
    sum += Math.ceil(renewedAt / CADENCE_SECONDS) * CADENCE_SECONDS;
  }
  return sum / steps;
}

const usedBytes = async (valkey) => (await valkey?.info('memory', 'used_memory')) ?? 0;

const texts = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
