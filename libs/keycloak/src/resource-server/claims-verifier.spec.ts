import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BearerError } from '../protocol/bearer-error.js';
import type { AccessTokenClaims } from '../protocol/claims.js';
import { TOKEN_PROFILES } from '../protocol/token-profile.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { verifyClaims as verifyClaimsOr, type SpecVerifierOptions } from '../../spec-support/verify-claims.js';
import { ClaimsVerifier } from './claims-verifier.js';

const NOW = 1_700_000_000;
const TOLERANCE = 5;
const ISSUER = 'https://keycloak.example.com/realms/test';

const ANSWER = {
  active: true,
  iss: ISSUER,
  sub: 'alice-id',
  aud: 'service-b',
  exp: NOW + 60,
  iat: NOW - 10,
  typ: 'Bearer',
  azp: 'service-a',
  client_id: 'service-a',
  scope: 'profile email orders.approve',
  jti: 'j1',
  sid: 's1',
};

const OPTIONS: SpecVerifierOptions = {
  issuer: ISSUER,
  audience: 'service-b',
  clockToleranceSeconds: TOLERANCE,
  permissions: undefined,
  profile: TOKEN_PROFILES.keycloak,
};

const verifyClaims = (...args: Parameters<typeof verifyClaimsOr>): VerifiedAccessToken => {
  const verified = verifyClaimsOr(...args);
  if (verified instanceof Promise) throw new TypeError('not there at once');
  return verified;
};

const NOTHING_DENIED = { denies: () => false };

const clockAt = (now: number) => ({ epochSeconds: () => now, monotonicMs: () => 0 });

function verify(
  bend: Readonly<Record<string, unknown>>,
  options: Partial<SpecVerifierOptions> = {},
  now = NOW,
): VerifiedAccessToken {
  return verifyClaims(
    'text',
    'introspection',
    { ...ANSWER, ...bend },
    { ...OPTIONS, ...options },
    clockAt(now),
    NOTHING_DENIED,
  );
}

function refusalOf(bend: Readonly<Record<string, unknown>>, now = NOW): BearerError | undefined {
  try {
    verify(bend, {}, now);
    return undefined;
  } catch (error) {
    if (error instanceof BearerError && error.code === 'invalid_token') return error;
    throw error;
  }
}

const refusal = (bend: Readonly<Record<string, unknown>>, now = NOW): string =>
  refusalOf(bend, now)?.reason ?? 'accepted';

describe('ClaimsVerifier', () => {
  it('returns a VerifiedAccessToken for a valid result', () => {
    expect(verify({})).toMatchObject({
      issuer: ISSUER,
      subject: 'alice-id',
      clientId: 'service-a',
      audience: ['service-b'],
      expiresAt: NOW + 60,
      sessionId: 's1',
    });
  });

  it('accepts a result only if active is the value true (RS-05)', () => {
    const { active: _, ...withoutActive } = ANSWER;
    expect(() => verifyClaims('text', 'introspection', withoutActive, OPTIONS, clockAt(NOW), NOTHING_DENIED)).toThrow(
      BearerError,
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.constantFrom<unknown>('true', 1, [], {}, [true], null)), (active) => {
        expect(refusal({ active })).toBe(active === true ? 'accepted' : 'inactive');
      }),
    );
  });

  it.each<[unknown, string]>([
    ['service-b', 'accepted'],
    [['service-c', 'service-b'], 'accepted'],
    ['service-c', 'other_audience'],
    [['service-c', 'account'], 'other_audience'],
    ['service-b2', 'other_audience'],
    ['Service-B', 'other_audience'],
    ['service-a service-b', 'other_audience'],
    ['', 'other_audience'],
    [[['service-b']], 'aud_missing'],
    [[], 'aud_missing'],
    [undefined, 'aud_missing'],
    [null, 'aud_missing'],
    [['service-b', 1], 'aud_missing'],
    [{ 0: 'service-b' }, 'aud_missing'],
  ])('checks aud %j: %s (RS-06)', (aud, expected) => {
    expect(refusal({ aud })).toBe(expected);
  });

  it('has the actor of the result, which grants no permission (RFC 8693 section 4.1)', () => {
    const act = { sub: 'agent-id', client_id: 'agent', scope: 'orders.read', act: { sub: 'clerk-id' } };
    const verified = verify({ act });
    expect(verified.actor).toEqual({ subject: 'agent-id', clientId: 'agent', previous: { subject: 'clerk-id' } });
    expect(verified.permissions).toEqual(verify({}).permissions);
    expect(JSON.parse(JSON.stringify(verified))).toMatchObject({ subject: 'alice-id', actor: { subject: 'agent-id' } });
    expect(verify({}).actor).toBeUndefined();
    expect(verify({ act }, { permissions: () => ['orders.approve'] }).actor).toEqual(verified.actor);
  });

  it.each<[unknown]>([['agent'], [[]], [null], [{}], [{ sub: '' }], [{ sub: 1 }], [{ sub: 'a', act: {} }]])(
    'refuses act %j: act_malformed',
    (act) => {
      expect(refusal({ act })).toBe('act_malformed');
    },
  );

  it.each<[unknown, string]>([
    [`${ISSUER}/`, 'other_issuer'],
    [ISSUER.toUpperCase(), 'other_issuer'],
    [ISSUER.replace('https', 'http'), 'other_issuer'],
    [ISSUER.replace('.com', '.com:443'), 'other_issuer'],
    [`${ISSUER}2`, 'other_issuer'],
    ['', 'iss_missing'],
    [undefined, 'iss_missing'],
    [[ISSUER], 'iss_missing'],
  ])('refuses iss %j: %s (RS-07)', (iss, expected) => {
    expect(refusal({ iss })).toBe(expected);
  });

  it.each<[string, Readonly<Record<string, unknown>>, number, string]>([
    ['exp, within the tolerance', {}, NOW + 60 + TOLERANCE - 0.001, 'accepted'],
    ['exp, beyond the tolerance', {}, NOW + 60 + TOLERANCE, 'expired'],
    ['nbf, within the tolerance', { nbf: NOW + TOLERANCE }, NOW, 'accepted'],
    ['nbf, beyond the tolerance', { nbf: NOW + TOLERANCE + 1 }, NOW, 'not_yet_valid'],
    ['iat, within the tolerance', { iat: NOW + TOLERANCE }, NOW, 'accepted'],
    ['iat, beyond the tolerance', { iat: NOW + TOLERANCE + 1 }, NOW, 'issued_in_the_future'],
    ['no iat and no nbf', { iat: undefined, nbf: undefined }, NOW, 'accepted'],
  ])('checks the time claim %s (RS-07)', (_, bend, now, expected) => {
    expect(refusal(bend, now)).toBe(expected);
  });

  it.each(['ID', 'Refresh', 'Offline', 'Logout', 'bearer', 'JWT', '', undefined, null, ['Bearer']])(
    'refuses typ %j (RS-08)',
    (typ) => {
      expect(refusal({ typ })).toBe('not_an_access_token');
    },
  );

  it.each<[unknown]>([[{ 'x5t#S256': 'abc' }], [{ jkt: 'abc' }], [{}], [null], ['']])(
    'refuses a token bound to a key: cnf %j (RS-18)',
    (cnf) => {
      expect(refusal({ cnf })).toBe('sender_constrained');
    },
  );

  it.each<[string, unknown, string]>([
    ['sub', undefined, 'sub_missing'],
    ['sub', '', 'sub_missing'],
    ['sub', 7, 'sub_missing'],
    ['exp', undefined, 'exp_missing'],
    ['exp', String(NOW + 60), 'exp_missing'],
    ['exp', Number.NaN, 'exp_missing'],
    ['exp', Number.POSITIVE_INFINITY, 'exp_missing'],
    ['exp', null, 'exp_missing'],
    ['nbf', '0', 'nbf_malformed'],
    ['iat', null, 'iat_malformed'],
    ['scope', ['orders.approve'], 'scope_malformed'],
    ['azp', 1, 'azp_malformed'],
    ['client_id', {}, 'client_id_malformed'],
    ['jti', 1, 'jti_malformed'],
    ['sid', null, 'sid_malformed'],
    ['preferred_username', {}, 'preferred_username_malformed'],
    ['email', ['a@b'], 'email_malformed'],
  ])('refuses a malformed %s: %j', (claim, value, expected) => {
    expect(refusal({ [claim]: value })).toBe(expected);
  });

  it('reads the client from azp, otherwise from client_id, and refuses a token that has neither', () => {
    expect(verify({ azp: 'x', client_id: 'y' }).clientId).toBe('x');
    expect(verify({ azp: undefined }).clientId).toBe('service-a');
    expect(refusal({ azp: undefined, client_id: undefined })).toBe('client_missing');
  });

  it('reads a mutable result again at each verification', () => {
    const answer = { ...ANSWER };
    const verified = () => verifyClaims('text', 'introspection', answer, OPTIONS, clockAt(NOW), NOTHING_DENIED);
    expect(verified().subject).toBe('alice-id');
    answer.sub = 'bob-id';
    expect(verified().subject).toBe('bob-id');
    answer.aud = 'service-c';
    expect(verified).toThrow(expect.objectContaining({ reason: 'other_audience' }));
  });

  it('returns a token or throws invalid_token, whatever the introspection result contains (RS-03)', () => {
    const claim = fc.oneof(fc.constantFrom(...Object.keys(ANSWER)), fc.constantFrom('nbf', 'cnf'));
    fc.assert(
      fc.property(fc.dictionary(claim, fc.anything()), (bend) => {
        expect(refusal(bend)).toMatch(/^[a-z_]+$/);
      }),
    );
  });

  it('puts no claim of the user into the log fields of a refusal (RS-23)', () => {
    const refused = refusalOf({ email: 'alice@example.com', aud: 'service-c' });
    expect(refused?.fields).toEqual({ iss: ISSUER, azp: 'service-a', aud: 'service-c', jti: 'j1' });
    expect(JSON.stringify(refused)).not.toContain('alice');
  });
});

describe('asynchronous permissions', () => {
  const later = (permissions: SpecVerifierOptions['permissions'], denies = (): boolean => false) =>
    Promise.resolve(
      verifyClaimsOr('text', 'introspection', ANSWER, { ...OPTIONS, permissions }, clockAt(NOW), { denies }),
    );

  it('become the permissions of the token when the promise resolves', async () => {
    expect((await later(async () => ['late'])).permissions).toEqual(['late']);
  });

  it('fail the call if the promise rejects or the permissions are invalid', async () => {
    await expect(later(async () => Promise.reject(new Error('no database')))).rejects.toThrow('no database');
    await expect(later(async () => 'late' as never)).rejects.toThrow(TypeError);
  });

  it('do not admit a token that was denied while the mapper ran (RS-13)', async () => {
    let denied = false;
    const mapper = async (): Promise<string[]> => {
      denied = true;
      return ['late'];
    };
    await expect(later(mapper, () => denied)).rejects.toMatchObject({ code: 'invalid_token', reason: 'revoked' });
  });
});

describe('a denied token', () => {
  const verifyDenied = (bend: Readonly<Record<string, unknown>>, options: Partial<SpecVerifierOptions> = {}) =>
    verifyClaims('text', 'introspection', { ...ANSWER, ...bend }, { ...OPTIONS, ...options }, clockAt(NOW), {
      denies: ({ sessionId }) => sessionId === 's1',
    });

  it('is refused although its introspection result is valid (RS-13)', () => {
    expect(() => verifyDenied({})).toThrow(expect.objectContaining({ code: 'invalid_token', reason: 'revoked' }));
    expect(verifyDenied({ sid: 's2' }).sessionId).toBe('s2');
  });

  it('is refused with the reason other_audience instead of revoked if its audience is wrong', () => {
    expect(() => verifyDenied({ aud: 'service-c' })).toThrow(expect.objectContaining({ reason: 'other_audience' }));
  });

  it('is refused before the permission mapper is called', () => {
    const permissions = (): readonly string[] => {
      throw new Error('asked');
    };
    expect(() => verifyDenied({}, { permissions })).toThrow(expect.objectContaining({ reason: 'revoked' }));
  });

  it('is hashed only once while its introspection result is reused', () => {
    const seen: string[] = [];
    const answer = Object.freeze({ ...ANSWER });
    const denials = { denies: ({ hash }: VerifiedAccessToken) => seen.push(hash) === 0 };
    const byOne = new ClaimsVerifier(OPTIONS, clockAt(NOW), denials);
    for (const hash of ['hash of the text', 'hash of another text, which must not count']) {
      void byOne.verify({ text: 'text', hash, mapPermissions: () => [], context: undefined }, 'introspection', answer);
    }
    expect(new Set(seen).size).toBe(1);
  });
});

describe('a cached result', () => {
  const verifiedTwice = (
    bend: Readonly<Record<string, unknown>>,
    laterBySeconds: number,
    deniedLater = false,
  ): string[] => {
    const answer = Object.freeze({ ...ANSWER, ...bend });
    let now = NOW;
    let denies = false;
    const clock = { epochSeconds: () => now, monotonicMs: () => 0 };
    const one = new ClaimsVerifier(OPTIONS, clock, { denies: () => denies });
    const outcome = (): string => {
      try {
        void one.verify(
          { text: 'text', hash: 'hash', mapPermissions: undefined, context: undefined },
          'introspection',
          answer,
        );
        return 'accepted';
      } catch (error) {
        return (error as BearerError).reason;
      }
    };
    const first = outcome();
    now += laterBySeconds;
    denies = deniedLater;
    return [first, outcome()];
  };

  it('is refused at each use if the fault does not depend on the time (RS-06)', () => {
    expect(verifiedTwice({ aud: 'service-c' }, 0)).toEqual(['other_audience', 'other_audience']);
    expect(verifiedTwice({ typ: 'ID' }, 0)).toEqual(['not_an_access_token', 'not_an_access_token']);
    expect(verifiedTwice({ cnf: {} }, 0)).toEqual(['sender_constrained', 'sender_constrained']);
  });

  it('is checked at each use against the current time and the current denials (RS-13)', () => {
    expect(verifiedTwice({}, 0)).toEqual(['accepted', 'accepted']);
    expect(verifiedTwice({}, 60 + TOLERANCE)).toEqual(['accepted', 'expired']);
    expect(verifiedTwice({ nbf: NOW + 60 }, 60)).toEqual(['not_yet_valid', 'accepted']);
    expect(verifiedTwice({}, 0, true)).toEqual(['accepted', 'revoked']);
  });
});

describe('permissions', () => {
  const name = fc.oneof(
    fc.constantFrom('b.read', 'b.readwrite', 'b', 'B.read', '__proto__', 'constructor'),
    fc.stringMatching(/^[\x21\x23-\x5B\x5D-\x7E]{1,8}$/),
  );

  it('are exactly the members of scope, not their prefixes (RS-09)', () => {
    fc.assert(
      fc.property(fc.array(name), name, (granted, demanded) => {
        const token = verify({ scope: granted.join(' ') });
        const { permissions } = token;
        expect(token.hasPermission(demanded)).toBe(new Set(granted).has(demanded));
        expect([...permissions].toSorted()).toEqual([...new Set(granted)].toSorted());
      }),
    );
  });

  it.each([undefined, '', ' '])('are empty if the claim scope is %j (RS-09)', (scope) => {
    expect([...verify({ scope }).permissions]).toEqual([]);
  });

  it('come from the mapper and not from the scope', () => {
    const permissions = (claims: AccessTokenClaims): readonly string[] => [`of:${claims.sub}`];
    expect([...verify({}, { permissions }).permissions]).toEqual(['of:alice-id']);
  });

  it('are requested from the mapper only for a valid token', () => {
    let asked = 0;
    const permissions = (): readonly string[] => [`${++asked}`];
    expect(() => verify({ aud: 'service-c' }, { permissions })).toThrow(BearerError);
    expect(asked).toBe(0);
  });

  it.each<[unknown]>([[undefined], ['admin'], [new Set(['admin'])], [['admin', 1]], [{ length: 0 }], [null]])(
    'cause TypeError if the mapper returns %j',
    (made) => {
      expect(() => verify({}, { permissions: () => made as readonly string[] })).toThrow(TypeError);
    },
  );
});

describe('claims of a token whose signature was verified', () => {
  const { active: _, client_id: __, ...SIGNED } = ANSWER;
  const reasonOf = (source: 'introspection' | 'signature', claims: Readonly<Record<string, unknown>>): string => {
    try {
      verifyClaims('text', source, claims, OPTIONS, clockAt(NOW), NOTHING_DENIED);
      return 'accepted';
    } catch (error) {
      if (error instanceof BearerError) return error.reason;
      throw error;
    }
  };

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['of another issuer (RS-07)', { iss: `${ISSUER}/` }, 'other_issuer'],
    ['without issuer', { iss: undefined }, 'iss_missing'],
    ['for another service (RS-06)', { aud: ['service-c'] }, 'other_audience'],
    ['without an audience', { aud: undefined }, 'aud_missing'],
    ['of an ID token (RS-08)', { typ: 'ID' }, 'not_an_access_token'],
    ['of a refresh token (RS-08)', { typ: 'Refresh' }, 'not_an_access_token'],
    ['of a logout token (RS-08)', { typ: 'Logout' }, 'not_an_access_token'],
    ['without typ', { typ: undefined }, 'not_an_access_token'],
    ['bound to a key (RS-18)', { cnf: { jkt: 'k' } }, 'sender_constrained'],
    ['that have expired', { exp: NOW - TOLERANCE }, 'expired'],
    ['without an expiry', { exp: undefined }, 'exp_missing'],
    ['that are not valid yet', { nbf: NOW + TOLERANCE + 1 }, 'not_yet_valid'],
    ['issued in the future', { iat: NOW + TOLERANCE + 1 }, 'issued_in_the_future'],
    ['without a client', { azp: undefined }, 'client_missing'],
    ['without a subject', { sub: undefined }, 'sub_missing'],
    ['with a scope that is a list', { scope: ['orders.read'] }, 'scope_malformed'],
    ['that are valid', {}, 'accepted'],
  ])('are checked like an introspection result: %s', (_case, bend, reason) => {
    const claims = { ...SIGNED, ...bend };
    expect(reasonOf('signature', claims)).toBe(reason);
    expect(reasonOf('introspection', { ...claims, active: true })).toBe(reason);
  });

  it('are not checked for the claim active, unlike an introspection result (RS-05)', () => {
    expect(reasonOf('introspection', SIGNED)).toBe('inactive');
    expect(reasonOf('signature', { ...SIGNED, active: false })).toBe('accepted');
  });

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['neither user nor audience', { sub: undefined, aud: undefined }, 'lightweight_token'],
    ['no user, and the jti of a lightweight token', { sub: undefined, jti: 'onltac:4d1f' }, 'lightweight_token'],
    ['no audience, and the jti of a lightweight token', { aud: undefined, jti: 'trltcc:4d1f' }, 'lightweight_token'],
    ['user, audience and the jti of a lightweight token', { jti: 'onltac:4d1f' }, 'accepted'],
    ['no audience, and the jti of an ordinary token', { aud: undefined, jti: 'onrtac:4d1f' }, 'aud_missing'],
    ['neither user nor audience, in an ID token', { sub: undefined, aud: undefined, typ: 'ID' }, 'sub_missing'],
  ])('show that the token is lightweight, or not: %s', (_case, bend, reason) => {
    expect(reasonOf('signature', { ...SIGNED, ...bend })).toBe(reason);
  });

  it('are checked against the denials of this service (RS-13)', () => {
    expect(() => verifyClaims('text', 'signature', SIGNED, OPTIONS, clockAt(NOW), { denies: () => true })).toThrow(
      expect.objectContaining({ reason: 'revoked' }),
    );
  });
});
