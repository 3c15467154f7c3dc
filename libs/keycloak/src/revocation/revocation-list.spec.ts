import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AccessTokenClaims } from '../protocol/claims.js';
import { denialOf, type Denial } from '../protocol/denial.js';
import { tokenHash } from '../protocol/token-hash.js';
import { makeVerifiedAccessToken, tokenFacts, type VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { ISSUER, revocationList } from '../../spec-support/one-issuer.js';

const MEMORY_SECONDS = 1000;
const TOLERANCE_SECONDS = 5;

function listOf(maxRevocations = 100) {
  const clock = new StillClock();
  const warnings: unknown[] = [];
  const options = {
    maxRevocations,
    revocationRetentionSeconds: MEMORY_SECONDS,
    clockToleranceSeconds: TOLERANCE_SECONDS,
    introspectionTtlSeconds: 10,
  };
  const list = revocationList(options, clock, { warn: (_, fields) => void warnings.push(fields) });
  return { clock, warnings, list };
}

const NOW = new StillClock().date;

function token(bend: Readonly<Record<string, unknown>> = {}, text = 'the token'): VerifiedAccessToken {
  const claims = { iss: ISSUER, sub: 'alice', aud: 'b', exp: NOW + 60, iat: NOW, sid: 's1', jti: 'j1', ...bend };
  return makeVerifiedAccessToken(text, tokenFacts(claims as AccessTokenClaims, 'a', []));
}

const SESSION: Denial = { sid: 's1' };
const ONLINE: Denial = { sid: 's1', exceptOffline: true };
const SUBJECT: Denial = { sub: 'alice', issuedBefore: NOW + 1 };
const TOKEN: Denial = { tokenHash: tokenHash('the token') };
const TOKEN_BY_BOTH: Denial = { ...TOKEN, jti: 'j1' };

describe('RevocationList', () => {
  it.each<[string, Denial, VerifiedAccessToken]>([
    ['a session', SESSION, token({ sid: 's2' })],
    ['a session, but not a token without sid', SESSION, token({ sid: undefined })],
    ['an online session', ONLINE, token({ sid: 's2' })],
    ['an online session, but not a token of its offline session', ONLINE, token({ jti: 'ofrtac:1' })],
    ['an online session, but not a token exchanged in its offline session', ONLINE, token({ jti: 'ftrtte:1' })],
    ['a subject', SUBJECT, token({ sub: 'bob' })],
    ['a subject, but not a token issued at issuedBefore or later', SUBJECT, token({ iat: NOW + 1 })],
    ['a token', TOKEN, token({}, 'another token')],
    ['a token by hash and jti', TOKEN_BY_BOTH, token({ jti: 'j2' }, 'another token')],
    ['a token by hash and jti, but not a token without jti', TOKEN_BY_BOTH, token({ jti: undefined }, 'another token')],
  ])('denies only the matching token: %s (RS-13)', (_, denial, other) => {
    const { list } = listOf();
    expect(list.denies(token())).toBe(false);
    list.deny(denial);
    expect([list.denies(token()), list.denies(other)]).toEqual([true, false]);
  });

  it.each(['onrtac:1', 'ntrtte:1', 'trrtcc:1', 'ofrtac', 'oft:1', ' ofrtac:1', 'OFRTAC:1', 'j1', undefined])(
    'denies a token of a denied online session with the jti %s, which does not mark an offline session (RS-13)',
    (jti) => {
      const { list } = listOf();
      list.deny(ONLINE);
      expect(list.denies(token({ jti }))).toBe(true);
    },
  );

  it('denies the tokens of an offline session if another denial includes offline sessions (RS-13)', () => {
    const { list } = listOf();
    list.deny(ONLINE);
    list.deny(SESSION);
    expect(list.denies(token({ jti: 'ofrtac:1' }))).toBe(true);
  });

  it('denies a token by its jti even if the signature has the other valid form (r, n - s) (RS-13)', () => {
    const { list } = listOf();
    list.deny(TOKEN);
    const otherForm = token({}, 'the token with its other signature');
    expect(list.denies(otherForm)).toBe(false);
    list.deny(denialOf(token()));
    expect([list.denies(otherForm), list.denies(token({ jti: undefined }))]).toEqual([true, true]);
  });

  it('denies every token of a session, even a token that was refreshed during the logout', () => {
    const { list } = listOf();
    list.deny(SESSION);
    expect(list.denies(token({ iat: NOW + 500 }))).toBe(true);
    expect(list.denies(token({ iat: undefined }))).toBe(true);
  });

  it('denies a token without iat even if the issuedBefore of its subject is 0', () => {
    const { list } = listOf();
    list.deny({ sub: 'alice', issuedBefore: 0 });
    expect([list.denies(token({ iat: undefined })), list.denies(token())]).toEqual([true, false]);
  });

  it('keeps the later issuedBefore if a second denial has an earlier issuedBefore', () => {
    const { list } = listOf();
    list.deny(SUBJECT);
    list.deny({ ...SUBJECT, issuedBefore: 1 });
    expect(list.denies(token())).toBe(true);
    list.deny({ ...SUBJECT, issuedBefore: NOW + 10 });
    expect(list.denies(token({ iat: NOW + 9 }))).toBe(true);
  });

  it.each([SESSION, SUBJECT, TOKEN, TOKEN_BY_BOTH])(
    'keeps the denial %j for the retention time after its last repetition',
    (denial) => {
      const { list, clock } = listOf();
      list.deny(denial);
      clock.advance(MEMORY_SECONDS - 1);
      list.deny(denial);
      expect(list.size).toBe('jti' in denial ? 2 : 1);
      clock.date = 0;
      clock.advance(MEMORY_SECONDS - 0.001);
      expect(list.denies(token())).toBe(true);
      clock.advance(0.001);
      expect(list.denies(token())).toBe(false);
    },
  );

  it('removes expired denials', () => {
    const { list, clock } = listOf();
    for (const denial of [SESSION, SUBJECT, TOKEN_BY_BOTH]) list.deny(denial);
    clock.advance(MEMORY_SECONDS);
    list.deny({ sid: 's2' });
    expect(list.size).toBe(1);
  });

  it.each<unknown>([undefined, {}, { sid: '' }, { sub: 'alice' }, { tokenHash: 'x' }, { ...TOKEN, jti: '' }])(
    'throws TypeError for the denial %j, and keeps earlier denials',
    (denial) => {
      const { list } = listOf();
      list.deny(SESSION);
      expect(() => list.deny(denial as Denial)).toThrow(TypeError);
      expect([list.size, list.denies(token())]).toEqual([1, true]);
    },
  );

  it('reads the hash of a token only if it has denials of single tokens', () => {
    const { list } = listOf();
    const unread = new Proxy(token(), {
      get: (_, name) => {
        throw new Error(`read ${String(name)}`);
      },
    });
    expect(list.denies(unread)).toBe(false);
    list.deny({ sid: 's2' });
    const unhashed = token();
    Object.defineProperty(unhashed, 'hash', {
      get: () => {
        throw new Error('hashed');
      },
    });
    expect(list.denies(unhashed)).toBe(false);
    list.deny(TOKEN);
    expect(() => list.denies(unhashed)).toThrow('hashed');
  });
});

describe('a full RevocationList', () => {
  const other = (number: number): Denial => ({ sid: `other-${number}` });

  it('drops the denial that expires first, and denies every token issued before that denial', () => {
    const { list, clock } = listOf(2);
    list.deny(SESSION);
    clock.advance(100);
    list.deny(other(1));
    list.deny(other(1));
    expect(list.denies(token({ sid: 'innocent' }))).toBe(false);
    list.deny(other(2));
    expect(list.size).toBe(2);
    expect(list.denies(token())).toBe(true);
    expect(list.denies(token({ sid: 'innocent' }))).toBe(true);
    expect(list.denies(token({ sid: 'innocent', iat: undefined }))).toBe(true);
    expect(list.denies(token({ sid: 'innocent', iat: NOW + TOLERANCE_SECONDS }))).toBe(false);
    expect([1, 2].map((at) => list.denies(token({ sid: `other-${at}`, iat: NOW + 100 })))).toEqual([true, true]);
  });

  it('uses the issuedBefore of a dropped denial if the issuedBefore is in the past', () => {
    const { list } = listOf(1);
    list.deny({ sub: 'alice', issuedBefore: NOW - 100 });
    list.deny(other(1));
    const issuedAt = (iat: number) => list.denies(token({ iat }));
    expect([issuedAt(NOW - 101), issuedAt(NOW - 100 + TOLERANCE_SECONDS)]).toEqual([true, false]);
  });

  it('accepts a token issued after the denials that a full list dropped, even if the system date changes', () => {
    const { list, clock } = listOf(1);
    list.deny({ sub: 'alice', issuedBefore: NOW + 1e6 });
    list.deny(other(1));
    expect(list.denies(token({ iat: NOW + TOLERANCE_SECONDS }))).toBe(false);
    clock.date += 3600;
    list.deny(other(2));
    clock.date -= 3600;
    list.deny(other(3));
    expect(list.denies(token({ iat: NOW + TOLERANCE_SECONDS }))).toBe(false);
  });

  it('keeps all valid denials if a denial is repeated or another denial has expired', () => {
    const { list, clock, warnings } = listOf(2);
    list.deny(SESSION);
    list.deny(other(1));
    list.deny(other(1));
    clock.advance(MEMORY_SECONDS);
    list.deny(other(2));
    list.deny(other(3));
    expect(list.denies(token({ sid: 'innocent', iat: 0 }))).toBe(false);
    expect(warnings).toEqual([]);
  });

  it('logs the number of dropped denials at most once a minute', () => {
    const { list, clock, warnings } = listOf(2);
    for (let number = 0; number < 5; number += 1) list.deny(other(number));
    expect(warnings).toEqual([{ maxRevocations: 2, goneEarly: 1, refusedIssuedBefore: NOW + TOLERANCE_SECONDS }]);
    clock.advance(60);
    list.deny(other(5));
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toMatchObject({ goneEarly: 3 });
  });
});

interface Denied {
  readonly denial: Denial;
  readonly issuedBefore: number;
  readonly deniedAt: number;
  readonly endsAtMs: number;
}

const keyOf = (denial: Denial): string => JSON.stringify({ ...denial, issuedBefore: undefined });

function isAbout({ denial, issuedBefore }: Denied, one: VerifiedAccessToken): boolean {
  if ('sid' in denial) {
    const isExcepted = denial.exceptOffline === true && one.claims.jti === OFFLINE_ID;
    return denial.sid === one.claims.sid && !isExcepted;
  }
  if ('tokenHash' in denial) {
    return denial.tokenHash === one.hash || (denial.jti !== undefined && denial.jti === one.claims.jti);
  }
  return denial.sub === one.claims.sub && (one.claims.iat === undefined || one.claims.iat < issuedBefore);
}

class Model {
  readonly denied: Denied[] = [];
  constructor(private readonly clock: StillClock) {}

  deny(denial: Denial): void {
    const issuedBefore = [denial, ...this.#live().filter((one) => keyOf(one.denial) === keyOf(denial))].map((one) =>
      'issuedBefore' in one ? one.issuedBefore : Infinity,
    );
    const endsAtMs = this.clock.monotonicMs() + MEMORY_SECONDS * 1000;
    this.denied.push({
      denial,
      issuedBefore: Math.max(...issuedBefore),
      deniedAt: this.clock.epochSeconds(),
      endsAtMs,
    });
  }

  whyDenied(one: VerifiedAccessToken): Denied[] {
    return this.#live().filter((denied) => isAbout(denied, one));
  }

  #live(): Denied[] {
    return this.denied.filter(({ endsAtMs }) => this.clock.monotonicMs() < endsAtMs);
  }
}

const OFFLINE_ID = 'ofrtac:1';
const TEXTS = ['t1', 't2', 't3'];
const issued = fc.integer({ min: NOW - 3, max: NOW + 3 * MEMORY_SECONDS });
const denial: fc.Arbitrary<Denial> = fc.oneof(
  fc.record({ sid: fc.constantFrom('s1', 's2', '__proto__') }),
  fc.record({ sid: fc.constantFrom('s1', 's2', '__proto__'), exceptOffline: fc.constant(true as const) }),
  fc.record({ sub: fc.constantFrom('alice', 'bob', 's1'), issuedBefore: issued }),
  fc.record({ tokenHash: fc.constantFrom(...TEXTS).map(tokenHash) }),
  fc.record({ tokenHash: fc.constantFrom(...TEXTS).map(tokenHash), jti: fc.constantFrom('j1', 'j2', '__proto__') }),
);
const someToken = fc
  .record({
    sub: fc.constantFrom('alice', 'bob', 'carol'),
    sid: fc.constantFrom('s1', 's2', 's3', '__proto__', undefined),
    jti: fc.constantFrom('j1', 'j2', 'j3', OFFLINE_ID, '__proto__', undefined),
    iat: fc.oneof(fc.constant(undefined), issued),
    text: fc.constantFrom(...TEXTS),
  })
  .map(({ text, ...claims }) => token(claims, text));
const step = fc.oneof(
  fc.record({ deny: denial }),
  fc.record({ check: someToken }),
  fc.record({ wait: fc.constantFrom(1, 10, MEMORY_SECONDS / 2, MEMORY_SECONDS) }),
);
const steps = fc.array(step, { minLength: 1, maxLength: 40 });

describe('RevocationList (model)', () => {
  function run(
    maxRevocations: number,
    isRight: (denies: boolean, because: Denied[], one: VerifiedAccessToken) => boolean,
  ) {
    fc.assert(
      fc.property(steps, (todo) => {
        const { list, clock } = listOf(maxRevocations);
        const model = new Model(clock);
        for (const next of todo) {
          let right = true;
          if ('wait' in next) clock.advance(next.wait);
          else if ('deny' in next) {
            list.deny(next.deny);
            model.deny(next.deny);
          } else right = isRight(list.denies(next.check), model.whyDenied(next.check), next.check);
          expect([right, list.size <= maxRevocations]).toEqual([true, true]);
        }
      }),
      { numRuns: 500 },
    );
  }

  it('denies exactly the denied tokens while the list has space (RS-13)', () => {
    expect.hasAssertions();
    run(100, (denies, because) => denies === because.length > 0);
  });

  it.each([1, 2, 3])(
    'with space for only %i denials, denies every denied token that was issued before its denial',
    (maxRevocations) => {
      expect.hasAssertions();
      run(
        maxRevocations,
        (denies, because, { claims: { iat = -Infinity } }) => denies || because.every(({ deniedAt }) => iat > deniedAt),
      );
    },
  );
});
