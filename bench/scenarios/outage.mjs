import { setTimeout as sleep } from 'node:timers/promises';
import { returned, served } from '../measure/outage-figures.mjs';
import { FLEETS, startFleet } from '../measure/outage-fleets.mjs';
import { addShortClient, KINDS, logInAll, logOut } from '../measure/outage-tokens.mjs';
import { preparedRealm } from '../measure/signals.mjs';
import { startValkey } from '../measure/valkey.mjs';

export const name = 'outage';
export const title = 'ten minutes without Keycloak for seven fleets of nine processes (valkey-server on the path)';

const OUTAGE_SECONDS = Number(process.env.OUTAGE_SECONDS || 600);
/** Longer than the outage, because every token ends with its `exp`. */
const TOKEN_SECONDS = 1800;
/** Ends about half-way through the outage. */
const SHORT_TOKEN_SECONDS = OUTAGE_SECONDS / 2 + 50;
const RATE = 3;
const RATE_AT_RETURN = 12;
const WARM_SECONDS = 5;
const ROUND_SECONDS = 9;
const SLOWEST_ANSWER_SECONDS = 4;
const MAX_TRIES = 10;
const TTL_SECONDS = 10;
const MEANWHILE_SECONDS = OUTAGE_SECONDS / 10;
const BEFORE_RETURN_SECONDS = 5;
const AFTER_SECONDS = 20;

export async function run({ keycloak, start, say, signal }) {
  const realm = await preparedRealm(keycloak, { accessTokenLifespan: TOKEN_SECONDS });
  const shortClient = await addShortClient(realm, SHORT_TOKEN_SECONDS);
  const [fleets, valkeys] = [[], []];
  try {
    // One after the other, because the services have one core, and a start has a time limit.
    for (const fleet of FLEETS) {
      const valkey = await startValkey();
      valkeys.push(valkey);
      fleets.push(await startFleet(fleet, { keycloak, valkey, start, signal, rate: RATE }));
      say(`Started: ${fleet.name}`);
    }
    const context = { keycloak, fleets, say, wait: (seconds) => sleep(seconds * 1000, undefined, { signal }) };
    const sessions = await prepare(context);
    await outageOf(context, sessions);
    const calls = await Promise.all(fleets.map((fleet) => fleet.callsAgain()));
    const answers = await Promise.all(fleets.map(({ load }) => load.end()));
    return fleets.flatMap((fleet, at) => [
      ...served(fleet, answers[at], say),
      ...returned(fleet, answers[at], calls[at]),
    ]);
  } finally {
    await Promise.all(fleets.map((fleet) => fleet.stop()));
    for (const valkey of valkeys) valkey.stop();
    await shortClient.remove();
    await realm.restore();
  }
}

/**
 * Afterwards, all caches are warm, and each service has learned which sessions have ended. The tokens are newer than the
 * feeds, because with a feed, older tokens are introspected until they expire.
 */
async function prepare({ keycloak, fleets, say, wait }) {
  await wait(WARM_SECONDS);
  const sessions = await logInAll(keycloak);
  const warm = KINDS.filter(({ begins }) => begins === 'warm').map(({ name: kind }) => kind);
  for (const fleet of fleets) {
    fleet.giveTokens(sessions);
    fleet.turn(true, ...warm);
  }
  await untilAll({ fleets, say, wait }, ({ status }) => status === 200);
  for (const fleet of fleets) fleet.turn(false, 'quiet');
  await wait(1);
  await logOut(keycloak, [...sessions.ended, ...sessions.quiet]);
  say('Logged out');
  await wait(TTL_SECONDS);
  await untilAll({ fleets, say, wait }, ({ kind, status }, { trustsSignatures }) =>
    kind === 'ended' && !trustsSignatures ? status === 401 : status === 200,
  );
  return sessions;
}

/**
 * Waits until all answers in the time in which each replica receives each token are as expected. On a busy machine,
 * Keycloak may be too slow at first.
 */
async function untilAll({ fleets, say, wait }, isExpected) {
  for (let tries = 0; ; tries += 1) {
    const sinceMs = performance.now();
    await wait(ROUND_SECONDS);
    const untilMs = performance.now();
    await wait(SLOWEST_ANSWER_SECONDS);
    const inRound = ({ sentMs }) => sentMs >= sinceMs && sentMs < untilMs;
    const others = fleets.flatMap((fleet) => {
      const answers = fleet.load.answers.filter(inRound);
      return answers.length === 0 ? ['no answer'] : answers.filter((answer) => !isExpected(answer, fleet));
    });
    if (others.length === 0) return;
    const first = JSON.stringify(others[0]);
    if (tries >= MAX_TRIES) throw new Error(`${others.length} not as expected before the outage: ${first}`);
    say(`Waiting: ${others.length} not as expected: ${first}`);
  }
}

async function outageOf({ keycloak, fleets, say, wait }, sessions) {
  await Promise.all(fleets.map((fleet) => fleet.takeKeycloakAway()));
  const downMs = performance.now();
  const until = (seconds) => wait(seconds - (performance.now() - downMs) / 1000);
  say(`Keycloak is away for ${OUTAGE_SECONDS} s`);
  for (const fleet of fleets) fleet.turn(true, 'new', 'quiet');
  await until(MEANWHILE_SECONDS);
  await logOut(keycloak, sessions.meanwhile);
  await until(OUTAGE_SECONDS - BEFORE_RETURN_SECONDS);
  for (const { load } of fleets) load.rate = RATE_AT_RETURN;
  await until(OUTAGE_SECONDS);
  await Promise.all(fleets.map((fleet) => fleet.giveKeycloakBack()));
  await until(OUTAGE_SECONDS + AFTER_SECONDS);
}
