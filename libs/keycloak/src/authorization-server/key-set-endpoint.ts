import type { Connections } from '../http/network.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import { retryAfterSeconds } from '../resilience/retry-after.js';
import { addressOf, boundedExchange, isJson } from './bounded-fetch.js';
import type { ClockSkew } from './clock-skew.js';
import type { ServerMetadata } from './metadata.js';
import { readErrorBody } from './error-body.js';
import { isStrictJson } from './strict-json.js';

/** The media type of a key set (RFC 7517 §8.5.2), although Keycloak sends `application/json`. */
const KEY_SET_TYPE = /^application\/jwk-set\+json(?: *;|$)/i;

const HEADERS = { accept: 'application/jwk-set+json, application/json', 'accept-encoding': 'identity' };

/** Reads the server's key set without client credentials (RFC 7517 §5). */
export class KeySetEndpoint {
  constructor(
    private readonly connections: Connections,
    private readonly metadata: Pick<ServerMetadata, 'keySetUrl'>,
    private readonly policy: CallPolicy,
    private readonly clockSkew: Pick<ClockSkew, 'observeHeader'>,
  ) {}

  /** Returns the key set, whose content the caller must validate. */
  readonly read = async (): Promise<unknown> =>
    this.policy.run(
      async () => this.metadata.keySetUrl(),
      async (url, signal) => {
        const request = { method: 'GET', headers: HEADERS, body: undefined, signal } as const;
        const { status, headers, body } = await boundedExchange(this.connections, url, request);
        this.clockSkew.observeHeader(headers);
        const fields = { endpoint: addressOf(url) };
        if (status !== 200) {
          const retryAfter = retryAfterSeconds(headers['retry-after'], headers['date']);
          const { error = 'unexpected_status', description } = readErrorBody(status, body.toString()) ?? {};
          throw AuthorizationServerError.answered(status, error, retryAfter, description).add(fields);
        }
        const type = headers['content-type'];
        if (!isJson(type) && !KEY_SET_TYPE.test(type ?? '')) throw unavailable('answer_not_json', fields);
        if (!isStrictJson(body)) throw unavailable('answer_not_strict_json', fields);
        return JSON.parse(body.toString()) as unknown;
      },
    );
}

function unavailable(reason: AuthorizationServerErrorReason, fields: object): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_unavailable', { reason, fields: { ...fields } });
}
