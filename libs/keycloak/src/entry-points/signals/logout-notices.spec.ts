import { beforeEach, describe, expect, it } from '@jest/globals';
import { ISSUER } from '../../../spec-support/one-issuer.js';
import { encoded } from '../../../spec-support/signers.js';
import { AuthorizationServerError, type Denial } from '../../index.js';
import { LogoutTokenError, type LogoutClaims } from './logout-claims.js';
import type { BackchannelLogout, BackchannelLogoutListener } from './logout-listener.js';
import { LogoutNotices } from './logout-notices.js';

const PARTNER = 'https://sso.partner.example/realms/shop';

let happened: unknown[];
let lines: { readonly level: string; readonly message: string; readonly fields: object }[];
let check: (issuer: string) => Promise<BackchannelLogout & Partial<LogoutClaims>>;
let listener: BackchannelLogoutListener;

beforeEach(() => {
  happened = [];
  lines = [];
  listener = {
    ended: async (logout) => void happened.push({ ended: logout }),
    unverified: async () => void happened.push('unverified'),
  };
});

function notices(listenerMs?: number): LogoutNotices {
  const at =
    (level: string) =>
    (message: string, fields: object): void =>
      void lines.push({ level, message, fields });
  return new LogoutNotices(
    [ISSUER, PARTNER].map((issuer) => ({
      issuer,
      tokens: {
        check: async () => ({ tokenId: 'j1', endsOffline: false, ...(await check(issuer)) }),
        release: (tokenId: string) => void happened.push({ released: tokenId }),
      },
      rechecks: {
        require: () => void happened.push({ recheck: issuer }),
        stop: () => void happened.push({ stopped: issuer }),
      },
    })),
    { deny: (denial: Denial) => void happened.push({ denial }) },
    listener,
    200,
    { log: at('log'), warn: at('warn'), error: at('error') },
    listenerMs,
  );
}

const notice = (iss: unknown = ISSUER): string => `e30.${encoded({ iss })}.c2ln`;
const says = (logout: Partial<LogoutClaims>) => {
  check = async (issuer) => ({ issuer, issuedAt: 1000, ...logout });
};
const fails = (error: Error) => {
  check = async () => Promise.reject(error);
};
const UNAVAILABLE = { kind: 'unavailable', retryAfterSeconds: 5 };

describe('LogoutNotices', () => {
  it('denies the tokens of a session before it calls the listener (BF-09, RS-13)', async () => {
    says({ sessionId: 's1', subject: 'alice-id' });
    expect(await notices().take(notice())).toEqual({ kind: 'taken' });
    expect(happened).toEqual([
      { denial: { issuer: ISSUER, sid: 's1', exceptOffline: true } },
      { ended: { issuer: ISSUER, sessionId: 's1', subject: 'alice-id', issuedAt: 1000 } },
    ]);
    expect(lines).toEqual([
      {
        level: 'log',
        message: 'Session ended',
        fields: { audit: 'session_ended', issuer: ISSUER, sid: 's1', sub: 'alice-id' },
      },
    ]);
  });

  it('denies the tokens of a session and of its offline session (BF-09, RS-13)', async () => {
    says({ sessionId: 's1', endsOffline: true });
    await notices().take(notice());
    expect(happened).toEqual([
      { denial: { issuer: ISSUER, sid: 's1' } },
      { ended: { issuer: ISSUER, sessionId: 's1', issuedAt: 1000 } },
    ]);
  });

  it("denies a user's tokens up to the second of the notice (BF-09, RS-13)", async () => {
    says({ subject: 'alice-id' });
    await notices().take(notice());
    expect(happened[0]).toEqual({ denial: { issuer: ISSUER, sub: 'alice-id', issuedBefore: 1001 } });
  });

  it('denies only tokens of the issuer that the notice names (RS-26)', async () => {
    says({ sessionId: 's1' });
    await notices().take(notice(PARTNER));
    expect(happened[0]).toEqual({ denial: { issuer: PARTNER, sid: 's1', exceptOffline: true } });
  });

  it.each<[string, unknown, string]>([
    ['of an issuer that is not configured', notice('https://evil.example'), 'other_issuer'],
    ['that names several issuers', notice([ISSUER, PARTNER]), 'other_issuer'],
    ['that names no issuer', notice(null), 'other_issuer'],
    ['that is not a token', 'junk', 'other_issuer'],
    ['that is missing', undefined, 'logout_token_missing'],
    ['that is empty', '', 'logout_token_missing'],
    ['that is sent twice in one request', [notice(), notice()], 'logout_token_missing'],
    ['that is longer than a token may be', `${notice()}${'x'.repeat(200)}`, 'token_too_long'],
  ])('refuses a notice %s without reading keys (BF-09)', async (_, token, reason) => {
    check = async () => Promise.reject(new Error('asked'));
    expect(await notices().take(token)).toEqual({ kind: 'refused' });
    expect([happened, lines]).toEqual([[], [{ level: 'warn', message: 'Logout token refused', fields: { reason } }]]);
  });

  it('denies no tokens and does not call the listener for a refused notice (BF-09)', async () => {
    fails(new LogoutTokenError('signature_invalid'));
    expect(await notices().take(notice())).toEqual({ kind: 'refused' });
    expect(happened).toEqual([]);
  });

  it("rechecks the issuer's tokens after an unverifiable notice, and answers unavailable (BF-09, RS-14)", async () => {
    const details = { reason: 'timeout', retryAfterSeconds: 7 } as const;
    fails(new AuthorizationServerError('authorization_server_unavailable', details));
    expect(await notices().take(notice(PARTNER))).toEqual({ kind: 'unavailable', retryAfterSeconds: 7 });
    expect(happened).toEqual([{ recheck: PARTNER }, 'unverified']);
    expect(lines).toEqual([
      { level: 'error', message: expect.any(String), fields: { issuer: PARTNER, reason: 'timeout' } },
    ]);
  });

  it('rechecks the tokens after an unexpected error, and does not log the text of the error (BF-09)', async () => {
    fails(new RangeError('a text that may hold a token'));
    expect(await notices().take(notice())).toEqual(UNAVAILABLE);
    expect(happened).toEqual([{ recheck: ISSUER }, 'unverified']);
    expect(JSON.stringify(lines)).not.toContain('hold a token');
  });

  it('denies the tokens and logs an error if the listener fails (BF-09)', async () => {
    says({ sessionId: 's1' });
    listener = {
      ended: async () => Promise.reject(new TypeError('a secret')),
      unverified: async () => Promise.reject(new TypeError('a secret')),
    };
    expect(await notices().take(notice())).toEqual(UNAVAILABLE);
    expect(happened).toEqual([{ denial: { issuer: ISSUER, sid: 's1', exceptOffline: true } }, { released: 'j1' }]);
    fails(new AuthorizationServerError('authorization_server_refused', { reason: 'signing_key_unusable' }));
    expect(await notices().take(notice())).toEqual(UNAVAILABLE);
    expect(happened).toHaveLength(3);
    expect(lines.map(({ level }) => level)).toEqual(['error', 'error', 'error']);
    expect(JSON.stringify(lines)).not.toContain('a secret');
  });

  it('answers a notice without waiting for a listener that hangs (BF-09)', async () => {
    const never = new Promise<void>(() => undefined);
    listener = { ended: () => never, unverified: () => never };
    says({ sessionId: 's1' });
    expect(await notices(1).take(notice())).toEqual(UNAVAILABLE);
    expect(happened).toEqual([{ denial: { issuer: ISSUER, sid: 's1', exceptOffline: true } }, { released: 'j1' }]);
    fails(new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' }));
    expect(await notices(1).take(notice())).toEqual(UNAVAILABLE);
    expect(lines.map(({ fields }) => fields)).toEqual([
      expect.objectContaining({ reason: 'timeout' }),
      expect.objectContaining({ reason: 'timeout' }),
      expect.objectContaining({ reason: 'timeout' }),
    ]);
  });

  it('handles a listener that rejects late or throws synchronously (BF-09)', async () => {
    says({ sessionId: 's1' });
    let fail: (error: Error) => void = () => undefined;
    listener = { ended: () => new Promise((_, reject) => (fail = reject)) };
    expect(await notices(1).take(notice())).toEqual(UNAVAILABLE);
    fail(new Error('late'));
    listener = {
      ended: () => {
        throw new TypeError('at once');
      },
    };
    expect(await notices(1).take(notice())).toEqual(UNAVAILABLE);
    expect(lines.map(({ level }) => level)).toEqual(['error', 'error']);
  });

  it('accepts a listener without the method `unverified`', async () => {
    listener = { ended: async () => undefined };
    fails(new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' }));
    expect(await notices().take(notice())).toEqual(UNAVAILABLE);
    expect(happened).toEqual([{ recheck: ISSUER }]);
  });

  it('stops the rechecks of all issuers when the application shuts down', () => {
    notices().onApplicationShutdown();
    expect(happened).toEqual([{ stopped: ISSUER }, { stopped: PARTNER }]);
  });
});
