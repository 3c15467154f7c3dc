import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../caching/clock.js';
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import type { IssuedToken } from '../protocol/issued-token.js';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { printedForms } from '../../spec-support/printed-forms.js';
import { BASIC_OF_SERVICE_B, connectionTo } from '../../spec-support/test-realm.js';
import { startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { createAuthorizationServer } from './create-authorization-server.js';
import type { TokenEndpoint } from './token-endpoint.js';
import { type TokenForm, requestOf } from '../../spec-support/token-forms.js';

let realm: RunningAuthorizationServer;
let endpoint: TokenEndpoint;
beforeAll(async () => {
  realm = await startTestRealm();
});
beforeEach(() => {
  endpoint = createAuthorizationServer(connectionTo(realm), systemClock).tokenEndpoint;
});
afterAll(() => realm.stop());

const SELF: TokenForm = { grant_type: 'client_credentials', scope: 'orders.approve' };
const EXCHANGE: TokenForm = {
  grant_type: TOKEN_EXCHANGE_GRANT,
  subject_token: 'subject+token/=',
  audience: 'service-c',
  scope: 'analytics.run',
};

const ISSUED = {
  access_token: 'new.token',
  token_type: 'Bearer',
  expires_in: 60,
  scope: 'profile email orders.approve',
};
const EXCHANGED = { ...ISSUED, scope: 'profile email analytics.run', issued_token_type: ACCESS_TOKEN_TYPE };

const partOf = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const issue = (bend: object = {}): Promise<IssuedToken> => ask(SELF, { ...ISSUED, ...bend });
const exchange = (bend: object = {}): Promise<IssuedToken> => ask(EXCHANGE, { ...EXCHANGED, ...bend });

function ask(parameters: TokenForm, answer: unknown): Promise<IssuedToken> {
  realm.control.fault('token', { kind: 'answer', body: answer });
  return requestOf(endpoint)(parameters);
}

describe('the token request', () => {
  const sent = () => {
    const { form, ...request } = realm.control.lastRequest('token') ?? {};
    return { ...request, form: [...(form ?? [])].toSorted() };
  };
  const POST = {
    method: 'POST',
    url: '/realms/microservices/protocol/openid-connect/token',
    authorization: BASIC_OF_SERVICE_B,
  };

  it('has the grant and the scope in the body, and the secret in a header (RFC 6749 section 4.4.2)', async () => {
    await issue();
    expect(sent()).toEqual({
      ...POST,
      form: [
        ['grant_type', 'client_credentials'],
        ['scope', 'orders.approve'],
      ],
    });
  });

  it('has the parameters of a token exchange (RFC 8693 section 2.1) and one audience (TX-01)', async () => {
    await exchange();
    expect(sent()).toEqual({
      ...POST,
      form: [
        ['audience', 'service-c'],
        ['grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange'],
        ['requested_token_type', 'urn:ietf:params:oauth:token-type:access_token'],
        ['scope', 'analytics.run'],
        ['subject_token', 'subject+token/='],
        ['subject_token_type', 'urn:ietf:params:oauth:token-type:access_token'],
      ],
    });
  });
});

describe('the token response', () => {
  it('becomes an IssuedToken', async () => {
    const token = await exchange();
    expect(token.reveal()).toBe('new.token');
    expect(token).toMatchObject({ scope: ['profile', 'email', 'analytics.run'], lifetimeSeconds: 60 });
  });

  it.each(['Bearer', 'bearer', 'BEARER'])('is accepted with token_type %s (CC-04)', async (token_type) => {
    expect((await issue({ token_type })).reveal()).toBe('new.token');
    expect((await exchange({ token_type })).reveal()).toBe('new.token');
  });

  it.each([['DPoP'], ['mac'], ['N_A'], [''], [undefined], [null], [1]])(
    'is rejected with token_type %j (CC-04)',
    async (token_type) => {
      await expect(issue({ token_type })).rejects.toMatchObject({ name: 'AuthorizationServerError' });
      await expect(exchange({ token_type })).rejects.toMatchObject({ name: 'AuthorizationServerError' });
    },
  );

  it.each([['a\r\nX-Evil: 1'], ['a b'], ['a\n'], ['ä'], ['a,b'], [''], [undefined], [null], [42], [{}]])(
    'is rejected with access_token %j (CC-04)',
    async (access_token) => {
      await expect(issue({ access_token })).rejects.toMatchObject({ name: 'AuthorizationServerError' });
      await expect(exchange({ access_token })).rejects.toMatchObject({ name: 'AuthorizationServerError' });
    },
  );

  it.each([
    [undefined],
    [''],
    ['urn:ietf:params:oauth:token-type:jwt'],
    ['urn:ietf:params:oauth:token-type:refresh_token'],
  ])('is rejected after an exchange if issued_token_type is %j (TX-02)', async (issued_token_type) => {
    await expect(exchange({ issued_token_type })).rejects.toMatchObject({
      code: 'authorization_server_refused',
      reason: 'issued_token_type_not_as_asked',
    });
  });

  it.each(['profile', '', 'analytics.runner', 'Analytics.run'])(
    'with scope %j fails: insufficient_scope for an exchange, a configuration error for client credentials (TX-02)',
    async (scope) => {
      await expect(exchange({ scope })).rejects.toMatchObject({
        code: 'insufficient_scope',
        permission: 'analytics.run',
      });
      await expect(issue({ scope })).rejects.toMatchObject({
        code: 'authorization_server_refused',
        reason: 'scope_not_granted',
        fields: { scope: 'orders.approve' },
      });
    },
  );

  it('may add the default scopes to the requested scopes, but no other scope (TX-02)', async () => {
    await expect(exchange({ scope: 'analytics.run' })).resolves.toBeDefined();
    await expect(exchange({ scope: 'analytics.run email orders.approve' })).rejects.toMatchObject({
      code: 'authorization_server_refused',
      reason: 'scope_not_asked_for',
      fields: { scope: 'orders.approve' },
    });
  });

  it.each([
    ['the requested audience and another', ['service-c', 'service-x']],
    ['another audience', 'service-x'],
    ['the requested audience in another case', 'Service-C'],
  ])('is rejected after an exchange if the audience of the token is %s (TX-02)', async (_, aud) => {
    const access_token = `${partOf({ alg: 'RS256' })}.${partOf({ aud })}.c2ln`;
    const error = await exchange({ access_token }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'authorization_server_refused',
      reason: 'audience_mismatch',
      fields: { audience: 'service-c', found: [aud].flat().join(' ') },
    });
    expect(printedForms(error)).not.toContain(access_token);
  });

  it.each([
    ['the requested audience', { aud: 'service-c' }],
    ['a list of the requested audience', { aud: ['service-c'] }],
    ['no readable audience', {}],
  ])('is accepted after an exchange if the token names %s', async (_, claims) => {
    const access_token = `${partOf({ alg: 'RS256' })}.${partOf(claims)}.c2ln`;
    await expect(exchange({ access_token })).resolves.toBeDefined();
  });

  it('grants the requested scope if the response omits the scope (RFC 6749 section 5.1)', async () => {
    expect((await exchange({ scope: undefined })).scope).toEqual(['analytics.run']);
  });

  it.each([
    [undefined, 0],
    [0, 0],
    [3600, 3600],
  ])('gives a token with expires_in %j a lifetime of %d seconds', async (expires_in, seconds) => {
    expect((await issue({ expires_in })).lifetimeSeconds).toBe(seconds);
  });

  it.each([[-1], ['soon'], [null], [{}]])('is rejected with expires_in %j', async (expires_in) => {
    await expect(issue({ expires_in })).rejects.toMatchObject({ code: 'authorization_server_unavailable' });
  });

  it('leaks no token into the error if the response is rejected (RS-23)', async () => {
    for (const bend of [
      { token_type: 'DPoP' },
      { token_type: 'mac' },
      { issued_token_type: 'x' },
      { scope: 'x' },
      { expires_in: -1 },
    ]) {
      const error = await exchange(bend).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(printedForms(error)).not.toMatch(/new\.token|subject\+token|subject%2Btoken|the-secret/);
    }
  });
});
