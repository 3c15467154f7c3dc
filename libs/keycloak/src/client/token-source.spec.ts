import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BearerError } from '../protocol/bearer-error.js';
import { ACCESS_TOKEN_TYPE } from '../protocol/identifiers.js';
import { tokenHash } from '../protocol/token-hash.js';
import type { IssuedToken } from '../protocol/issued-token.js';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { heldTokenSource } from '../../spec-support/held-token-source.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { testAccessToken } from '../testing/test-access-token.js';
import { HeldCalls } from '../../spec-support/test-realm.js';
import { loginTo, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { clientCredentialsRequest, tokenExchangeRequest, type TokenRequest } from './token-request.js';
import { TokenSource } from './token-source.js';
import { type TokenForm } from '../../spec-support/token-forms.js';

const LIFETIME = 300;
const RENEW_BEFORE = 10;
const SCOPE = 'orders.approve';
const SELF = clientCredentialsRequest(SCOPE);

let realm: RunningAuthorizationServer;
let aliceToken: string;
let bobToken: string;
let clock: StillClock;
let tokens: TokenSource;
let requests: HeldCalls<[TokenForm], IssuedToken>;
let lines: string[];

beforeAll(async () => {
  realm = await startTestRealm();
  aliceToken = await loginTo(realm, 'alice');
  bobToken = await loginTo(realm, 'bob');
});
beforeEach(() => {
  realm.control.fault('token', undefined);
  realm.control.calls.reset();
  clock = new StillClock();
  clock.date = Date.now() / 1000;
  lines = [];
  tokens = sourceOf();
});
afterAll(() => realm.stop());

function sourceOf(maxCachedTokens = 100): TokenSource {
  const log = { log: (...line: unknown[]) => void lines.push(JSON.stringify(line)) };
  const source = heldTokenSource(realm, { clock, maxCachedTokens, log });
  requests = source.requests;
  return source.tokens;
}

const text = async (request: TokenRequest): Promise<string> => (await tokens.get(request)).reveal();
const asked = (): number => realm.control.calls.token.client_credentials + realm.control.calls.token.token_exchange;

const exchange = (subject: string, audience = 'service-b', scope = SCOPE, expiresInSeconds = LIFETIME) =>
  tokenExchangeRequest(testAccessToken({ text: subject, expiresInSeconds }), audience, scope);

function grants(access_token: string, expires_in?: number): void {
  const body = { access_token, token_type: 'Bearer', expires_in, issued_token_type: ACCESS_TOKEN_TYPE };
  realm.control.fault('token', { kind: 'answer', body });
}

async function hasBeenAsked(times: number): Promise<void> {
  while (asked() < times) await new Promise(setImmediate);
}

describe('TokenSource', () => {
  it('reuses a token until shortly before its expiry (CC-01)', async () => {
    const first = await text(SELF);
    clock.advance(LIFETIME - RENEW_BEFORE - 0.01);
    expect(await text(SELF)).toBe(first);
    await hasBeenAsked(2);
    tokens = sourceOf();
    const second = await text(SELF);
    clock.advance(LIFETIME - RENEW_BEFORE);
    expect(await text(SELF)).not.toBe(second);
  });

  it('measures the lifetime from the request, not from the response (CC-01)', async () => {
    grants('slow', 60);
    const slow = text(SELF);
    await hasBeenAsked(1);
    clock.advance(20);
    expect(await slow).toBe('slow');
    grants('next', 60);
    clock.advance(60 - RENEW_BEFORE - 20 - 0.01);
    expect(await text(SELF)).toBe('slow');
    tokens = sourceOf();
    grants('slow', 60);
    const again = text(SELF);
    await hasBeenAsked(3);
    clock.advance(20);
    await again;
    grants('next', 60);
    clock.advance(60 - RENEW_BEFORE - 20);
    expect(await text(SELF)).toBe('next');
  });

  it('reuses a short-lived token for half of its lifetime (CC-01)', async () => {
    grants('one', RENEW_BEFORE);
    expect(await text(SELF)).toBe('one');
    grants('two', RENEW_BEFORE);
    clock.advance(RENEW_BEFORE / 2 - 2);
    expect(await text(SELF)).toBe('one');
    clock.advance(2);
    expect(await text(SELF)).toBe('two');
  });

  it('never shares tokens between subjects, audiences, scope sets or grants (CC-03, TX-05)', async () => {
    const different = [
      clientCredentialsRequest('orders.read orders.approve'),
      SELF,
      exchange(aliceToken, 'service-b', 'orders.read orders.approve'),
      exchange(aliceToken),
      exchange(aliceToken, 'service-a', 'orders.read orders.approve'),
      exchange(aliceToken, 'service-a', 'orders.read'),
      exchange(bobToken, 'service-a', 'orders.read'),
    ];
    const together = await Promise.all(different.map(text));
    expect(new Set(together).size).toBe(different.length);
    expect(await Promise.all(different.map(text))).toEqual(together);
    expect(await text(clientCredentialsRequest('orders.approve orders.read'))).toBe(together[0]);
    expect(await text(exchange(aliceToken, 'service-b', 'orders.approve orders.read'))).toBe(together[2]);
    expect(asked()).toBe(different.length);
  });

  it('caches at most maxCachedTokens tokens', async () => {
    tokens = sourceOf(2);
    for (const scope of ['orders.read', SCOPE, 'orders.read orders.approve', 'orders.read']) {
      await text(clientCredentialsRequest(scope));
    }
    expect(asked()).toBe(4);
  });

  it('logs scope and subject of each token request once, without the token (RS-23)', async () => {
    await text(SELF);
    await text(SELF);
    const alice = testAccessToken({ text: aliceToken, subject: 'alice' });
    await text(tokenExchangeRequest(alice, 'service-b', SCOPE));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      ['Token obtained by client credentials', { scope: SCOPE, lifetimeSeconds: LIFETIME, durationMs: 0 }],
      ['Token exchanged', { sub: 'alice', aud: 'service-b', scope: SCOPE, lifetimeSeconds: LIFETIME, durationMs: 0 }],
    ]);
  });
});

describe('a failed token request', () => {
  it('is shared by concurrent callers, and is not cached (CC-02)', async () => {
    realm.control.fault('token', { kind: 'status', status: 500 });
    const waiting = await Promise.allSettled([text(SELF), text(SELF), text(SELF)]);
    expect(waiting.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(asked()).toBe(1);
    realm.control.fault('token', undefined);
    await expect(text(SELF)).resolves.toBeDefined();
  });

  it('is cached for two seconds if the server refused the request', async () => {
    realm.control.disableClient('service-a');
    const refused = { code: 'authorization_server_refused' };
    await expect(text(SELF)).rejects.toMatchObject(refused);
    realm.control.enableClient('service-a');
    clock.advance(1.99);
    await expect(text(SELF)).rejects.toMatchObject(refused);
    expect(asked()).toBe(1);
    await expect(text(clientCredentialsRequest('orders.read'))).resolves.toBeDefined();
    clock.advance(0.01);
    await expect(text(SELF)).resolves.toBeDefined();
  });

  it('delays the next renewal by a second, while the old token stays in use (CC-01)', async () => {
    const old = await text(SELF);
    realm.control.fault('token', { kind: 'status', status: 503 });
    clock.advance(LIFETIME - RENEW_BEFORE - 10);
    expect(await text(SELF)).toBe(old);
    await requests.haveEnded(2);
    expect([await text(SELF), await text(SELF)]).toEqual([old, old]);
    clock.advance(0.999);
    expect(await text(SELF)).toBe(old);
    expect(asked()).toBe(2);
    clock.advance(0.001);
    expect(await text(SELF)).toBe(old);
    await requests.haveEnded(3);
    expect(asked()).toBe(3);
  });
});

describe('a token that the called service refused (CC-05)', () => {
  it('is replaced only once, even if it is refused twice', async () => {
    const old = await tokens.get(SELF);
    expect(tokens.dropRefused(SELF, old)).toBe(true);
    const renewed = await tokens.get(SELF);
    expect(renewed).not.toBe(old);
    expect(tokens.dropRefused(SELF, old)).toBe(true);
    expect(await tokens.get(SELF)).toBe(renewed);
  });

  it('is replaced at most once in five seconds, even if the service refuses every token', async () => {
    tokens.dropRefused(SELF, await tokens.get(SELF));
    const renewed = await tokens.get(SELF);
    clock.advance(4.99);
    expect(tokens.dropRefused(SELF, renewed)).toBe(false);
    expect(await tokens.get(SELF)).toBe(renewed);
    clock.advance(0.01);
    expect(tokens.dropRefused(SELF, renewed)).toBe(true);
    expect(await tokens.get(SELF)).not.toBe(renewed);
    expect(asked()).toBe(3);
  });
});

describe('an exchanged token (TX-06)', () => {
  it.each([
    ["subject token's", 40, LIFETIME],
    ["exchanged token's", LIFETIME, 40],
  ])('is not reused shortly before the end of the %s lifetime', async (_whose, ofSubject, own) => {
    const request = exchange(aliceToken, 'service-b', SCOPE, ofSubject);
    grants('one', own);
    expect(await text(request)).toBe('one');
    grants('two', own);
    // The test keeps a margin, because `exp` is rounded to whole seconds.
    clock.advance(40 - RENEW_BEFORE - 9);
    expect(await text(request)).toBe('one');
    clock.advance(9);
    expect(await text(request)).toBe('two');
  });

  it('is dropped when its subject token is found inactive', async () => {
    const [alice, bob] = [exchange(aliceToken), exchange(bobToken, 'service-a', 'orders.read')];
    const before = [await text(alice), await text(bob), await text(SELF)];
    tokens.dropExchangedFrom(tokenHash(aliceToken));
    expect(await text(alice)).not.toBe(before[0]);
    expect([await text(bob), await text(SELF)]).toEqual(before.slice(1));
  });

  it.each([
    ['first exchange', 0],
    ['renewal', LIFETIME - RENEW_BEFORE - 5],
  ])('is not cached again by a %s that was pending when the token was dropped', async (_kind, ageSeconds) => {
    const alice = exchange(aliceToken);
    if (ageSeconds > 0) await text(alice);
    clock.advance(ageSeconds);
    const before = asked();
    const release = requests.hold();
    const early = text(alice);
    await hasBeenAsked(before + 1);
    tokens.dropExchangedFrom(tokenHash(aliceToken));
    const late = text(alice);
    release();
    await requests.haveEnded(before + 2);
    expect(await late).not.toBe(await early);
    expect(await text(alice)).toBe(await late);
    expect(asked()).toBe(before + 2);
  });

  it.each<[string, object, number]>([
    ['with those for other audiences, when a renewal finds the subject token', { error: 'invalid_grant' }, 0],
    [
      'alone, when a renewal finds the scope',
      { error: 'invalid_request', error_description: 'Requested audience not available: service-b' },
      1,
    ],
  ])('is dropped %s refused', async (_case, body, left) => {
    const [alice, other] = [exchange(aliceToken), exchange(aliceToken, 'service-a', 'orders.read')];
    const first = await text(alice);
    await text(other);
    clock.advance(LIFETIME - RENEW_BEFORE - 5);
    realm.control.fault('token', { kind: 'answer', status: 400, body });
    expect(await text(alice)).toBe(first);
    await requests.haveEnded(3);
    const before = asked();
    await expect(text(alice)).rejects.toThrow(BearerError);
    expect([asked(), tokens.size]).toEqual([before, left]);
  });

  it('is dropped, even if it was reused between exchanges of other subject tokens', async () => {
    tokens = sourceOf(2);
    const alice = exchange(aliceToken);
    const kept = await text(alice);
    await text(exchange(bobToken, 'service-a', 'orders.read'));
    expect(await text(alice)).toBe(kept);
    await text(exchange(await loginTo(realm, 'bob'), 'service-a', 'orders.read'));
    expect(await text(alice)).toBe(kept);
    tokens.dropExchangedFrom(tokenHash(aliceToken));
    expect(await text(alice)).not.toBe(kept);
  });
});
