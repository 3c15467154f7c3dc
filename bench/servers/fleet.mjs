// Runs the library of many services and all their replicas in one process, without Nest and without a server. The
// services' clock follows the requests: the clock stands still until each request has its answer. So the process counts
// correctly at any speed of the machine.
import { composeKeycloak } from '../../libs/keycloak/dist/module/compose-keycloak.js';
import { tokenExchangeRequest } from '../../libs/keycloak/dist/client/token-request.js';
import { jwtVerification } from '../../libs/keycloak/dist/entry-points/jwt/index.js';
import { answerInProcess, answerOverHttp, callsInFlight, readTokens } from '../measure/hot-tokens.mjs';
import { virtualTimeCache } from '../measure/virtual-time-cache.mjs';

const { ISSUER, CLIENT_ID, TOKENS_FILE, KIND, VALKEY_URL, SHARED_KEY } = process.env;
const [SERVICES, REPLICAS, TOKENS, MAX_ENTRIES] = numbers('SERVICES', 'REPLICAS', 'TOKENS', 'MAX_ENTRIES');
/** Each replica gets each token once in the cadence, which has `SLOTS` steps of the clock. */
const [CADENCE_SECONDS, SLOTS, TTL_SECONDS, WINDOW_SECONDS] = numbers('CADENCE', 'SLOTS', 'TTL', 'WINDOW');
const OLDEST_SHARED_MS = 10_000;
const STALENESS = KIND === 'keys' ? Infinity : Number.MAX_VALUE;

let nowMs = 1;
const startSeconds = Date.now() / 1000;
const clock = { monotonicMs: () => nowMs, epochSeconds: () => startSeconds + nowMs / 1000 };
const faults = { count: 0, last: '' };
const log = {
  log: () => undefined,
  debug: () => undefined,
  warn: () => undefined,
  error(message, fields) {
    faults.count += 1;
    faults.last = `${message} ${JSON.stringify(fields)}`;
  },
};

const tokens = readTokens(TOKENS_FILE);
const texts = Array.from({ length: TOKENS }, (_, n) => tokens.at(n));
const level2 = VALKEY_URL ? virtualTimeCache({ url: VALKEY_URL, keys: [SHARED_KEY] }, () => nowMs) : undefined;
const cores = Array.from({ length: SERVICES * REPLICAS }, () =>
  composeKeycloak(
    {
      issuer: ISSUER,
      clientId: CLIENT_ID,
      clientSecret: 'secret',
      allowInsecureRequests: true,
      introspectionTtlSeconds: 10,
      // Time limits do not use the services' clock, so a call must not fail on a busy machine.
      timeoutMs: 30_000,
      ...(KIND === 'feed' ? { introspectionTtlWithEventsSeconds: TTL_SECONDS } : {}),
      ...(KIND === 'keys' ? { verification: 'jwt', jwt: jwtVerification() } : {}),
      ...(MAX_ENTRIES > 0 ? { maxCachedIntrospections: MAX_ENTRIES, maxCachedTokens: MAX_ENTRIES } : {}),
      ...(level2 === undefined ? {} : { sharedCache: level2.cache }),
    },
    { clock, loggers: () => log },
  ),
);

/** `subjects` has the verified tokens that a replica exchanges. `claims` identify the present result of a token. */
const replicas = Array.from({ length: REPLICAS }, (_, replica) => ({
  cores: cores.slice(replica * SERVICES, (replica + 1) * SERVICES),
  subjects: [],
  claims: [],
  quietUntilMs: new Float64Array(TOKENS),
}));
/** No request before this age causes a call, so these requests are left out. */
const quietMs = KIND === 'feed' ? TTL_SECONDS * 1000 * 0.9 - OLDEST_SHARED_MS : 0;
const slotMs = (CADENCE_SECONDS * 1000) / SLOTS;
/** The first results are spread over the time after which a result is renewed, so that the renewals are spread evenly. */
const slotsInPeriod = Math.round((Number(process.env.RENEWED_AFTER) * 1000) / slotMs);
let slot = 0;
let requests = 0;

process.once('SIGTERM', () => process.exit());
const ANSWERS = {
  /** Gets each token's first result at each replica, spread evenly over a period. */
  async fill() {
    await Promise.all(cores.flatMap(({ issuers: [{ metadata }], shared }) => [metadata.get(), shared[0]?.open()]));
    if (KIND !== 'keys') answerInProcess();
    level2?.fills(true);
    await run(slotsInPeriod + SLOTS);
    level2?.fills(false);
    answerOverHttp();
  },
  async window() {
    requests = 0;
    const ticks = Math.round((WINDOW_SECONDS * 1000) / slotMs);
    await run(ticks);
    const { looks, puts } = level2?.state ?? {};
    return { seconds: (ticks * slotMs) / 1000, requests, looks, puts, faults };
  },
};
process.on('message', async ({ id, ask }) => ask in ANSWERS && process.send({ id, answer: await ANSWERS[ask]() }));
process.send({ listening: 'nowhere' });

async function run(ticks) {
  for (let n = 0; n < ticks; n += 1, slot += 1) {
    nowMs += slotMs;
    if (KIND === 'feed') for (const core of cores) core.issuers[0].signals.prove({ sinceMs: 0, untilMs: nowMs });
    const waits = [];
    for (let at = 0; at < REPLICAS; at += 1) sendSlot(replicas[at], slot - Math.floor((at * SLOTS) / REPLICAS), waits);
    await Promise.all(waits);
    await settled();
  }
}

/** Waits for renewals in the background. Two turns of the event loop, because a renewal has several steps. */
async function settled() {
  for (let quiet = 0; quiet < 2;) {
    const isQuiet = callsInFlight() === 0 && (level2?.state.pending ?? 0) === 0;
    quiet = isQuiet ? quiet + 1 : 0;
    await new Promise(setImmediate);
  }
}

/** Sends the tokens that are due. `due` counts the slots since the replica's first request. */
function sendSlot(replica, due, waits) {
  for (let at = ((due % SLOTS) + SLOTS) % SLOTS; at <= Math.min(due, slotsInPeriod - 1); at += SLOTS) {
    const end = Math.ceil(((at + 1) * TOKENS) / slotsInPeriod);
    for (let n = Math.ceil((at * TOKENS) / slotsInPeriod); n < end; n += 1) {
      requests += 1;
      if (nowMs >= replica.quietUntilMs[n]) send(replica, n, waits);
    }
  }
}

function send(replica, n, waits) {
  const answer = KIND === 'exchange' ? exchanged(replica, n) : verified(replica, n);
  if (answer instanceof Promise) waits.push(answer.then((later) => note(replica, n, later)));
  else note(replica, n, answer);
}

const coreOf = (replica, n) => replica.cores[n % SERVICES];

const verified = (replica, n) => coreOf(replica, n).issuers[0].verifier.verify(texts[n], STALENESS);

function exchanged(replica, n) {
  const subject = replica.subjects[n];
  if (subject !== undefined) return coreOf(replica, n).tokens.get(tokenExchangeRequest(subject, 'stock', 'stock.read'));
  return Promise.resolve(verified(replica, n)).then((token) => {
    replica.subjects[n] = token;
    return exchanged(replica, n);
  });
}

function note(replica, n, { claims }) {
  if (quietMs === 0 || replica.claims[n] === claims) return;
  replica.claims[n] = claims;
  replica.quietUntilMs[n] = nowMs + quietMs;
}

function numbers(...names) {
  return names.map((name) => Number(process.env[name]));
}
