/** RevocationStream rejects a server's answer that has invalid numbers. */
import { describe, expect, it } from '@jest/globals';
import { RevocationStream } from './revocation-stream.js';
import type { ValkeyConnection } from './valkey-connection.js';

const stream = new RevocationStream('https://keycloak.test/realms/test', 100);
const saying = (answer: unknown): ValkeyConnection => ({ send: async () => answer }) as unknown as ValkeyConnection;

describe('an answer of the server', () => {
  it.each([
    ['first', ['e', '1', 0, '', 1000, [], '']],
    ['last', ['e', 1, Number.NaN, '', 1000, [], '']],
    ['time', ['e', 1, 0, '', 'yesterday', [], '']],
  ])('with a %s that is no number is none', async (_, answer) => {
    await expect(stream.read(saying(answer), undefined)).rejects.toThrow('unexpected_answer');
  });

  it('with a time of an entry that is none says so', async () => {
    const entries = [['1-0', 'sealed', 'yesterday', 'id', '']];
    const page = await stream.read(saying(['e', 1, 1, 'id', 1000, entries, '']), undefined);
    expect(page?.entries).toEqual([expect.objectContaining({ takenAtMs: Number.NaN, ageSeconds: 0 })]);
  });

  it('gives no lease by numbers that are none, and none where another has it', async () => {
    await expect(stream.lease(saying([1, 'soon']), 3000)).rejects.toThrow('unexpected_answer');
    expect(await stream.lease(saying(null), 3000)).toBeUndefined();
    expect(await stream.lease(saying([2, 1000]), 3000)).toEqual({ fencing: 2, grantedAtMs: 1000 });
  });
});
