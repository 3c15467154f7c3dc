import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connectToAuthorizationServer } from '../authorization-server/connect.js';
import { tokenHash } from '../protocol/fingerprint.js';
import { testAccessToken } from '../testing/test-access-token.js';
import {
  connectionTo,
  issueTokens,
  json,
  raw,
  startScriptedRealm,
  TOKEN,
  type ScriptedServer,
} from '../testing/scripted-server.js';
import { clientCredentialsRequest, tokenExchangeRequest, type TokenRequest } from './token-request.js';
import { TokenSource } from './token-source.js';
import { TokenSourceLog } from './token-source-log.js';

class FakeClock {
  seconds = 1_700_000_000;
  epochSeconds = (): number => this.seconds;
  monotonicMs = (): number => this.seconds * 1000;
}

const RENEW_BEFORE = 10;

let realm: ScriptedServer;
let clock: FakeClock;
let tokens: TokenSource;
let lines: string[];

beforeEach(async () => {
  realm = issueTokens(await startScriptedRealm());
  clock = new FakeClock();
  tokens = sourceOf();
  lines = [];
});
afterEach(() => realm.stop());

function sourceOf(maxCachedTokens = 100): TokenSource {
  const log = new TokenSourceLog({ log: (...line) => void lines.push(JSON.stringify(line)) });
  const options = { ...connectionTo(realm), renewBeforeExpirySeconds: RENEW_BEFORE, maxCachedTokens };
  return new TokenSource(connectToAuthorizationServer(connectionTo(realm), clock).tokenEndpoint, options, clock, log);
}

const text = async (request: TokenRequest): Promise<string> => (await tokens.get(request)).reveal();
const SELF = clientCredentialsRequest('orders.approve');
const subject = (name: string, expiresAt: number) =>
  tokenExchangeRequest(
    testAccessToken({ subject: name, expiresInSeconds: expiresAt - Math.floor(Date.now() / 1000) }),
    'service-c',
    'analytics.run',
  );

describe('TokenSource', () => {
  it('reuses a token until shortly before its expiry', async () => {
    expect(await text(SELF)).toBe('issued-1');
    clock.seconds += 60 - RENEW_BEFORE - 0.01;
    expect(await text(SELF)).toBe('issued-1');
    clock.seconds += 0.01;
    expect(await text(SELF)).toBe('issued-2');
    expect(realm.to(TOKEN)).toHaveLength(2);
  });

  it('counts the time that the answer was under way', async () => {
    realm.answer(TOKEN, (response, request) => {
      clock.seconds += 20;
      json({ access_token: 'slow', token_type: 'Bearer', expires_in: 60, scope: 'orders.approve' })(response, request);
    });
    await text(SELF);
    issueTokens(realm);
    clock.seconds += 60 - RENEW_BEFORE - 20 - 0.01;
    expect(await text(SELF)).toBe('slow');
    clock.seconds += 0.01;
    expect(await text(SELF)).toBe('issued-1');
  });

  it('never gives out an exchanged token past the expiry of its subject token', async () => {
    issueTokens(realm, 300);
    const request = subject('alice', clock.seconds + 40);
    expect(await text(request)).toBe('issued-1');
    clock.seconds += 40 - RENEW_BEFORE - 1;
    expect(await text(request)).toBe('issued-1');
    clock.seconds += 1;
    expect(await text(request)).toBe('issued-2');
  });

  it('does not keep an exchanged token past its own expiry either', async () => {
    const request = subject('alice', clock.seconds + 3600);
    await text(request);
    clock.seconds += 60 - RENEW_BEFORE;
    expect(await text(request)).toBe('issued-2');
  });

  it.each([
    ['is not said', undefined],
    ['is nothing', 0],
  ])('does not reuse a token whose lifetime %s', async (_, expiresIn) => {
    realm.answer(
      TOKEN,
      json({ access_token: 'once', token_type: 'Bearer', expires_in: expiresIn, scope: 'orders.approve' }),
    );
    expect(await text(SELF)).toBe('once');
    expect(await text(SELF)).toBe('once');
    expect(realm.to(TOKEN)).toHaveLength(2);
  });

  it('uses half the life of a token that lives no longer than the time to renewal', async () => {
    issueTokens(realm, RENEW_BEFORE);
    expect(await text(SELF)).toBe('issued-1');
    clock.seconds += RENEW_BEFORE / 2 - 2;
    expect(await text(SELF)).toBe('issued-1');
    clock.seconds += 2;
    expect(await text(SELF)).toBe('issued-2');
  });

  it('asks once for all who want the same at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => text(SELF)));
    expect(new Set(all)).toEqual(new Set(['issued-1']));
    expect(realm.to(TOKEN)).toHaveLength(1);
  });

  it('never shares between subjects, audiences, scopes or grants; the order of scopes is none', async () => {
    const exp = clock.seconds + 600;
    const alice = testAccessToken({ subject: 'alice', expiresInSeconds: exp - Math.floor(Date.now() / 1000) });
    const bob = testAccessToken({ subject: 'bob', expiresInSeconds: exp - Math.floor(Date.now() / 1000) });
    const different = [
      clientCredentialsRequest('a b'),
      clientCredentialsRequest('a'),
      tokenExchangeRequest(alice, 'service-c', 'a b'),
      tokenExchangeRequest(bob, 'service-c', 'a b'),
      tokenExchangeRequest(alice, 'service-d', 'a b'),
      tokenExchangeRequest(alice, 'service-c', 'a'),
    ];
    const together = await Promise.all(different.map(text));
    expect(new Set(together).size).toBe(different.length);
    expect(await Promise.all(different.map(text))).toEqual(together);
    expect(await text(clientCredentialsRequest('b a'))).toBe(together[0]);
    expect(await text(tokenExchangeRequest(alice, 'service-c', 'b a'))).toBe(together[2]);
  });

  it('shares a failure with those who wait and keeps it for nobody', async () => {
    realm.answer(TOKEN, raw(500));
    const waiting = await Promise.allSettled([text(SELF), text(SELF), text(SELF)]);
    expect(waiting.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(realm.to(TOKEN)).toHaveLength(1);
    issueTokens(realm);
    expect(await text(SELF)).toBe('issued-1');
  });

  it('drops the token that was refused, and keeps one that has come since', async () => {
    const old = await tokens.get(SELF);
    expect(tokens.dropRefused(SELF, old)).toBe(true);
    const renewed = await tokens.get(SELF);
    expect(renewed.reveal()).toBe('issued-2');
    expect(tokens.dropRefused(SELF, old)).toBe(true);
    expect(await tokens.get(SELF)).toBe(renewed);
  });

  it('replaces a refused token once in five seconds, so that a service that always says 401 costs no storm (CC-05)', async () => {
    tokens.dropRefused(SELF, await tokens.get(SELF));
    const replacement = await tokens.get(SELF);
    clock.seconds += 4.9;
    expect(tokens.dropRefused(SELF, replacement)).toBe(false);
    expect(await tokens.get(SELF)).toBe(replacement);
    clock.seconds += 0.1;
    expect(tokens.dropRefused(SELF, replacement)).toBe(true);
    expect(await text(SELF)).toBe('issued-3');
  });

  it('remembers a definite refusal for two seconds, and no other failure', async () => {
    realm.answer(TOKEN, json({ error: 'invalid_scope' }, 400));
    await expect(text(SELF)).rejects.toMatchObject({ code: 'authorization_server_refused' });
    issueTokens(realm);
    clock.seconds += 1.9;
    await expect(text(SELF)).rejects.toMatchObject({ code: 'authorization_server_refused' });
    expect(realm.to(TOKEN)).toHaveLength(1);
    expect(await text(clientCredentialsRequest('another'))).toBe('issued-1');
    clock.seconds += 0.1;
    expect(await text(SELF)).toBe('issued-2');
  });

  it('tries a renewal that failed again after a second, not with every request', async () => {
    await text(SELF);
    realm.answer(TOKEN, raw(500));
    clock.seconds += 49;
    for (let at = 0; at < 10; at += 1) {
      expect(await text(SELF)).toBe('issued-1');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(realm.to(TOKEN)).toHaveLength(2);
  });

  it('keeps no more tokens than it may', async () => {
    tokens = sourceOf(2);
    for (const scope of ['a', 'b', 'c', 'a']) await text(clientCredentialsRequest(scope));
    expect(realm.to(TOKEN)).toHaveLength(4);
  });

  it('logs what was asked for and for whom, once a flight, and no token (RS-23)', async () => {
    await text(SELF);
    await text(SELF);
    await text(subject('alice', clock.seconds + 600));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      ['Token obtained by client credentials', { scope: 'orders.approve', lifetimeSeconds: 60, durationMs: 0 }],
      [
        'Token exchanged',
        { sub: 'alice', aud: 'service-c', scope: 'analytics.run', lifetimeSeconds: 60, durationMs: 0 },
      ],
    ]);
  });
});

describe('a subject token that was found inactive', () => {
  it('takes what was exchanged from it with it, and nothing else (TX-06)', async () => {
    const later = Math.floor(Date.now() / 1000) + 3000;
    const [alice, bob] = [subject('alice', later), subject('bob', later)];
    const before = [await text(alice), await text(bob), await text(SELF)];
    tokens.dropExchangedFrom(tokenHash('test-token-of-alice'));
    expect(await text(alice)).not.toBe(before[0]);
    expect([await text(bob), await text(SELF)]).toEqual(before.slice(1));
  });
});
