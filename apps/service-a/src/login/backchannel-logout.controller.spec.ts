import { beforeEach, describe, expect, it } from '@jest/globals';
import { BadRequestException } from '@nestjs/common';
import { AuthorizationServerError, type Denial, type RevocationList } from 'nestjs-keycloak-s2s';
import { BackchannelLogoutController } from './backchannel-logout.controller.js';
import { LogoutTokenError, type LogoutToken, type LogoutTokens } from './logout-tokens.js';
import type { UserSessions } from './user-sessions.js';

let happened: unknown[];
let check: (text: unknown) => Promise<LogoutToken>;

const tokens = { check: async (text: unknown) => check(text) } as LogoutTokens;
const sessions = {
  endAtKeycloak: async (ended: object) => void happened.push({ ended }),
  recheckAll: async () => void happened.push('every session is rechecked'),
} as unknown as UserSessions;
const revocations = { deny: (denial: Denial) => happened.push({ denial }) } as unknown as RevocationList;
const controller = new BackchannelLogoutController(tokens, sessions, revocations);

const token = (overrides: Partial<LogoutToken>): LogoutToken => ({
  issuer: 'https://sso.example.com/realms/shop',
  sessionId: 's1',
  subject: 'alice-id',
  issuedAt: 1000,
  ...overrides,
});

beforeEach(() => {
  happened = [];
});

describe('a logout token', () => {
  it('that names a session denies it before it ends it (BF-09, RS-13)', async () => {
    check = async () => token({});
    await controller.logout({ logout_token: 'a.logout.token' });
    expect(happened).toEqual([{ denial: { issuer: token({}).issuer, sid: 's1' } }, { ended: token({}) }]);
  });

  it('that names a user denies the tokens issued up to its own second (BF-09, RS-13)', async () => {
    check = async () => token({ sessionId: undefined });
    await controller.logout({ logout_token: 'a.logout.token' });
    expect(happened[0]).toEqual({ denial: { issuer: token({}).issuer, sub: 'alice-id', issuedBefore: 1001 } });
  });

  it('that is refused denies and ends nothing (BF-09)', async () => {
    check = async () => Promise.reject(new LogoutTokenError('signature'));
    await expect(controller.logout({ logout_token: 'a.forged.token' })).rejects.toBeInstanceOf(BadRequestException);
    expect(happened).toEqual([]);
  });

  it('that cannot be verified has every session rechecked, and is not blamed on its sender (BF-09, RS-14)', async () => {
    const unavailable = new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' });
    check = async () => Promise.reject(unavailable);
    await expect(controller.logout({ logout_token: 'a.logout.token' })).rejects.toBe(unavailable);
    expect(happened).toEqual(['every session is rechecked']);
  });
});
