import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SharedLookup } from '../caching/shared-cache.js';
import { SharedLevel } from '../caching/shared-level.js';
import { IssuedToken } from '../protocol/issued-token.js';
import { endpointOf } from '../../spec-support/token-forms.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { testAccessToken } from '../testing/test-access-token.js';
import { clientCredentialsRequest, tokenExchangeRequest } from './token-request.js';
import { TokenSource } from './token-source.js';
import { TokenSourceLog } from './token-source-log.js';

const SCOPE = 'orders.approve';
const REQUEST = clientCredentialsRequest(SCOPE);
const OPTIONS = { issuer: 'i', clientId: 'c', minRemainingLifetimeSeconds: 10, maxCachedTokens: 100 };
const LIFETIME_SECONDS = 600;

let clock: StillClock;
let issued: number;
let other: { readonly text: string; readonly atSeconds: number } | undefined;
let tokens: TokenSource;
let put: string[];
let released: string[];

beforeEach(() => {
  clock = new StillClock();
  [issued, other] = [0, undefined];
  [put, released] = [[], []];
  const look = async (_key: string, _maxAgeMs: number, noUse?: string): Promise<SharedLookup> => {
    if (other === undefined || noUse === other.text) return { kind: 'lease' };
    const text = JSON.stringify([other.text, [SCOPE], LIFETIME_SECONDS]);
    return { kind: 'found', text, ageMs: clock.monotonicMs() - other.atSeconds * 1000, id: other.text };
  };
  const nothing = async (): Promise<void> => undefined;
  const cache = {
    look,
    open: nothing,
    put: async (_: string, { text: value }: { readonly text: string }) => void put.push(value),
    extend: nothing,
    release: async (key: string) => void released.push(key),
    close: nothing,
  };
  const request = async (): Promise<IssuedToken> => new IssuedToken(`own-${(issued += 1)}`, [SCOPE], LIFETIME_SECONDS);
  const log = new TokenSourceLog({ log: () => undefined });
  const shared = new SharedLevel(cache, clock, () => undefined);
  tokens = new TokenSource(endpointOf(request), OPTIONS, clock, log, { denies: () => false }, shared);
});

const text = async (): Promise<string> => (await tokens.get(REQUEST)).reveal();
const seconds = (): number => clock.monotonicMs() / 1000;

describe('a token of another replica', () => {
  it('is used if this replica has no token, even if the shared token is due for renewal soon', async () => {
    other = { text: 'theirs', atSeconds: seconds() - 580 };
    expect([await text(), issued]).toEqual(['theirs', 0]);
  });

  it('is not used if too little of its lifetime is left', async () => {
    other = { text: 'theirs', atSeconds: seconds() - 591 };
    expect([await text(), issued]).toEqual(['own-1', 1]);
  });

  it('does not replace a token of this replica if both tokens are due for renewal', async () => {
    expect(await text()).toBe('own-1');
    other = { text: 'theirs', atSeconds: seconds() };
    clock.advance(580);
    expect(await text()).toBe('own-1');
    await new Promise((resolve) => setImmediate(resolve));
    expect([await text(), issued]).toEqual(['own-2', 2]);
  });
});

describe('a token of this replica', () => {
  const ALICES = tokenExchangeRequest(testAccessToken({ subject: 'alice' }), 'service-b', SCOPE);
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('is stored in the shared cache', async () => {
    await tokens.get(ALICES);
    await settled();
    expect([put, released]).toEqual([[JSON.stringify(['own-1', [SCOPE], LIFETIME_SECONDS])], []]);
  });

  it('is not stored if its subject token was found inactive during the request (RS-13)', async () => {
    const got = tokens.get(ALICES);
    tokens.dropExchangedFrom(ALICES.subject.hash);
    await got;
    await settled();
    expect([put, released.length]).toEqual([[], 1]);
  });
});
