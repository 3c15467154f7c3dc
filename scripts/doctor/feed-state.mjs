import { setTimeout as sleep } from 'node:timers/promises';
import { hasSources } from '../start/signals.mjs';
import { clientSecrets, DESCRIPTION } from '../start/services.mjs';

const ANSWER_MS = 5000;
/** A new process has a healthy feed only after a few seconds. */
const LOOKS = 15;
/** One gap lasts for `introspectionTtlSeconds`, and processes that have just started may cause another gap. */
const LOOKS_AT_GAPS = 60;
/** In a container, each look starts a process, so more frequent looks would slow down what they look at. */
const PAUSE_MS = 1000;

/**
 * Doctor can't read the feed's state from the poller, since the poller serves no health details.
 *
 * @param {string} service
 * @param {NodeJS.ProcessEnv} environment of the process
 */
export const receivesRevocations = (service, environment) =>
  service !== DESCRIPTION.poller.name && (hasSources(environment) || Boolean(environment.SHARED_STATE_URL));

/** @typedef {import('./processes-to-examine.mjs').ProcessFault} ProcessFault */

/**
 * @param {string} service
 * @param {string} issuer as reachable from this process
 * @param {(token: string) => Promise<any>} readDetails
 * @param {number} [pauseMs] between two of 15 looks, or of 60 looks at a feed with gaps
 * @returns {Promise<ProcessFault | undefined>}
 */
export async function feedFault(service, issuer, readDetails, pauseMs = PAUSE_MS) {
  /** @type {string | ProcessFault | undefined} */
  let token;
  for (let look = 1; ; look += 1) {
    // All looks together may last longer than a token lives. If Keycloak issues no newer token, the last one may do.
    const newer = await operatorToken(service, issuer);
    token = typeof newer === 'string' || token === undefined ? newer : token;
    if (typeof token !== 'string') return token;
    const answer = await readDetails(token).catch((error) => ({ code: codeOf(error) }));
    if (answer?.details === undefined) {
      return typeof newer === 'string' ? unreadDetails(String(answer?.code ?? 'an unexpected answer')) : newer;
    }
    const { signals } = answer.details;
    if (signals?.state !== 'silent') return undefined;
    if (look === (signals.reason === 'gaps' ? LOOKS_AT_GAPS : LOOKS)) return silent(signals);
    await sleep(pauseMs);
  }
}

const UNREAD = { what: 'The state of the signal feed could not be read', level: /** @type {const} */ ('warning') };

/** @param {string} code */
const unreadDetails = (code) => ({
  ...UNREAD,
  why: `its health details: ${code}`,
  cure: 'Read the log of the process for the reason why GET /health/details was refused or failed.',
});

const codeOf = (/** @type {any} */ { cause, message }) => String(cause?.code ?? message);

/** @param {{ lastHealthySecondsAgo?: number, reason?: string }} signals */
function silent({ lastHealthySecondsAgo, reason }) {
  const since =
    lastHealthySecondsAgo === undefined ? 'it was never healthy' : `silent for ${Math.round(lastHealthySecondsAgo)} s`;
  return {
    what: 'Signal feed silent',
    check: /** @type {const} */ ('signals'),
    why: reason ?? since,
    cure: 'Read the log of the process: the line "Revocations are not received" or "Refused content of the revocation channel" says why. Look for gaps of the channel, too.',
    isSymptom: /** @type {const} */ (true),
  };
}

/**
 * @param {string} service
 * @param {string} issuer
 * @returns {Promise<string | ProcessFault>}
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
    const { access_token: token, error = '' } = /** @type {any} */ (await answer.json().catch(() => ({})));
    return typeof token === 'string' ? token : refusedOperator(`${answer.status} ${error}`.trim());
  } catch (error) {
    const cure = 'Start Keycloak, or correct its address. Then run doctor again.';
    // If Keycloak is unreachable, another finding of doctor names this cause.
    return { ...UNREAD, why: `Keycloak issues no token (${codeOf(error)})`, cure, isSymptom: true };
  }
}

/** @param {string} answer */
const refusedOperator = (answer) => ({
  ...UNREAD,
  why: `Keycloak answers ${answer}`,
  isSymptom: /** @type {const} */ (true),
  cure: 'Give the realm the client `operator` of keycloak/microservices-realm.json with its scopes, and set OPERATOR_CLIENT_SECRET to its secret.',
});

/**
 * @param {number} port on this machine
 * @returns {(token: string) => Promise<any>}
 */
export const detailsAt = (port) => async (token) => {
  const headers = { authorization: `Bearer ${token}` };
  const url = `http://localhost:${port}/health/details`;
  return (await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS) })).json();
};
