import { describe, expect, it } from '@jest/globals';
import { administratorClockFinding } from './administrator-clock.js';

const NOW = 1_700_000_000;
const token = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

describe("the finding that compares this machine's clock with an administrator's token (row 36)", () => {
  it.each<[string, object, RegExp]>([
    ['ahead', { iat: NOW - 660, exp: NOW - 600 }, /clock is ahead of Keycloak's by at least 600 s/],
    ['behind', { iat: NOW + 600, exp: NOW + 660 }, /clock is behind Keycloak's by at least 600 s/],
  ])('is an error if the clock is %s', (_, claims, message) => {
    expect(administratorClockFinding(token(claims), NOW, 5)).toMatchObject({
      check: 'clock',
      level: 'error',
      message: expect.stringMatching(message) as unknown,
    });
  });

  it.each([[{ iat: NOW - 30, exp: NOW + 30 }], [{ iat: NOW + 4, exp: NOW + 64 }], [{}], [{ iat: 'x', exp: null }]])(
    'is absent if the clock is right or unknown: %j',
    (claims) => {
      expect(administratorClockFinding(token(claims), NOW, 5)).toBeUndefined();
    },
  );
});
