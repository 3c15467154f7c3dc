import { describe, expect, it } from '@jest/globals';
import { ServiceCallError, type ServiceCallErrorCode } from '../client/service-call-error.js';
import { tokenText } from '../testing/token-text.js';
import { AuthorizationServerError } from './authorization-server-error.js';
import { BearerError } from './bearer-error.js';
import { failureHint, loggedFields } from './failure-hints.js';
import { OAUTH_ERROR_CODES } from './oauth-error-codes.js';
import {
  AUTHORIZATION_SERVER_ERROR_REASONS,
  SERVICE_CALL_ERROR_REASONS,
  type AuthorizationServerErrorReason,
} from './refusal-reasons.js';

const STATUSES = [301, 400, 401, 403, 404, 405, 408, 429, 500, 502, 503, 504];
const WORDS = [...OAUTH_ERROR_CODES, 'other', 'challenge', 'unexpected_status'] as const;

/** The descriptions that Keycloak 26.7.4 sends. */
const DESCRIBED: readonly (readonly [reason: AuthorizationServerErrorReason, description: string, hint: RegExp])[] = [
  ['answered_403_invalid_request', 'HTTPS required', /requires https: .*Require SSL/],
  ['answered_403_access_denied', 'Realm not enabled', /The realm is disabled\. Enable it/],
  ['answered_400_invalid_request', 'Standard token exchange is not enabled for the requested client', /token exchange/],
  [
    'answered_401_unauthorized_client',
    'Client not enabled to retrieve service account',
    /"Service account roles" at the client service-a/,
  ],
  ['answered_400_invalid_client', 'Audience not found', /no client service-b/],
  ['answered_403_access_denied', 'Client is not within the token audience', /service-a is the client of this service/],
  ['answered_400_invalid_client', 'Audience client disabled', /Enable the client service-b/],
];

const refusal = (reason: AuthorizationServerErrorReason, fields: object = {}): AuthorizationServerError =>
  new AuthorizationServerError('authorization_server_refused', {
    reason,
    fields: { client: 'service-a', audience: 'service-b', scope: 'orders.approve', ...fields },
  });

describe('failureHint', () => {
  it.each(AUTHORIZATION_SERVER_ERROR_REASONS)('says what to do about %s from Keycloak', (reason) => {
    for (const code of ['authorization_server_refused', 'authorization_server_unavailable'] as const) {
      expect(failureHint(new AuthorizationServerError(code, { reason }))).toMatch(/^[A-Z][^]*\.$/);
    }
  });

  it.each(STATUSES)('says what to do about status %i from Keycloak, for any error code', (status) => {
    for (const word of WORDS) {
      expect(failureHint(AuthorizationServerError.answered(status, word))).toMatch(/^[A-Z][^]*\.$/);
    }
  });

  it.each<ServiceCallErrorCode>(['service_refused', 'service_failed', 'service_unavailable', 'service_timeout'])(
    'says what to do about %s from a called service, for each reason',
    (code) => {
      const answered = STATUSES.map((status) => `answered_${status}` as const);
      for (const reason of [...SERVICE_CALL_ERROR_REASONS, ...answered]) {
        const hint = failureHint(new ServiceCallError(code, 'service-b', reason));
        expect(hint).toMatch(/\.$/);
        expect(hint).not.toMatch(/Keycloak/);
      }
    },
  );

  it.each(DESCRIBED)("matches Keycloak's description of the error: %s, %s", (reason, description, hint) => {
    const said = failureHint(refusal(reason, { description }));
    expect(said).toMatch(hint);
    expect(said).not.toMatch(/proxy or a login page|Compare clientId and the secret/);
  });

  it('refers to the log field `description` if the cause of a refusal is unknown', () => {
    expect(failureHint(refusal('answered_403_access_denied', { description: 'Something new' }))).toMatch(
      /`description`/,
    );
    expect(failureHint(refusal('answered_400_invalid_scope'))).toMatch(/If it is another client, correct clientId/);
  });

  it('uses the description of the error, in which tokens are masked (RS-23)', () => {
    const disabled = AuthorizationServerError.answered(403, 'access_denied', undefined, 'Realm not enabled');
    expect(failureHint(disabled)).toMatch(/^The realm is disabled/);
    const { fields } = AuthorizationServerError.answered(400, 'invalid_request', undefined, `no ${tokenText('x')}`);
    expect(fields).toEqual({ description: 'no ***' });
    expect(AuthorizationServerError.answered(400, 'invalid_request').fields).toEqual({});
  });

  it("is undefined if the caller's token was refused", () => {
    const refused = new BearerError('invalid_token', { reason: 'revoked', fields: { jti: 'x' } });
    expect(failureHint(refused)).toBeUndefined();
    expect(loggedFields(refused)).toEqual({ jti: 'x' });
  });

  it('does not replace an existing hint', () => {
    expect(loggedFields(refusal('timeout', { hint: 'Known.' }))).toMatchObject({ hint: 'Known.' });
  });
});
