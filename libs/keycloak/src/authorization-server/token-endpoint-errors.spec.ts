/** Real refusals of Keycloak 26.7.4's token endpoint (TX-08). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '../caching/clock.js';
import { failureHint } from '../protocol/failure-hints.js';
import { TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import type { Fault, RunningAuthorizationServer } from 'keycloak-test-servers';
import { printedForms } from '../../spec-support/printed-forms.js';
import { connectionTo } from '../../spec-support/test-realm.js';
import { startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { createAuthorizationServer } from './create-authorization-server.js';
import { requestOf } from '../../spec-support/token-forms.js';

let realm: RunningAuthorizationServer;
beforeAll(async () => {
  realm = await startTestRealm();
});
afterAll(() => realm.stop());

const EXCHANGE = {
  grant_type: TOKEN_EXCHANGE_GRANT,
  subject_token: 'subject.token',
  audience: 'service-c',
  scope: 'analytics.run',
} as const;
const FOR_SELF = { grant_type: 'client_credentials', scope: 'analytics.run' } as const;

async function refusal(request: typeof EXCHANGE | typeof FOR_SELF, fault: Fault): Promise<KeycloakException> {
  realm.control.fault('token', fault);
  const options = { ...connectionTo(realm), ...(fault.kind === 'hang' && { timeoutMs: 300 }) };
  const endpoint = createAuthorizationServer(options, systemClock).tokenEndpoint;
  const error = await requestOf(endpoint)(request).catch((thrown: unknown) => thrown);
  if (!(error instanceof KeycloakException)) throw new Error('No refusal', { cause: error });
  return error;
}

const says = (status: number, error: string, error_description?: string): Fault => ({
  kind: 'answer',
  status,
  body: { error, error_description },
});

const NO_AUDIENCE = 'Requested audience not available: service-c';
/** Only the second text is known: it is in the sources of Keycloak 26.8, for a request with an `actor_token`. */
const DELEGATION = [
  'Token exchange is not allowed for a subject_token with an act claim',
  'The subject_token cannot carry both a may_act and an act claim',
  'Delegation subject tokens require an actor_token',
];
const SWITCH_OFF = 'Standard token exchange is not enabled for the requested client';
const BAD_CLIENT = 'Invalid client or Invalid client credentials';

const CALLER_401 = [401, 'invalid_token'] as const;
const CALLER_403 = [403, 'insufficient_scope'] as const;
const OURS_502 = [502, 'authorization_server_refused'] as const;
const OURS_503 = [503, 'authorization_server_unavailable'] as const;
type Outcome = readonly [status: number, code: string];

describe('a refused exchange (TX-08)', () => {
  it.each<[string, Fault, Outcome]>([
    ['7, 18: the subject may not have the scope', says(400, 'invalid_request', NO_AUDIENCE), CALLER_403],
    [
      '9: subject token of another audience',
      says(403, 'access_denied', 'Client is not within the token audience'),
      OURS_502,
    ],
    ['10: subject token revoked or expired', says(400, 'invalid_request', 'Invalid token'), CALLER_401],
    ['11: exchange not switched on', says(400, 'invalid_request', SWITCH_OFF), OURS_502],
    ['12: unknown audience', says(400, 'invalid_client', 'Audience not found'), OURS_502],
    ['13: unknown or unassigned scope', says(400, 'invalid_scope', 'Invalid scopes: analytics.run'), OURS_502],
    ['14: wrong secret', says(401, 'unauthorized_client', BAD_CLIENT), OURS_502],
    ['RFC 6749: invalid grant', says(400, 'invalid_grant', 'Session not active'), CALLER_401],
    ['RFC 6749: invalid grant without a description', says(400, 'invalid_grant'), CALLER_401],
    ['RFC 6749: client authentication failed', says(401, 'invalid_client', BAD_CLIENT), OURS_502],
    ['RFC 6749: grant not allowed for this service', says(400, 'unauthorized_client', 'Not allowed'), OURS_502],
    ['RFC 6749: unsupported grant type', says(400, 'unsupported_grant_type', 'Unsupported'), OURS_502],
    ['RFC 8693: audience not acceptable', says(400, 'invalid_target', 'Unknown audience'), OURS_502],
    ['26.8: subject token of a delegation', says(400, 'invalid_request', DELEGATION[0]), CALLER_403],
    ['26.8: the same words with another code', says(400, 'invalid_client', DELEGATION[0]), OURS_502],
    ['words that only contain act', says(400, 'invalid_request', 'The contract is inactive'), OURS_502],
    ['unknown description', says(400, 'invalid_request', 'Something new'), OURS_502],
    ['a longer form of a known description', says(400, 'invalid_request', 'Invalid token type'), OURS_502],
    ['no description', says(400, 'invalid_request'), OURS_502],
    ['another code with a known description', says(400, 'invalid_client', 'Invalid token'), OURS_502],
    ['a known description with another status', says(403, 'invalid_request', 'Invalid token'), OURS_502],
    ['a known description with a failure', says(500, 'invalid_request', 'Invalid token'), OURS_503],
    ['the server is overloaded', says(429, 'slow_down', 'Too many requests'), OURS_503],
    ['the server is down', { kind: 'status', status: 503 }, OURS_503],
    ['the server hangs', { kind: 'hang' }, OURS_503],
    ['the server breaks off', { kind: 'reset' }, OURS_503],
  ])('results in the expected status and code: row %s', async (_row, fault, [status, code]) => {
    const error = await refusal(EXCHANGE, fault);
    expect([error.httpStatus, error.code]).toEqual([status, code]);
    expect(printedForms(error)).not.toContain('subject.token');
  });

  it('names the audience and the permission that the subject lacks (TX-07)', async () => {
    expect(await refusal(EXCHANGE, says(400, 'invalid_request', NO_AUDIENCE))).toMatchObject({
      permission: 'analytics.run',
      reason: 'permission_not_granted_to_subject',
      fields: { audience: 'service-c' },
    });
  });

  it.each(DELEGATION)('has a reason of its own, and is not repeated without an audience: %s', async (description) => {
    const before = realm.control.calls.token.token_exchange;
    const error = await refusal(EXCHANGE, says(400, 'invalid_request', description));
    expect(error).toMatchObject({ reason: 'delegation_token_refused', permission: 'analytics.run' });
    expect(failureHint(error)).toMatch(/^Somebody acts for the subject .*log in without impersonation/);
    expect(realm.control.calls.token.token_exchange).toBe(before + 1);
  });

  it.each([
    [400, 'invalid_grant', 'secret story'],
    [400, 'invalid_request', `${NO_AUDIENCE}, secret story`],
    [400, 'invalid_request', 'secret story'],
    [400, 'invalid_target', 'secret story'],
    [400, 'invalid_scope', 'secret story'],
    [400, 'unauthorized_client', 'secret story'],
    [403, 'access_denied', 'secret story'],
    [500, 'server_error', 'secret story'],
  ])(
    '%i %s has its description in the log fields, but not in the response (RFC 8693 section 2.2.2)',
    async (status, error, story) => {
      const told = await refusal(EXCHANGE, says(status, error, story));
      const wire = JSON.stringify([told.toBody(true), told.toHeaders('service-b')]);
      expect(wire + told.message).not.toContain('secret story');
      expect(told.fields).toMatchObject({
        // The body of a 5xx is not read.
        ...(status < 500 ? { description: story } : {}),
        grant: 'token_exchange',
        scope: 'analytics.run',
        audience: 'service-c',
        client: 'service-b',
        endpoint: expect.stringMatching(/^http.*\/protocol\/openid-connect\/token$/) as unknown,
      });
    },
  );

  it('names the OAuth error code in the stack trace', async () => {
    const { stack } = await refusal(EXCHANGE, says(400, 'invalid_target', 'Unknown audience'));
    expect(stack).toBe(
      'AuthorizationServerError: Authorization server refused this service (answered_400_invalid_target)',
    );
  });
});

describe('refused client credentials (TX-08)', () => {
  it.each<[string, Fault, Outcome]>([
    ['3: scope not assigned', says(400, 'invalid_scope', 'Invalid scopes: analytics.run'), OURS_502],
    ['14: wrong secret', says(401, 'unauthorized_client', BAD_CLIENT), OURS_502],
    ['the error for an invalid subject token', says(400, 'invalid_request', 'Invalid token'), OURS_502],
    ['the error for a subject without the role', says(400, 'invalid_request', NO_AUDIENCE), OURS_502],
    ['the error for an invalid grant', says(400, 'invalid_grant', 'Session not active'), OURS_502],
    ['the server is down', { kind: 'status', status: 500 }, OURS_503],
    ['the server hangs', { kind: 'hang' }, OURS_503],
  ])('are reported as a fault of this service, never of a caller: row %s', async (_row, fault, [status, code]) => {
    const error = await refusal(FOR_SELF, fault);
    expect([error.httpStatus, error.code]).toEqual([status, code]);
  });
});
