/** What a proof in the stream is worth: to who has read the same, to who has not, and when it is of no form or time that may be. */
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { StreamPage } from './revocation-stream.js';
import { SealingKeys } from './sealing-keys.js';
import { StreamProofs, sumWith, type StreamProof } from './stream-proofs.js';

const ISSUER = 'https://keycloak.test/realms/test';
const keys = new SealingKeys([randomBytes(32).toString('base64')]);
const heard = (untilMs: number) => ({ sinceMs: untilMs - 60_000, untilMs });
const place = (sum: bigint) => ({ epoch: 'e', position: 3, sum });
const page = (nowMs: number): StreamPage => ({ epoch: 'e', first: 1, last: 3, tip: '', entries: [], proof: '', nowMs });

let [writer, reader]: StreamProofs[] = [];
const readBy = (one: StreamProofs | undefined, sealed = ''): StreamProof => {
  const proof = one?.read(sealed);
  if (proof === undefined) throw new Error('It is no proof');
  return proof;
};

beforeEach(() => {
  [writer, reader] = [new StreamProofs(keys, ISSUER), new StreamProofs(keys, ISSUER)];
});

describe('a proof', () => {
  it('is read as it was written, and by nobody with other keys or of another issuer', () => {
    const sealed = writer?.write(heard(1000), place(7n)) ?? '';
    expect(readBy(reader, sealed)).toMatchObject({ heard: heard(1000), place: place(7n) });
    const others = new SealingKeys([randomBytes(32).toString('base64')]);
    expect(new StreamProofs(others, ISSUER).read(sealed)).toBeUndefined();
    expect(new StreamProofs(keys, `${ISSUER}2`).read(sealed)).toBeUndefined();
    expect(reader?.read('')).toBeUndefined();
  });

  it('is of what was read where the difference to the reader’s own sum stays, wherever that began', () => {
    const before = readBy(reader, writer?.write(heard(1000), place(10n)));
    // It began later, and comes to less.
    expect(reader?.isSame(before, 4n)).toBe(true);
    const next = readBy(reader, writer?.write(heard(2000), place(sumWith(10n, 5n))));
    expect(reader?.isSame(next, sumWith(4n, 5n))).toBe(true);
    const another = readBy(reader, writer?.write(heard(3000), place(20n)));
    expect(reader?.isSame(another, sumWith(9n, 1n))).toBe(false);
    // From here on it knows again.
    expect(reader?.isSame(another, sumWith(9n, 1n))).toBe(true);
  });

  it('goes on where another writer has read what the reader has, and is another one where it has not', () => {
    expect(reader?.isSame(readBy(reader, writer?.write(heard(1000), place(10n))), 4n)).toBe(true);
    const next = new StreamProofs(keys, ISSUER);
    expect(next.isSame(readBy(next, writer?.write(heard(1000), place(10n))), 100n)).toBe(true);
    expect(reader?.isSame(readBy(reader, next.write(heard(2000), place(100n))), 4n)).toBe(true);
    const stranger = new StreamProofs(keys, ISSUER);
    expect(reader?.isSame(readBy(reader, stranger.write(heard(3000), place(100n))), 4n)).toBe(false);
  });

  it.each<unknown>([
    {},
    { s: 1, u: 2, e: 'e', p: 3, b: 'b' },
    { s: 1, u: 2, e: 'e', p: 3, n: 'x', b: 'b' },
    { s: 1, u: 2, e: 'e', p: 3, n: 'f'.repeat(33), b: 'b' },
    { s: 1, u: null, e: 'e', p: 3, n: 'f', b: 'b' },
    { s: 1, u: 2, e: 7, p: 3, n: 'f', b: 'b' },
    { s: 1, u: 2, e: 'e', p: 3.5, n: 'f', b: 'b' },
  ])('is none in another form: %j', (content) => {
    expect(reader?.read(keys.seal(JSON.stringify(content), ['revocation proof', ISSUER]))).toBeUndefined();
  });

  it('is as old as the server’s clock and this machine’s make it, and none that is still to come', () => {
    const now = Date.now();
    reader?.learn(page(now - 60_000));
    // The server is behind: by this machine it is older.
    const told: number[] = [];
    const receiver = { proven: ({ untilAgoMs }: { readonly untilAgoMs: number }) => void told.push(untilAgoMs) };
    reader?.tell(heard(now + 1000), receiver);
    expect(told).toEqual([]);
    reader?.tell(heard(now - 60_000), receiver);
    expect(told).toEqual([expect.any(Number)]);
    expect(told[0]).toBeGreaterThanOrEqual(60_000);
    expect(reader?.isPossible(heard(now + 4000), now)).toBe(true);
    expect(reader?.isPossible(heard(now + 6000), now)).toBe(false);
  });
});
