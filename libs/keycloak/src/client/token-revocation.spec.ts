import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Denial } from '../protocol/denial.js';
import { IssuedToken } from '../protocol/issued-token.js';
import { subjectTokenText, type VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { RevocationList } from '../revocation/revocation-list.js';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { CALL_BOUNDS, json, NextService } from '../../spec-support/next-service.js';
import { heldTokenSource } from '../../spec-support/held-token-source.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { testAccessToken } from '../testing/test-access-token.js';
import { HeldCalls } from '../../spec-support/test-realm.js';
import { loginTo, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { ServiceClient } from './service-client.js';
import { ServiceTransport } from './service-transport.js';
import { clientCredentialsRequest, tokenExchangeRequest, type TokenRequest } from './token-request.js';
import { TokenSource } from './token-source.js';
import { TokenSourceLog } from './token-source-log.js';
import { type TokenForm, endpointOf } from '../../spec-support/token-forms.js';
import { audience, revocationList } from '../../spec-support/one-issuer.js';

const SCOPE = 'orders.approve';
const PATH = '/api/process';
const LIFETIME_SECONDS = 300;
/** The denials expire before the tokens, so that the tests detect a token that was kept by mistake. */
const MEMORY_SECONDS = 60;
const REVOKED = { code: 'invalid_token', reason: 'revoked' };

function listFor(clock: StillClock, revocationRetentionSeconds: number): RevocationList {
  const options = {
    maxRevocations: 100,
    revocationRetentionSeconds,
    clockToleranceSeconds: 5,
    introspectionTtlSeconds: 10,
  };
  return revocationList(options, clock);
}

describe('a subject token that is denied', () => {
  let realm: RunningAuthorizationServer;
  let next: NextService;
  let alice: VerifiedAccessToken;
  let alicesOther: VerifiedAccessToken;
  let clock: StillClock;
  let revocations: RevocationList;
  let heldRequests: HeldCalls<[TokenForm], IssuedToken>;
  let tokens: TokenSource;
  let client: ServiceClient;

  async function verifiedToken(sid: string): Promise<VerifiedAccessToken> {
    return testAccessToken({
      text: await loginTo(realm, 'alice'),
      subject: 'alice',
      expiresInSeconds: 10 * LIFETIME_SECONDS,
      claims: { sid },
    });
  }

  beforeAll(async () => {
    realm = await startTestRealm();
    [alice, alicesOther] = [await verifiedToken('s1'), await verifiedToken('s2')];
  });
  beforeEach(async () => {
    realm.control.fault('token', undefined);
    realm.control.calls.reset();
    next = (await NextService.start()).answer(PATH, json({ ok: true }));
    clock = new StillClock();
    clock.date = Date.now() / 1000;
    revocations = listFor(clock, MEMORY_SECONDS);
    ({ tokens, requests: heldRequests } = heldTokenSource(realm, { clock, revocations }));
    const transport = new ServiceTransport({
      name: 'service-b',
      baseUrl: next.url,
      timeoutMs: 60_000,
      maxResponseBytes: 10_000,
      ...CALL_BOUNDS,
    });
    client = new ServiceClient('service-b', audience('service-b'), transport, tokens);
  });
  afterEach(() => next.stop());
  afterAll(() => realm.stop());

  const asked = (): number => realm.control.calls.token.client_credentials + realm.control.calls.token.token_exchange;
  const get = async (request: TokenRequest) => tokens.get(request);
  const exchange = (subject: VerifiedAccessToken) => tokenExchangeRequest(subject, 'service-b', SCOPE);
  const hasBeenAsked = async (times: number): Promise<void> => {
    while (asked() < times) await new Promise(setImmediate);
  };

  const DENIALS: readonly (readonly [string, () => Denial])[] = [
    ['with its session', () => ({ sid: 's1' })],
    ['with its subject', () => ({ sub: 'alice', issuedBefore: clock.date + 1 })],
    ['as a single token', () => ({ tokenHash: alice.hash })],
  ];

  it.each(DENIALS)('stops calls with the exchanged token when the subject token is denied %s', async (_, denial) => {
    await client.onBehalfOf(alice, SCOPE).post(PATH, {});
    const caller = client.onBehalfOf(alice, SCOPE);
    revocations.deny(denial());
    await expect(caller.post(PATH, {})).rejects.toMatchObject(REVOKED);
    await expect(client.onBehalfOf(alice, SCOPE).get(PATH)).rejects.toMatchObject(REVOKED);
    expect(() => tokens.get(exchange(alice))).toThrow(expect.objectContaining(REVOKED));
    expect([next.requests.length, asked()]).toEqual([1, 1]);
  });

  it('does not affect the tokens of other sessions and of the service itself (TX-05)', async () => {
    const requests = [exchange(alicesOther), clientCredentialsRequest(SCOPE)];
    const before = await Promise.all(requests.map((request) => tokens.get(request)));
    revocations.deny({ sid: 's1' });
    await expect(get(exchange(alice))).rejects.toMatchObject(REVOKED);
    expect(await Promise.all(requests.map((request) => tokens.get(request)))).toEqual(before);
    expect(asked()).toBe(2);
  });

  it.each(DENIALS)('is not exchanged if it is denied %s', async (_, denial) => {
    revocations.deny(denial());
    await expect(get(exchange(alice))).rejects.toMatchObject(REVOKED);
    expect(asked()).toBe(0);
  });

  it('needs a new exchange after the denial has expired', async () => {
    const kept = await tokens.get(exchange(alice));
    revocations.deny({ sid: 's1' });
    await expect(get(exchange(alice))).rejects.toMatchObject(REVOKED);
    clock.advance(MEMORY_SECONDS);
    expect(await tokens.get(exchange(alice))).not.toBe(kept);
    expect(asked()).toBe(2);
  });

  it('fails all waiting callers if the denial arrives during the exchange', async () => {
    const release = heldRequests.hold();
    const waiting = [tokens.get(exchange(alice)), tokens.get(exchange(alice))];
    const called = client.onBehalfOf(alice, SCOPE).get(PATH);
    const settled = Promise.allSettled([...waiting, called]);
    await hasBeenAsked(1);
    revocations.deny({ sid: 's1' });
    release();
    expect(await settled).toMatchObject(Array.from({ length: 3 }, () => ({ status: 'rejected', reason: REVOKED })));
    expect(next.requests).toEqual([]);
    clock.advance(MEMORY_SECONDS);
    await tokens.get(exchange(alice));
    expect(asked()).toBe(2);
  });

  it('makes the call fail if the denial arrives during a background renewal', async () => {
    await tokens.get(exchange(alice));
    clock.advance(LIFETIME_SECONDS - 10 - 20);
    const release = heldRequests.hold();
    await tokens.get(exchange(alice));
    await hasBeenAsked(2);
    revocations.deny({ sid: 's1' });
    await expect(get(exchange(alice))).rejects.toMatchObject(REVOKED);
    release();
    await heldRequests.haveEnded(2);
    await expect(get(exchange(alice))).rejects.toMatchObject(REVOKED);
    clock.advance(MEMORY_SECONDS);
    await get(exchange(alice)).catch(() => undefined);
    expect(asked()).toBe(3);
  });
});

describe('TokenSource, with requests and denials in random order (model)', () => {
  const SUBJECTS = {
    alice: testAccessToken({ subject: 'alice', claims: { sid: 's1' } }),
    bob: testAccessToken({ subject: 'bob', claims: { sid: 's2' } }),
  };
  type Name = keyof typeof SUBJECTS;
  const name = fc.constantFrom<Name>('alice', 'alice', 'bob');
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ what: fc.constant('get' as const), name }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('deny' as const), name }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('wait' as const), name }) },
  );

  it('never returns a token requested or received after the denial of its subject', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(step, { minLength: 2, maxLength: 25 }), async (s, steps) => {
        const clock = new StillClock();
        clock.date = Date.now() / 1000;
        const revocations = listFor(clock, Infinity);
        const denied = new Set<Name>();
        const cameTooLate = new Set<string>();
        let sent = 0;
        const endpoint = endpointOf(async (form: TokenForm): Promise<IssuedToken> => {
          const text = `token-${(sent += 1)}`;
          const who: Name =
            'subject_token' in form && form.subject_token === subjectTokenText(SUBJECTS.alice) ? 'alice' : 'bob';
          expect(denied.has(who)).toBe(false);
          await s.schedule(Promise.resolve(), text);
          if (denied.has(who)) cameTooLate.add(text);
          return new IssuedToken(text, [SCOPE], 40);
        });
        const options = { issuer: 'i', clientId: 'c', minRemainingLifetimeSeconds: 10, maxCachedTokens: 10 };
        const tokens = new TokenSource(
          endpoint,
          options,
          clock,
          new TokenSourceLog({ log: () => undefined }),
          revocations,
        );
        const act = async (todo: (typeof steps)[number]): Promise<void> => {
          await s.schedule(Promise.resolve(), todo.what);
          if (todo.what === 'wait') clock.advance(13);
          if (todo.what === 'deny') {
            revocations.deny({ sid: SUBJECTS[todo.name].sessionId ?? '' });
            denied.add(todo.name);
          }
          if (todo.what !== 'get') return;
          const wasDenied = denied.has(todo.name);
          const getting = async () => tokens.get(tokenExchangeRequest(SUBJECTS[todo.name], 'service-c', SCOPE));
          const outcome = await getting().catch((error: { readonly reason: string }) => error.reason);
          const given = typeof outcome === 'string' ? undefined : outcome.reveal();
          expect(given === undefined ? outcome : 'revoked').toBe('revoked');
          expect(given !== undefined && (wasDenied || cameTooLate.has(given))).toBe(false);
          expect(given === undefined && !denied.has(todo.name)).toBe(false);
        };
        await s.waitFor(Promise.all(steps.map(act)));
      }),
      { numRuns: 300 },
    );
  });
});
