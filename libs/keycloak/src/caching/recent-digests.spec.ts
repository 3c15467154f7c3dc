import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecentDigests } from './recent-digests.js';

const again = (text: string): string => Buffer.from(text).toString();

describe('RecentDigests', () => {
  it('recognises a text only by its full content', () => {
    const digests = new RecentDigests();
    digests.remember('header.payload.signature', 'd1');
    expect(digests.recall(again('header.payload.signature'))).toBe('d1');
    // The texts have the same length and suffix, so they share a slot.
    expect(digests.recall('header.PAYLOAD.signature')).toBeUndefined();
    expect(digests.recall('header.payload.signaturE')).toBeUndefined();
    expect(digests.recall('')).toBeUndefined();
  });

  it('forgets a text if a later text needs its slot', () => {
    const digests = new RecentDigests();
    digests.remember('one.same-end', 'd1');
    digests.remember('two.same-end', 'd2');
    expect([digests.recall('one.same-end'), digests.recall('two.same-end')]).toEqual([undefined, 'd2']);
  });

  it('never returns the digest of another text (TX-05)', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 3 }), { maxLength: 200 }), (texts) => {
        const digests = new RecentDigests();
        for (const text of texts) {
          const digest = `digest of ${text}`;
          expect([undefined, digest]).toContain(digests.recall(again(text)));
          digests.remember(text, digest);
        }
      }),
    );
  });

  it('lets the garbage collector remove the texts (RS-12)', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const digests = new RecentDigests();
    for (let at = 0; at < 100; at += 1) digests.remember(again(`text ${at}`), `d${at}`);
    expect(digests.recall('text 99')).toBe('d99');
    // A target that `deref()` returned stays alive until the current task of the event loop ends.
    await nextTurn();
    collect();
    expect(Array.from({ length: 100 }, (_, at) => digests.recall(`text ${at}`))).toEqual(Array(100).fill(undefined));
  });
});
