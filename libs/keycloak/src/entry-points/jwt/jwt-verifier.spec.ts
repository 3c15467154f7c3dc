import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { startTestRealm } from '../../../../keycloak-test-servers/spec-support/test-realm.js';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { jwtService, publish } from '../../../spec-support/jwt-services.js';
import { ecSigner, type Signer } from '../../../spec-support/signers.js';
import { JWT_VERIFICATION_CHANNEL, type JwtVerificationMessage } from '../diagnostics/index.js';

let realm: RunningAuthorizationServer;
let key: Signer;

const messages: JwtVerificationMessage[] = [];
const listener = (message: unknown): void => void messages.push(message as JwtVerificationMessage);
const outcomes = (): string[] => messages.splice(0).map(({ outcome }) => outcome);

beforeAll(async () => {
  realm = await startTestRealm();
  key = ecSigner();
  publish(realm, [key.jwk]);
  subscribe(JWT_VERIFICATION_CHANNEL, listener);
});
afterEach(() => {
  publish(realm, [key.jwk]);
  messages.length = 0;
});
afterAll(async () => {
  unsubscribe(JWT_VERIFICATION_CHANNEL, listener);
  await realm.stop();
});

describe('JwtVerifier', () => {
  it('verifies a signature once for many requests with the same token, without introspection (RS-12)', async () => {
    const service = jwtService(realm);
    const token = key.sign(service.claims());
    const { calls } = realm.control;
    const before = { jwks: calls.jwks, introspection: calls.introspection };
    await Promise.all(Array.from({ length: 500 }, () => service.verifier.verify(token)));
    expect(outcomes().toSorted()).toEqual([...Array.from({ length: 499 }, () => 'joined'), 'verified']);
    await service.verifier.verify(token);
    expect(outcomes()).toEqual(['cached']);
    expect([calls.jwks - before.jwks, calls.introspection - before.introspection]).toEqual([1, 0]);
  });

  it('verifies an expired token at each use until the clock tolerance is over (RS-07)', async () => {
    const service = jwtService(realm);
    const token = key.sign(service.claims());
    expect(await service.reasonOf(token)).toBe('accepted');
    service.clock.advance(301);
    expect(await service.reasonOf(token)).toBe('accepted');
    expect(outcomes()).toEqual(['verified', 'verified']);
    service.clock.advance(5);
    expect(await service.reasonOf(token)).toBe('expired');
    expect(service.status.read().caches.verifiedJwts).toBe(0);
  });

  it('caches at most maxVerifiedTokens tokens, and only valid tokens (RS-16)', async () => {
    const service = jwtService(realm, { maxVerifiedTokens: 3 });
    const good = key.sign(service.claims({ jti: 'good' }));
    expect(await service.reasonOf(good)).toBe('accepted');
    const [header, payload] = good.split('.');
    for (let at = 0; at < 50; at += 1) {
      const junk = `${header}.${payload}.${Buffer.alloc(64, at + 1).toString('base64url')}`;
      expect(await service.reasonOf(junk)).toBe('signature_invalid');
    }
    messages.length = 0;
    expect(await service.reasonOf(good)).toBe('accepted');
    for (let at = 0; at < 10; at += 1) await service.reasonOf(key.sign(service.claims({ jti: `n${at}` })));
    expect(outcomes()[0]).toBe('cached');
    expect(service.status.read().caches.verifiedJwts).toBe(3);
  });

  it('does not evict a cached token while the keys are too old', async () => {
    const service = jwtService(realm);
    const token = key.sign(service.claims({ exp: Math.floor(Date.now() / 1000) + 3600 }));
    expect(await service.reasonOf(token)).toBe('accepted');
    const before = realm.control.calls.jwks;
    service.clock.advance(601);
    realm.control.fault('jwks', { kind: 'status', status: 503 });
    expect(await service.reasonOf(token)).toBe('answered_503_unexpected_status');
    publish(realm, [key.jwk]);
    expect(await service.reasonOf(token)).toBe('accepted');
    expect(realm.control.calls.jwks - before).toBe(2);
    expect(service.status.read().caches.verifiedJwts).toBe(1);
  });
});

describe('an unknown key id', () => {
  it('causes one read of the keys for 1,000 tokens with different key ids (RS-17)', async () => {
    const service = jwtService(realm);
    expect(await service.reasonOf(key.sign(service.claims()))).toBe('accepted');
    service.clock.advance(2);
    const { calls } = realm.control;
    const before = { jwks: calls.jwks, introspection: calls.introspection };
    const junk = Array.from({ length: 1000 }, (_, at) => key.sign(service.claims(), { kid: `made-up-${at}` }));
    const reasons = await Promise.all(junk.map((token) => service.reasonOf(token)));
    expect(new Set(reasons)).toEqual(new Set(['signing_key_unknown']));
    expect([calls.jwks - before.jwks, calls.introspection - before.introspection]).toEqual([1, 0]);
  });

  it('causes at most one read of the keys a second, despite many invalid tokens (RS-17)', async () => {
    const service = jwtService(realm);
    expect(await service.reasonOf(key.sign(service.claims()))).toBe('accepted');
    const before = realm.control.calls.jwks;
    const startMs = performance.now();
    let sent = 0;
    while (performance.now() - startMs < 2500) {
      await Promise.all(
        [1, 2, 3].map(() => service.reasonOf(key.sign(service.claims(), { kid: `junk-${(sent += 1)}` }))),
      );
    }
    expect(realm.control.calls.jwks - before).toBeLessThanOrEqual(4);
  });

  it.each<[string, (now: number) => object]>([
    ['another issuer', () => ({ iss: 'https://elsewhere.example/realms/x' })],
    ['no issuer', () => ({ iss: undefined })],
    ['an expiry in the past', (now) => ({ exp: now - 120 })],
  ])('does not cause a read of the keys if the token has %s', async (_, bend) => {
    const service = jwtService(realm);
    expect(await service.reasonOf(key.sign(service.claims()))).toBe('accepted');
    service.clock.advance(2);
    const before = realm.control.calls.jwks;
    const claims = service.claims({ ...bend(service.clock.epochSeconds()) });
    expect(await service.reasonOf(key.sign(claims, { kid: 'other' }))).toBe('signing_key_unknown');
    expect(realm.control.calls.jwks).toBe(before);
  });
});

describe('a key rotation', () => {
  it('does not affect valid tokens while the old key is published, despite many invalid tokens (RS-17)', async () => {
    const service = jwtService(realm);
    const next = ecSigner();
    let signer = key;
    const outcomesOfGood = new Map<string, number>();
    const load = { isOver: false };
    const good = async (): Promise<void> => {
      while (!load.isOver) {
        const reason = await service.reasonOf(signer.sign(service.claims({ jti: String(Math.random()) })));
        outcomesOfGood.set(reason, (outcomesOfGood.get(reason) ?? 0) + 1);
        await new Promise(setImmediate);
      }
    };
    const junk = async (): Promise<void> => {
      while (!load.isOver) await service.reasonOf(key.sign(service.claims(), { kid: `junk-${Math.random()}` }));
    };
    const running = [good(), good(), good(), junk(), junk()];
    await new Promise((resolve) => void setTimeout(resolve, 300));
    publish(realm, [next.jwk, key.jwk]);
    signer = next;
    await new Promise((resolve) => void setTimeout(resolve, 1500));
    load.isOver = true;
    await Promise.all(running);
    expect([...outcomesOfGood.keys()]).toEqual(['accepted']);
    expect(outcomesOfGood.get('accepted')).toBeGreaterThan(20);
  });

  it('makes the service refuse all tokens of a withdrawn key after the next read of the keys', async () => {
    const service = jwtService(realm);
    const next = ecSigner();
    const old = key.sign(service.claims());
    expect(await service.reasonOf(old)).toBe('accepted');
    publish(realm, [next.jwk]);
    expect(await service.reasonOf(old)).toBe('accepted');
    service.clock.advance(2);
    expect(await service.reasonOf(next.sign(service.claims()))).toBe('accepted');
    expect(await service.reasonOf(old)).toBe('signing_key_unknown');
    expect(service.lines.at(-1)).toMatchObject({
      message: "Keycloak's signing keys were read",
      fields: { added: [next.jwk.kid], withdrawn: [key.jwk.kid] },
    });
  });
});

describe('the diagnostics channel of JwtVerifier', () => {
  it('publishes the outcome of a verification, but no part of the token', async () => {
    const service = jwtService(realm);
    const token = key.sign(service.claims());
    await service.reasonOf(token);
    await service.reasonOf(key.sign(service.claims(), { alg: 'ES384' }));
    realm.control.fault('jwks', { kind: 'status', status: 500 });
    const other = jwtService(realm, {}, { maxRetries: 0 });
    await other.reasonOf(token);
    expect(messages.map(({ durationMs, ...rest }) => ({ ...rest, isTimed: durationMs >= 0 }))).toEqual([
      { issuer: realm.issuer, outcome: 'verified', valid: true, isTimed: true },
      { issuer: realm.issuer, outcome: 'verified', valid: false, isTimed: true },
      { issuer: realm.issuer, outcome: 'verified', failed: 'authorization_server_unavailable', isTimed: true },
    ]);
    expect(messages.every(Object.isFrozen)).toBe(true);
    expect(JSON.stringify(messages)).not.toContain(token.slice(0, 20));
  });
});

describe('a service that verifies signatures', () => {
  it('is ready as soon as it has read the signing keys', async () => {
    realm.control.fault('jwks', { kind: 'status', status: 503 });
    const service = jwtService(realm);
    expect(await service.health.ready()).toMatchObject({ reachable: false });
    publish(realm, [key.jwk]);
    service.clock.advance(2);
    expect(await service.health.ready()).toEqual({ reachable: true });
    const before = realm.control.calls.jwks;
    expect(await service.reasonOf(key.sign(service.claims()))).toBe('accepted');
    expect(realm.control.calls.jwks).toBe(before);
  });
});
