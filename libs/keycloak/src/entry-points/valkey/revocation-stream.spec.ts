import { describe, expect, it } from '@jest/globals';
import { RevocationStream } from './revocation-stream.js';
import type { ValkeyConnection } from './valkey-connection.js';

const stream = new RevocationStream('https://keycloak.test/realms/test', 100);
const saying = (answer: unknown): ValkeyConnection => ({ send: async () => answer }) as unknown as ValkeyConnection;

describe('RevocationStream', () => {
  it.each([
    ['first', ['e', '1', 0, '', 1000, [], '']],
    ['last', ['e', 1, Number.NaN, '', 1000, [], '']],
    ['time', ['e', 1, 0, '', 'yesterday', [], '']],
  ])('rejects an answer whose field "%s" is not a number', async (_, answer) => {
    await expect(stream.read(saying(answer), undefined)).rejects.toThrow('unexpected_answer');
  });

  it('returns NaN for an invalid time of an entry', async () => {
    const entries = [['1-0', 'sealed', 'yesterday', 'id', '']];
    const page = await stream.read(saying(['e', 1, 1, 'id', 1000, entries, '']), undefined);
    expect(page?.entries).toEqual([expect.objectContaining({ takenAtMs: Number.NaN, ageSeconds: 0 })]);
  });

  it('rejects an invalid lease, and returns undefined if another replica has the lease', async () => {
    await expect(stream.lease(saying([1, 'soon']), 3000)).rejects.toThrow('unexpected_answer');
    expect(await stream.lease(saying(null), 3000)).toBeUndefined();
    expect(await stream.lease(saying([2, 1000]), 3000)).toEqual({ fencing: 2, grantedAtMs: 1000 });
  });
});
