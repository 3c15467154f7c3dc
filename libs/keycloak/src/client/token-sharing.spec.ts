import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { IssuedToken } from '../protocol/issued-token.js';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { heldTokenSource } from '../../spec-support/held-token-source.js';
import { CALL_BOUNDS, json, NextService } from '../../spec-support/next-service.js';
import { HeldCalls } from '../../spec-support/test-realm.js';
import { startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { ServiceClient } from './service-client.js';
import { ServiceTransport } from './service-transport.js';
import { clientCredentialsRequest } from './token-request.js';
import { TokenSource } from './token-source.js';
import { type TokenForm } from '../../spec-support/token-forms.js';
import { audience } from '../../spec-support/one-issuer.js';

const SCOPE = 'orders.approve';
const SELF = clientCredentialsRequest(SCOPE);
const PATH = '/api/process';

let realm: RunningAuthorizationServer;
let next: NextService;
let tokens: TokenSource;
let requests: HeldCalls<[TokenForm], IssuedToken>;

beforeAll(async () => {
  realm = await startTestRealm();
  next = (await NextService.start()).answer(PATH, json({ ok: true }));
});
afterAll(async () => {
  await next.stop();
  await realm.stop();
});

beforeEach(() => {
  realm.control.fault('token', undefined);
  realm.control.calls.reset();
  next.requests.splice(0);
  ({ tokens, requests } = heldTokenSource(realm));
});

const asked = (): number => realm.control.calls.token.client_credentials;
const arrived = async (): Promise<void> => {
  while (asked() === 0) await new Promise(setImmediate);
};

describe('1,000 concurrent callers that need the same token', () => {
  it('cause one token request (CC-02)', async () => {
    const all = await Promise.all(Array.from({ length: 1000 }, () => tokens.get(SELF)));
    expect(new Set(all).size).toBe(1);
    expect(asked()).toBe(1);
  });

  it('share one failure, which is not cached (CC-02)', async () => {
    realm.control.fault('token', { kind: 'status', status: 503, times: 1 });
    const all = await Promise.allSettled(Array.from({ length: 1000 }, () => tokens.get(SELF)));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(asked()).toBe(1);
    await expect((async () => tokens.get(SELF))()).resolves.toMatchObject({ scope: expect.arrayContaining([SCOPE]) });
    expect(asked()).toBe(2);
  });
});

describe('a caller that aborts', () => {
  const service = () => {
    const options = {
      name: 'service-b',
      baseUrl: next.url,
      timeoutMs: 60_000,
      maxResponseBytes: 10_000,
      ...CALL_BOUNDS,
    };
    return new ServiceClient('service-b', audience('service-b'), new ServiceTransport(options), tokens).asService(
      SCOPE,
    );
  };

  it.each([0, 1, 9])('does not affect the other 9 callers if its index is %i (CC-02)', async (which) => {
    const release = requests.hold();
    const abort = new AbortController();
    const calls = Array.from({ length: 10 }, (_, number) =>
      service().get(PATH, number === which ? { signal: abort.signal } : {}),
    );
    const settled = Promise.allSettled(calls);
    await arrived();
    const reason = new Error('no longer wanted');
    abort.abort(reason);
    release();
    const outcomes = await settled;
    expect(outcomes.splice(which, 1)).toEqual([{ status: 'rejected', reason }]);
    expect(outcomes).toEqual(Array.from({ length: 9 }, () => ({ status: 'fulfilled', value: { ok: true } })));
    expect([asked(), next.requests.length]).toEqual([1, 9]);
  });

  it('leaves its token request running for a later caller, even if no other caller waits (CC-02)', async () => {
    const release = requests.hold();
    const abort = new AbortController();
    const alone = service().get(PATH, { signal: abort.signal });
    await arrived();
    abort.abort(new Error('no longer wanted'));
    await expect(alone).rejects.toThrow('no longer wanted');
    const late = service().get(PATH);
    release();
    await expect(late).resolves.toEqual({ ok: true });
    expect(asked()).toBe(1);
  });
});
