import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { composeKeycloak } from '../module/compose-keycloak.js';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { StillClock } from '../../spec-support/still-clock.js';
import { optionsOf } from '../../spec-support/test-realm.js';
import { startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { clientCredentialsRequest } from './token-request.js';

const RENEW_BEFORE_SECONDS = 10;
const SELF = clientCredentialsRequest('orders.approve');

let realm: RunningAuthorizationServer;
beforeAll(async () => {
  realm = await startTestRealm();
});
beforeEach(() => realm.control.calls.reset());
afterAll(() => realm.stop());

const asked = (): number => realm.control.calls.token.client_credentials;

function setUp(expiresIn: string | undefined) {
  const clock = new StillClock();
  const options = { ...optionsOf(realm, 'service-a'), minRemainingLifetimeSeconds: RENEW_BEFORE_SECONDS };
  const { tokens } = composeKeycloak(options, { clock });
  const lifetime = expiresIn === undefined ? '' : `,"expires_in":${expiresIn}`;
  let given = 0;
  const get = async (): Promise<string> => {
    const body = `{"access_token":"token-${++given}","token_type":"Bearer","scope":"orders.approve"${lifetime}}`;
    realm.control.fault('token', { kind: 'answer', body });
    return Promise.resolve(tokens.get(SELF)).then(
      (token) => token.reveal(),
      (error: { readonly code?: string }) => String(error.code),
    );
  };
  return { clock, get };
}

describe('an issued token', () => {
  it.each([
    ['missing', undefined],
    ['0 s', '0'],
    ['-0 s', '-0'],
  ])('is used for only one call if its lifetime is %s', async (_case, expiresIn) => {
    const { get } = setUp(expiresIn);
    expect([await get(), await get()]).toEqual(['token-1', 'token-2']);
  });

  it.each([
    ['-1'],
    ['-1e308'],
    ['"-60"'],
    ['"soon"'],
    ['""'],
    ['null'],
    ['true'],
    ['{}'],
    ['[]'],
    ['NaN'],
    ['Infinity'],
    ['1e999'],
    ['"NaN"'],
    ['"Infinity"'],
  ])('causes authorization_server_unavailable, and is not cached, if its lifetime is %s', async (expiresIn) => {
    const { get } = setUp(expiresIn);
    expect([await get(), await get()]).toEqual(Array.from({ length: 2 }, () => 'authorization_server_unavailable'));
    expect(asked()).toBe(2);
  });

  it.each([['1e308'], ['1.7976931348623157e308'], ['9007199254740993'], ['1e12'], ['"3600000"']])(
    'is cached even if its lifetime is very long: %s s',
    async (expiresIn) => {
      const { clock, get } = setUp(expiresIn);
      await get();
      clock.advance(3600);
      expect(await get()).toBe('token-1');
      expect(asked()).toBe(1);
    },
  );

  const seconds = fc.oneof(
    fc.integer({ min: 1, max: 4000 }),
    fc.double({ min: 0.002, max: 4000, noNaN: true }),
    fc.constantFrom(1, RENEW_BEFORE_SECONDS, 2 * RENEW_BEFORE_SECONDS),
  );

  it('is reused before it expires, even if expires_in is a string', async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(seconds, fc.boolean(), async (lifetime, isText) => {
        realm.control.calls.reset();
        const { clock, get } = setUp(isText ? `"${lifetime}"` : String(lifetime));
        expect(await get()).toBe('token-1');
        clock.advance(lifetime * 0.39);
        expect(await get()).toBe('token-1');
        expect(asked()).toBe(1);
        clock.advance(lifetime * 0.61);
        expect(await get()).toBe('token-3');
        expect(asked()).toBe(2);
      }),
      { numRuns: 60 },
    );
  });
});
