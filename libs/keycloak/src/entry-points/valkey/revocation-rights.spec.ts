import { describe, expect, it } from '@jest/globals';
import { missingRights } from './revocation-rights.js';
import type { ValkeyConnection } from './valkey-connection.js';
import { ValkeyError } from './valkey-error.js';

const ISSUER = 'https://keycloak.test/realms/test';

const connection = (answers: Readonly<Record<string, () => unknown>>): ValkeyConnection =>
  ({
    send: async ([name = '']: readonly string[]) => (answers[name] ?? (() => []))(),
  }) as unknown as ValkeyConnection;

const fail = (reason: string) => (): never => {
  throw new ValkeyError(reason);
};

describe('missingRights', () => {
  it.each([
    ['has all rights', {}, []],
    ['may not run scripts', { EVALSHA: fail('noperm') }, ['eval']],
    ['may not run read-only scripts', { EVALSHA_RO: fail('noperm') }, ['eval_ro']],
    ['may not run INFO', { INFO: fail('noperm') }, ['info']],
    ['lacks the same commands for several keys', { EVALSHA: () => ['hset', 'del'] }, ['hset', 'del']],
  ])('returns the missing rights of a user who %s', async (_, answers, missing) => {
    for (const isPoller of [false, true]) {
      expect(await missingRights(connection(answers), ISSUER, isPoller)).toEqual(missing);
    }
  });

  it('rejects with an error if the server does not answer', async () => {
    for (const command of ['EVALSHA', 'INFO']) {
      await expect(missingRights(connection({ [command]: fail('closed') }), ISSUER, false)).rejects.toThrow('closed');
    }
  });
});
