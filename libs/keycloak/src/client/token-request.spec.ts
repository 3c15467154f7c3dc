import { describe, expect, it } from '@jest/globals';
import { testAccessToken } from '../testing/test-access-token.js';
import { clientCredentialsRequest, tokenExchangeRequest, tokenRequestKey, type TokenRequest } from './token-request.js';

const alice = testAccessToken({ subject: 'alice' });
const bob = testAccessToken({ subject: 'bob' });
const key = (request: TokenRequest, issuer = 'i', client = 'c'): string => tokenRequestKey(issuer, client, request);

describe('a token request', () => {
  it.each(['', ' ', 'a"b'])('needs a scope that is one: %j', (scope) => {
    expect(() => clientCredentialsRequest(scope)).toThrow(TypeError);
    expect(() => tokenExchangeRequest(alice, 'service-c', scope)).toThrow(TypeError);
  });

  it('of an exchange needs an audience', () => {
    expect(() => tokenExchangeRequest(alice, '', 'a')).toThrow(TypeError);
  });
});

describe('tokenRequestKey', () => {
  it('is the same for the same set of scopes', () => {
    expect(key(clientCredentialsRequest('a b'))).toBe(key(clientCredentialsRequest('b  a b')));
    expect(key(tokenExchangeRequest(alice, 'x', 'a b'))).toBe(key(tokenExchangeRequest(alice, 'x', 'b a')));
  });

  it('differs by all that the answer may depend on', () => {
    const keys = [
      key(clientCredentialsRequest('a')),
      key(clientCredentialsRequest('a b')),
      key(clientCredentialsRequest('a'), 'other'),
      key(clientCredentialsRequest('a'), 'i', 'other'),
      key(tokenExchangeRequest(alice, 'x', 'a')),
      key(tokenExchangeRequest(bob, 'x', 'a')),
      key(tokenExchangeRequest(alice, 'y', 'a')),
      key(tokenExchangeRequest(alice, 'x', 'a b')),
      key(tokenExchangeRequest(alice, 'x","a', 'a')),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('holds no token (RS-23)', () => {
    expect(key(tokenExchangeRequest(alice, 'x', 'a'))).not.toContain('test-token');
  });
});
