import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Fault, RunningAuthorizationServer } from 'keycloak-test-servers';
import { startTestRealm } from '../../../../keycloak-test-servers/spec-support/test-realm.js';
import { jwtService, publish, type JwtService } from '../../../spec-support/jwt-services.js';
import { rsaSigner, type Signer } from '../../../spec-support/signers.js';
import { KeycloakException } from '../../protocol/keycloak-exception.js';

let realm: RunningAuthorizationServer;
let key: Signer;

beforeAll(async () => {
  realm = await startTestRealm();
  key = rsaSigner();
});
afterEach(() => {
  for (const endpoint of ['jwks', 'discovery'] as const) realm.control.fault(endpoint, undefined);
});
afterAll(() => realm.stop());

const outcome = async (service: JwtService, token: string): Promise<string> => {
  try {
    await service.verifier.verify(token);
    return 'accepted';
  } catch (error) {
    if (error instanceof KeycloakException) return `${error.httpStatus} ${error.reason}`;
    throw error;
  }
};

const keys = (...all: unknown[]): Fault => ({ kind: 'answer', body: { keys: all } });

const OF_THE_SERVER: readonly [string, () => Fault, string][] = [
  ['resets connections', () => ({ kind: 'reset' }), '503 ECONNRESET'],
  ['hangs', () => ({ kind: 'hang' }), '503 timeout'],
  ['sends single bytes slowly', () => ({ kind: 'slow-bytes' }), '503 timeout'],
  ['answers 500', () => ({ kind: 'status', status: 500 }), '503 answered_500_unexpected_status'],
  ['answers 429', () => ({ kind: 'status', status: 429, retryAfter: 7 }), '503 answered_429_unexpected_status'],
  ['answers 404', () => ({ kind: 'answer', status: 404, body: {} }), '502 answered_404_unexpected_status'],
  [
    'redirects the request',
    () => ({ kind: 'answer', status: 302, headers: { location: '/keys' }, body: {} }),
    '503 answered_302_unexpected_status',
  ],
  ['sends HTML', () => ({ kind: 'html' }), '503 answer_not_json'],
  ['sends an empty answer', () => ({ kind: 'empty' }), '503 answer_not_strict_json'],
  ['sends 50 MB', () => ({ kind: 'huge' }), '503 answer_too_large'],
  ['sends a gzip bomb', () => ({ kind: 'gzip-bomb' }), '503 answer_too_large'],
  ['sends an incomplete answer', () => ({ kind: 'truncated' }), '503 answer_broken_off'],
  ['sends the type text/plain', () => ({ kind: 'wrong-content-type' }), '503 answer_not_json'],
  ['sends another charset', () => ({ kind: 'wrong-charset', declared: false }), '503 answer_not_strict_json'],
  ['sends deeply nested JSON', () => ({ kind: 'deep' }), '503 answer_not_strict_json'],
  ['sends a member __proto__', () => ({ kind: 'proto' }), '503 answer_not_strict_json'],
  ['sends all members twice', () => ({ kind: 'duplicate-keys' }), '503 answer_not_strict_json'],
  ['sends a list instead of a key set', () => ({ kind: 'answer', body: [1] }), '503 signing_keys_malformed'],
  ['sends an empty key set', () => keys(), '503 signing_keys_malformed'],
  ['sends only keys for encryption', () => keys({ ...key.jwk, use: 'enc' }), '503 signing_keys_malformed'],
  [
    'sends its private key',
    () => keys({ ...key.jwk, ...key.privateKey.export({ format: 'jwk' }) }),
    '502 signing_key_unusable',
  ],
  [
    'sends a secret in place of its key',
    () => keys({ kty: 'oct', k: 'c2VjcmV0', kid: key.jwk.kid }),
    '502 signing_key_unusable',
  ],
  [
    'sends two keys with the same id',
    () => keys(key.jwk, { ...rsaSigner().jwk, kid: key.jwk.kid }),
    '502 signing_key_unusable',
  ],
  ['sends a malformed key', () => keys({ ...key.jwk, n: 'AQAB' }), '502 signing_key_unusable'],
];

const quickFor = (refused: string) => ({ timeoutMs: refused === '503 timeout' ? 3000 : 10_000, maxRetries: 0 });

describe.each(OF_THE_SERVER)('a server that %s', (_, fault, refused) => {
  const quick = quickFor(refused);

  it('makes a new service refuse a valid token, and causes no introspection', async () => {
    const service = jwtService(realm, {}, quick);
    realm.control.fault('jwks', fault());
    const { introspection } = realm.control.calls;
    expect(await outcome(service, key.sign(service.claims()))).toBe(refused);
    expect(realm.control.calls.introspection).toBe(introspection);
    publish(realm, [key.jwk]);
    expect(await outcome(service, key.sign(service.claims()))).toBe('accepted');
  });
});

const OF_NO_USE = OF_THE_SERVER.filter(([, , refused]) => !refused.startsWith('502 signing_key'));

describe.each(OF_NO_USE)('a server that %s', (_, fault, refused) => {
  const quick = quickFor(refused);

  it('does not affect a service that has read the keys until the keys are too old', async () => {
    publish(realm, [key.jwk]);
    const service = jwtService(realm, {}, quick);
    const claims = service.claims({ exp: Math.floor(Date.now() / 1000) + 3600 });
    const warm = key.sign(claims);
    expect(await outcome(service, warm)).toBe('accepted');
    realm.control.fault('jwks', fault());
    service.clock.advance(540);
    expect([await outcome(service, warm), await outcome(service, key.sign(claims))]).toEqual(['accepted', 'accepted']);
    service.clock.advance(61);
    expect([await outcome(service, warm), await outcome(service, key.sign(claims))]).toEqual([refused, refused]);
  });
});

describe('the JWKS endpoint', () => {
  it.each<[string, object, string]>([
    ['is on another origin', { jwks_uri: 'https://keys.example/certs' }, '502 endpoint_on_foreign_origin'],
    ['is missing', { jwks_uri: undefined }, '502 endpoint_missing'],
    ['is not a URL', { jwks_uri: 'certs' }, '502 endpoint_missing'],
  ])('is not called if its address in the discovery document %s', async (_, members, refused) => {
    publish(realm, [key.jwk]);
    realm.control.fault('discovery', { kind: 'members', members: { ...members } });
    const service = jwtService(realm);
    const { jwks } = realm.control.calls;
    expect(await outcome(service, key.sign(service.claims()))).toBe(refused);
    expect(realm.control.calls.jwks).toBe(jwks);
    await expect(
      service.verifier.verify(key.sign(service.claims()), { verification: 'introspection' }),
    ).rejects.toMatchObject({
      reason: 'inactive',
    });
  });

  it('cannot redirect the service to the keys of an attacker', async () => {
    let visits = 0;
    const theirs = createServer((_, response) => {
      visits += 1;
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key.jwk] }));
    });
    await new Promise<void>((resolve) => theirs.listen(0, '127.0.0.1', resolve));
    const { port } = theirs.address() as { readonly port: number };
    const location = `http://127.0.0.1:${port}/`;
    realm.control.fault('jwks', { kind: 'answer', status: 302, headers: { location }, body: {} });
    const service = jwtService(realm, {}, { maxRetries: 0 });
    expect(await outcome(service, key.sign(service.claims()))).toBe('503 answered_302_unexpected_status');
    expect(visits).toBe(0);
    await new Promise((resolve) => theirs.close(resolve));
  });

  it('may answer with the media type application/jwk-set+json (RFC 7517 §8.5.2)', async () => {
    const headers = { 'content-type': 'application/jwk-set+json' };
    realm.control.fault('jwks', { kind: 'answer', headers, body: { keys: [key.jwk] } });
    const service = jwtService(realm);
    expect(await outcome(service, key.sign(service.claims()))).toBe('accepted');
  });

  it('has a separate circuit breaker, so introspection works while the circuit breaker is open', async () => {
    realm.control.fault('jwks', { kind: 'status', status: 500 });
    const service = jwtService(realm, {}, { maxRetries: 0, circuitBreakerFailures: 3 });
    const token = key.sign(service.claims());
    const reasons = [];
    for (let times = 0; times < 4; times += 1) reasons.push(await outcome(service, token));
    expect(reasons.at(-1)).toBe('503 circuit_open');
    expect(service.status.read().authorizationServer).toMatchObject({
      jwks: { circuit: 'open' },
      introspection: { circuit: 'closed' },
    });
    await expect(service.verifier.verify(token, { maxStalenessSeconds: 0 })).rejects.toMatchObject({
      reason: 'inactive',
    });
  });
});
