import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { systemClock } from '../caching/clock.js';
import { SharedLevel } from '../caching/shared-level.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { IssuedToken } from '../protocol/issued-token.js';
import { atOnce } from '../../spec-support/at-once.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { testAccessToken } from '../testing/test-access-token.js';
import { clientCredentialsRequest, tokenExchangeRequest, type TokenRequest } from './token-request.js';
import { TokenSource } from './token-source.js';
import { TokenSourceLog } from './token-source-log.js';
import { type TokenForm, endpointOf } from '../../spec-support/token-forms.js';

const SCOPE = 'orders.approve';
const SUBJECTS = ['alice', 'bob', 'carol'].map((subject) => testAccessToken({ subject, expiresInSeconds: 9000 }));
const LIFETIME_SECONDS = 60;
const OPTIONS = { issuer: 'i', clientId: 'c', minRemainingLifetimeSeconds: 10, maxCachedTokens: 100 };

function setUp(maxCachedTokens: number) {
  const clock = new StillClock();
  const underWay: (() => void)[] = [];
  let sent = 0;
  let isProbing = false;
  const request = async (form: TokenForm): Promise<IssuedToken> => {
    if (isProbing) throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'circuit_open' });
    const text = `token-${(sent += 1)}`;
    await new Promise<void>((resolve) => underWay.push(resolve));
    if ('audience' in form && form.audience === 'none') {
      throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'circuit_open' });
    }
    return new IssuedToken(text, [SCOPE], LIFETIME_SECONDS);
  };
  const options = { ...OPTIONS, maxCachedTokens };
  const log = new TokenSourceLog({ log: () => undefined });
  const tokens = new TokenSource(endpointOf(request), options, clock, log, { denies: () => false });
  const landAt = async (place: number): Promise<void> => {
    const [land] = underWay.splice(place % Math.max(underWay.length, 1), 1);
    land?.();
    await new Promise(setImmediate);
  };
  const get = (wanted: TokenRequest): void => void atOnce(tokens.get(wanted));
  const isKept = async (wanted: TokenRequest): Promise<boolean> => {
    isProbing = true;
    const token = atOnce(tokens.get(wanted));
    isProbing = false;
    await new Promise(setImmediate);
    return token !== undefined;
  };
  return { clock, tokens, underWay, get, landAt, isKept };
}

const requestOf = (subject: number, audience: string): TokenRequest => {
  const token = SUBJECTS[subject];
  return token === undefined ? clientCredentialsRequest(SCOPE) : tokenExchangeRequest(token, audience, SCOPE);
};
const AUDIENCES = ['service-b', 'service-c'];

describe('a token that was exchanged from an inactive subject token (TX-06)', () => {
  it('is dropped, even if the exchange of another subject token began later and ended earlier', async () => {
    const { tokens, get, landAt } = setUp(1);
    get(requestOf(0, 'service-b'));
    get(requestOf(1, 'service-b'));
    await landAt(1);
    await landAt(0);
    expect(atOnce(tokens.get(requestOf(0, 'service-b')))).toBeDefined();
    tokens.dropExchangedFrom(SUBJECTS[0]?.hash ?? '');
    expect(atOnce(tokens.get(requestOf(0, 'service-b')))).toBeUndefined();
  });

  it('is dropped, even after failed exchanges of other subject tokens', async () => {
    const { tokens, get, landAt } = setUp(2);
    get(requestOf(0, 'service-b'));
    await landAt(0);
    for (const other of [1, 2]) {
      get(requestOf(other, 'none'));
      await landAt(0);
    }
    tokens.dropExchangedFrom(SUBJECTS[0]?.hash ?? '');
    expect(atOnce(tokens.get(requestOf(0, 'service-b')))).toBeUndefined();
  });

  it('is dropped, even if other subject tokens were exchanged between two uses of the token', async () => {
    const { tokens, get, landAt } = setUp(2);
    for (const subject of [0, 1, 2]) {
      get(requestOf(subject, 'service-b'));
      await landAt(0);
      expect(atOnce(tokens.get(requestOf(0, 'service-b')))).toBeDefined();
    }
    tokens.dropExchangedFrom(SUBJECTS[0]?.hash ?? '');
    expect(atOnce(tokens.get(requestOf(0, 'service-b')))).toBeUndefined();
  });

  it('is dropped after a renewal during which the cache evicted the old token', async () => {
    const { clock, tokens, get, landAt } = setUp(1);
    get(requestOf(0, 'service-b'));
    await landAt(0);
    clock.advance(46);
    expect(atOnce(tokens.get(requestOf(0, 'service-b')))).toBeDefined();
    get(requestOf(1, 'service-b'));
    await landAt(1);
    await landAt(0);
    expect(atOnce(tokens.get(requestOf(0, 'service-b')))).toBeDefined();
    tokens.dropExchangedFrom(SUBJECTS[0]?.hash ?? '');
    expect(atOnce(tokens.get(requestOf(0, 'service-b')))).toBeUndefined();
  });

  it('is not taken from the shared cache, even if 20,000 other subject tokens became inactive later', async () => {
    const [subject] = SUBJECTS;
    const kept = new Map<string, string>();
    const shared = new SharedLevel(
      {
        open: async () => undefined,
        look: async (key) => {
          const text = kept.get(key);
          return text === undefined ? { kind: 'lease' } : { kind: 'found', text, ageMs: 0, id: key };
        },
        put: async (key, { text }) => void kept.set(key, text),
        extend: async () => undefined,
        release: async () => undefined,
        close: async () => undefined,
      },
      systemClock,
      () => undefined,
    );
    let issued = 0;
    const request = async (): Promise<IssuedToken> => new IssuedToken(`token-${(issued += 1)}`, [SCOPE], 600);
    const log = new TokenSourceLog({ log: () => undefined });
    const tokens = new TokenSource(endpointOf(request), OPTIONS, systemClock, log, { denies: () => false }, shared);
    const exchange = requestOf(0, 'service-b');
    expect((await tokens.get(exchange)).reveal()).toBe('token-1');
    tokens.dropExchangedFrom(subject?.hash ?? '');
    for (let junk = 0; junk < 20_000; junk += 1) tokens.dropExchangedFrom(`${junk}`);
    expect((await tokens.get(exchange)).reveal()).toBe('token-2');
  });

  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        subject: fc.integer({ min: 0, max: SUBJECTS.length }),
        audience: fc.constantFrom(...AUDIENCES, 'none'),
        waits: fc.boolean(),
      }),
    },
    { weight: 5, arbitrary: fc.record({ lands: fc.nat({ max: 5 }) }) },
    { weight: 1, arbitrary: fc.record({ seconds: fc.constantFrom(20, 46, 60) }) },
    { weight: 2, arbitrary: fc.record({ inactive: fc.nat({ max: SUBJECTS.length - 1 }) }) },
  );

  it('is dropped, and a pending exchange does not cache the token again (model)', async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 40 }), async (max, steps) => {
        const { clock, tokens, underWay, get, landAt, isKept } = setUp(max);
        const isAnyKept = async (subject: number): Promise<boolean> =>
          (await Promise.all(AUDIENCES.map((audience) => isKept(requestOf(subject, audience))))).includes(true);
        const gone = new Set<number>();
        const keptAfterwards: boolean[] = [];
        for (const todo of steps) {
          if ('subject' in todo && !gone.has(todo.subject)) {
            if (todo.waits) get(requestOf(todo.subject, todo.audience));
            else atOnce(tokens.get(requestOf(todo.subject, todo.audience)));
          }
          if ('lands' in todo) await landAt(todo.lands);
          if ('seconds' in todo) clock.advance(todo.seconds);
          if ('inactive' in todo) {
            gone.add(todo.inactive);
            tokens.dropExchangedFrom(SUBJECTS[todo.inactive]?.hash ?? '');
            keptAfterwards.push(await isAnyKept(todo.inactive));
          }
        }
        while (underWay.length > 0) await landAt(0);
        for (const subject of gone) keptAfterwards.push(await isAnyKept(subject));
        expect(keptAfterwards).not.toContain(true);
      }),
      { numRuns: 300 },
    );
  });
});
