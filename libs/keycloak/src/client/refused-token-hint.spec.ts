import { describe, expect, it } from '@jest/globals';
import { IssuedToken } from '../protocol/issued-token.js';
import { clientCredentialsRequest } from './token-request.js';
import { answerFailure } from './service-call-failures.js';
import { ServiceCallError } from './service-call-error.js';

const text = (claims: object): string =>
  ['eyJhbGciOiJub25lIn0', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'c2ln'].join('.');

const TOKEN = text({ aud: 'service-b' });

function hintOf(challenge: string | undefined, { token = TOKEN, status = 401, service = 'service-b' } = {}): unknown {
  const request = clientCredentialsRequest('orders.approve', 'https://sso.example.com');
  const headers = challenge === undefined ? {} : { 'www-authenticate': challenge };
  const sent = [new IssuedToken(token, ['orders.approve'], 60), undefined];
  const failure = answerFailure(service, request, sent, { status, headers, body: undefined });
  expect(failure).toBeInstanceOf(ServiceCallError);
  expect(failure.code).toBe(status === 401 ? 'service_refused' : 'service_failed');
  return failure.fields['hint'];
}

describe('the hint for a call that was answered with 401', () => {
  it.each([
    ['Bearer realm="service-c", error="invalid_token"'],
    ['Bearer realm="service-c"'],
    ['Basic realm="proxy", Bearer realm="service-c"'],
  ])('names the service that answered, and the audience of the token: %s', (challenge) => {
    expect(hintOf(challenge)).toMatch(
      /^The service that answered says that it is service-c, but the token is for service-b\. If the address of service-b leads to service-c, .* If service-b runs with the client id of service-c, correct its clientId\.$/,
    );
  });

  it.each([['Bearer realm="service-b"'], ['Bearer'], ['Basic realm="proxy"']])(
    'says that the token did not arrive if the challenge has no error: %s',
    (challenge) => {
      expect(hintOf(challenge)).toMatch(/as if the request had no token\. .*the Authorization header/);
    },
  );

  it('names the audience of the token if the answer has no challenge, as with a guard of another library', () => {
    expect(hintOf(undefined)).toMatch(/^service-b answers 401 without a challenge, .* \(service-b\)\. A proxy/);
  });

  it('names the audience mapper if the refused token has a wrong audience', () => {
    const service = 'service-c';
    expect(hintOf('Bearer realm="service-c", error="invalid_token"', { service })).toMatch(
      /^service-c answered, but the token is for service-b\. The audience mapper .* names the wrong client:/,
    );
  });

  it('is omitted if neither the response nor the token shows the cause of the refusal', () => {
    expect(hintOf('Bearer realm="service-b", error="invalid_token"')).toBeUndefined();
    expect(hintOf('Bearer realm="service-c"', { status: 404 })).toBeUndefined();
    expect(
      hintOf('Bearer realm="elsewhere", error="invalid_token"', { token: 'opaque-token-of-a-server' }),
    ).toBeUndefined();
  });

  it('contains no part of the token, even if the challenge repeats the token (RS-23)', () => {
    const hint = hintOf(`Bearer realm="${TOKEN}", error="invalid_token"`);
    expect(hint).toBeUndefined();
    expect(JSON.stringify(hintOf(`Bearer realm="x ${TOKEN}"`))).not.toContain(TOKEN.slice(0, 30));
  });
});
