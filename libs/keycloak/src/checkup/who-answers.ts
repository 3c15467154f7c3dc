import type { Network, ServiceAddress } from '../http/network.js';
import { HttpFailure, sendRequest } from '../http/send-request.js';
import { ownProperty } from '../protocol/claims.js';
import { loggableText } from '../protocol/loggable-text.js';
import { readBearerChallenge, readBearerRealm } from '../protocol/www-authenticate.js';

const MAX_ANSWER_BYTES = 65_536;

/** The path of a protected route that each service with `service-defaults` has. */
const GUARDED_PATH = 'health/details';

/** Credentials that every service refuses, because Keycloak never issues a token of this format. */
const NOT_A_TOKEN = 'Bearer sent-by-doctor';

const CODES: ReadonlySet<unknown> = new Set(['missing_token', 'invalid_token']);

export interface Answering {
  /** The client id of the service. */
  readonly realm: string;
  readonly sawAuthorization: boolean;
}

/** Returns undefined if the answer does not come from a service that uses this library. */
export async function whoAnswers(service: ServiceAddress, network: Network): Promise<Answering | undefined> {
  const { origin, pathname } = new URL(service.baseUrl);
  try {
    const { status, headers, body } = await sendRequest(network.toService(service), {
      origin,
      method: 'GET',
      path: `${pathname.replace(/\/$/, '')}/${GUARDED_PATH}`,
      headers: ['authorization', NOT_A_TOKEN],
      body: undefined,
      timeoutMs: service.timeoutMs,
      maxResponseBytes: MAX_ANSWER_BYTES,
      signal: undefined,
    });
    if (status !== 401 || !CODES.has(codeIn(body.toString()))) return undefined;
    const challenge = headers['www-authenticate'];
    const realm = loggableText(readBearerRealm(challenge));
    if (realm === undefined) return undefined;
    return { realm, sawAuthorization: readBearerChallenge(challenge) !== undefined };
  } catch (failure) {
    if (failure instanceof HttpFailure) return undefined;
    throw failure;
  }
}

function codeIn(body: string): unknown {
  try {
    return ownProperty(JSON.parse(body), 'code');
  } catch {
    return undefined;
  }
}
