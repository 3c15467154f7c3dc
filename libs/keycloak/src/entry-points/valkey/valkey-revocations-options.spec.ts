import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../caching/clock.js';
import { ConfigurationError, KeycloakModule } from '../../index.js';
import { Test } from '@nestjs/testing';
import { ValkeyClient, valkeyCache, valkeyRevocations, type ValkeyRevocationsOptions } from './index.js';

const KEY = randomBytes(32).toString('base64');
const CONTEXT = { issuer: 'i', memorySeconds: 60, recheckSeconds: 70, maxRevocations: 10, clock: systemClock };

describe('valkeyRevocations', () => {
  it.each<[string, Partial<Record<keyof ValkeyRevocationsOptions | 'caFile', unknown>>, RegExp]>([
    ['without a URL', { url: undefined }, /url must be valkeys:/],
    ['with a URL that is not for Valkey', { url: 'https://valkey.test' }, /url must be valkeys:/],
    ['without a host', { url: 'valkeys:' }, /url must be valkeys:/],
    ['with a password that is not encoded', { url: 'valkeys://:100%pass@valkey.test' }, /password with a "%"/],
    ['with a path that is not a number', { url: 'valkeys://valkey.test/abc' }, /the number of a database/],
    ['with a query', { url: 'valkeys://valkey.test?db=3' }, /the number of a database/],
    ['without keys', { keys: undefined }, /no key is given/],
    ['with an empty list of keys', { keys: [] }, /no key is given/],
    ['with a password in place of a key', { keys: [KEY, 'the-password-4711'] }, /1 of 2 are not/],
    ['with a wrong URL and an empty list of keys', { url: '', keys: [] }, /url must be[^]*keys must be/],
    ['with a misspelt option', { caFile: '/etc/4711.pem' }, /unknown option "caFile"/],
    ['with a path in place of certificates', { ca: '/etc/4711.pem' }, /ca contains no certificate in PEM/],
    [
      'with a certificate that is cut off',
      { ca: '-----BEGIN CERTIFICATE-----\n4711' },
      /ca contains an incomplete certificate/,
    ],
    ['with bytes in place of certificates', { ca: Buffer.from('4711') }, /ca must be a text/],
  ])('rejects options %s with an error that contains no value', (_, bent, message) => {
    const make = (): unknown =>
      valkeyRevocations({ url: 'valkeys://valkey.test', keys: [KEY], ...bent } as ValkeyRevocationsOptions);
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
    expect(make).not.toThrow(/4711/);
  });

  it('rejects missing options', () => {
    for (const none of [undefined, null]) expect(() => valkeyRevocations(none as never)).toThrow(ConfigurationError);
  });

  it.each(['valkeys://valkey.test', 'rediss://user:pass@valkey.test:6380/2'])('accepts %s in production', (url) => {
    expect(() =>
      valkeyRevocations({ url, keys: [KEY] }).check({ ...CONTEXT, allowInsecureRequests: false }),
    ).not.toThrow();
  });

  it.each(['valkey://valkey.test', 'redis://valkey.test'])(
    'rejects %s in production, since the connection would not be encrypted',
    async (url) => {
      const channel = valkeyRevocations({ url, keys: [KEY] });
      expect(() => channel.check({ ...CONTEXT, allowInsecureRequests: true })).not.toThrow();
      const options = {
        issuer: 'https://sso.test/realms/r',
        clientId: 'c',
        clientSecret: 's',
        revocationChannel: channel,
      };
      const module = Test.createTestingModule({ imports: [KeycloakModule.forRoot(options)] });
      await expect(module.compile()).rejects.toThrow(/url must be valkeys: \(or allowInsecureRequests/);
    },
  );

  it('does not print the keys or the password', () => {
    const channel = valkeyRevocations({ url: 'valkeys://user:the-password-4711@valkey.test', keys: [KEY] });
    expect(inspect(channel, { depth: 9, showHidden: true })).not.toMatch(/4711|user/);
    expect(JSON.stringify(channel)).toBe('{}');
  });
});

describe('valkeyCache and ValkeyClient', () => {
  it('reject an unknown option', () => {
    const url = 'valkeys://valkey.test';
    expect(() => valkeyCache({ url, keys: [KEY], key: KEY } as never)).toThrow(/unknown option "key"/);
    expect(() => new ValkeyClient({ url, deadline: 5 } as never)).toThrow(/unknown option "deadline"/);
    expect(() => new ValkeyClient({ url, deadlineMs: 5 })).not.toThrow();
  });
});

describe('ValkeyClient', () => {
  it('rejects a URL with another scheme, and shows no password in the error', () => {
    expect(() => new ValkeyClient({ url: 'https://:the-password-4711@valkey.test' })).toThrow(ConfigurationError);
    const client = new ValkeyClient({ url: 'valkeys://user:the-password-4711@valkey.test' });
    expect(inspect(client, { depth: 9, showHidden: true })).not.toMatch(/4711|user/);
  });

  it.each([0, -1, NaN, Infinity, 2 ** 31 * 5, 1.5, '1000', null])('rejects a deadline of %p', (deadlineMs) => {
    const make = () => new ValkeyClient({ url: 'valkeys://valkey.test', deadlineMs: deadlineMs as number });
    expect(make).toThrow('deadlineMs must be a whole number from 1 to 60000');
  });
});
