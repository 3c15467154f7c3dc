// The state of a process's own signal feed: doctor reads it in the health details, as the client `operator`.
import { setTimeout as sleep } from 'node:timers/promises';
import { isHeard } from '../signals.mjs';
import { clientSecrets } from '../services.mjs';

const ANSWER_MS = 5000;
/** A process that has just started proves its feed within seconds. */
const LOOKS = 12;
const PAUSE_MS = 500;

/**
 * Whether only the process itself knows if its feed works: without a channel no proof is written that others could read.
 *
 * @param {NodeJS.ProcessEnv} environment of the process
 */
export const hasFeedOfItsOwn = (environment) => isHeard(environment) && !environment.SHARED_STATE_URL;

/**
 * Undefined if the feed works, and if the realm or the process does not say.
 *
 * @param {string} service
 * @param {string} issuer as it is reached from here
 * @param {(token: string) => Promise<any>} readDetails
 * @returns {Promise<import('./processes-to-examine.mjs').ProcessFault | undefined>}
 */
export async function feedFault(service, issuer, readDetails) {
  const token = await operatorToken(service, issuer);
  if (token === undefined) return undefined;
  for (let look = 1; ; look += 1) {
    const signals = (await readDetails(token).catch(() => undefined))?.details?.signals;
    if (signals?.state !== 'silent') return undefined;
    if (look === LOOKS) return silent(signals);
    await sleep(PAUSE_MS);
  }
}

/** @param {{ provenSecondsAgo?: number }} signals */
function silent({ provenSecondsAgo }) {
  const since =
    provenSecondsAgo === undefined ? 'it has proven nothing yet' : `silent for ${Math.round(provenSecondsAgo)} s`;
  return {
    what: 'Signal feed silent',
    why: since,
    cure: 'Read the log of the process: the line "Revocations are not heard of" says why.',
    isSymptom: /** @type {const} */ (true),
  };
}

/**
 * Undefined where the realm has no such client, or another secret for it (OPERATOR_CLIENT_SECRET).
 *
 * @param {string} service
 * @param {string} issuer
 * @returns {Promise<string | undefined>}
 */
async function operatorToken(service, issuer) {
  const secret = clientSecrets(process.env).OPERATOR_CLIENT_SECRET ?? '';
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: 'operator',
    client_secret: secret,
    scope: `${service}.health`,
  });
  try {
    const url = `${issuer}/protocol/openid-connect/token`;
    const answer = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(ANSWER_MS) });
    return answer.ok ? /** @type {any} */ (await answer.json()).access_token : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {number} port on this machine
 * @returns {(token: string) => Promise<any>}
 */
export const detailsAt = (port) => async (token) => {
  const headers = { authorization: `Bearer ${token}` };
  const url = `http://localhost:${port}/health/details`;
  return (await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS) })).json();
};
