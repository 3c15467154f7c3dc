import { describe, expect, it } from '@jest/globals';
import { AuthorizationServerError } from './authorization-server-error.js';
import { BearerError } from './bearer-error.js';
import type { KeycloakException } from './keycloak-exception.js';

const reason = 'expired';
const serverReason = 'timeout';
const permission = 'orders.approve';
const challenge = (rest = ''): object => ({ 'WWW-Authenticate': `Bearer realm="service-b"${rest}` });

const REFUSALS: readonly (readonly [KeycloakException, number, object, object])[] = [
  [new BearerError('missing_token', { reason }), 401, { error: 'Missing token', code: 'missing_token' }, challenge()],
  [
    new BearerError('invalid_request', { reason }),
    400,
    { error: 'Invalid request', code: 'invalid_request' },
    challenge(', error="invalid_request"'),
  ],
  [
    new BearerError('invalid_token', { reason }),
    401,
    { error: 'Invalid token', code: 'invalid_token' },
    challenge(', error="invalid_token"'),
  ],
  [
    new BearerError('insufficient_user_authentication', {
      reason,
      authentication: { acrValues: ['gold', 'urn:a:silver'], maxAgeSeconds: 0 },
    }),
    401,
    {
      error: 'Stronger or more recent login needed',
      code: 'insufficient_user_authentication',
      acrValues: ['gold', 'urn:a:silver'],
      maxAgeSeconds: 0,
    },
    challenge(', error="insufficient_user_authentication", acr_values="gold urn:a:silver", max_age="0"'),
  ],
  [
    new BearerError('insufficient_user_authentication', {
      reason,
      authentication: { acrValues: [], maxAgeSeconds: undefined },
    }),
    401,
    { error: 'Stronger or more recent login needed', code: 'insufficient_user_authentication' },
    challenge(', error="insufficient_user_authentication"'),
  ],
  [
    new BearerError('insufficient_scope', { reason, permission }),
    403,
    { error: 'Insufficient permission', code: 'insufficient_scope', permission },
    challenge(', error="insufficient_scope", scope="orders.approve"'),
  ],
  [
    new BearerError('client_not_allowed', { reason }),
    403,
    { error: 'Client not allowed', code: 'client_not_allowed' },
    {},
  ],
  [new BearerError('route_closed', { reason }), 403, { error: 'Route closed', code: 'route_closed' }, {}],
  [
    new AuthorizationServerError('authorization_server_refused', { reason: serverReason }),
    502,
    { error: 'Authorization server refused this service', code: 'authorization_server_refused' },
    {},
  ],
  [
    new AuthorizationServerError('authorization_server_unavailable', { reason: serverReason, retryAfterSeconds: 7 }),
    503,
    { error: 'Authorization server unavailable', code: 'authorization_server_unavailable' },
    { 'Retry-After': '7' },
  ],
];

describe('the HTTP response of a refusal (RS-02, RS-14)', () => {
  it.each(REFUSALS)('has the expected status, body and headers: %s', (refusal, status, body, headers) => {
    expect(refusal.httpStatus).toBe(status);
    expect(refusal.toBody(false)).toStrictEqual(body);
    expect(refusal.toHeaders('service-b')).toStrictEqual(headers);
  });

  it.each(REFUSALS)('contains the reason only with the option exposeRefusalReasons: %s', (refusal, _status, body) => {
    expect(refusal.toBody(true)).toStrictEqual({ ...body, reason: refusal.reason });
    expect(JSON.stringify(refusal.toBody(false))).not.toContain(refusal.reason);
  });

  it('has Retry-After on every 503 (RS-14)', () => {
    const refusal = new AuthorizationServerError('authorization_server_unavailable', { reason: serverReason });
    expect(refusal.toHeaders('service-b')).toEqual({ 'Retry-After': '5' });
  });

  it.each(['x", error="none"\r\nSet-Cookie: a', 'Prüfer', 'two words'])(
    'names the invalid scope %j only in its body, not in the challenge (RS-02, RFC 6750 section 3)',
    (name) => {
      const refusal = new BearerError('insufficient_scope', { reason, permission: name });
      expect(refusal.toHeaders('b')).toEqual({ 'WWW-Authenticate': 'Bearer realm="b", error="insufficient_scope"' });
      expect(refusal.toBody(false)).toMatchObject({ permission: name });
    },
  );

  it('names all scopes of an operation in the challenge, and the missing permission in the body (RFC 6750 section 3)', () => {
    const scopes = ['tools.use', 'two words', 'tools.approve'];
    const refusal = new BearerError('insufficient_scope', { reason, permission: 'tools.approve', scopes });
    expect(refusal.toHeaders('b', 'https://b.example/metadata')).toEqual({
      'WWW-Authenticate':
        'Bearer realm="b", error="insufficient_scope", scope="tools.use tools.approve", resource_metadata="https://b.example/metadata"',
    });
    expect(refusal.toBody(false)).toMatchObject({ permission: 'tools.approve' });
  });

  it('is an Error with its own name, no cause and no stack trace', () => {
    const refusal = new BearerError('invalid_token', { reason });
    expect(refusal).toBeInstanceOf(Error);
    expect(refusal.name).toBe('BearerError');
    expect(refusal.message).toBe('Invalid token');
    expect(refusal.cause).toBeUndefined();
    expect(refusal.stack).toBe('BearerError: Invalid token (expired)');
  });
});
