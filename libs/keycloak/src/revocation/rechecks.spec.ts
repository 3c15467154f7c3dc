import { describe, expect, it } from '@jest/globals';
import { StillClock } from '../../spec-support/still-clock.js';
import { Rechecks, type IssuerRecheck } from './rechecks.js';

const SERVE_MS = 10_000;
const ALICE = { sid: 's1', sub: 'alice', azp: 'shop' };
const BOB = { sid: 's2', sub: 'bob', client_id: 'desk' };
const NOBODY = {};

function rechecksAt() {
  const clock = new StillClock();
  return { clock, rechecks: new Rechecks(SERVE_MS, clock) };
}

describe('Rechecks', () => {
  it.each<[string, IssuerRecheck, readonly boolean[]]>([
    ['a session', { sid: 's1' }, [true, false, false]],
    ['a subject', { sub: 'bob' }, [false, true, false]],
    ['the client in azp', { clientId: 'shop' }, [true, false, false]],
    ['the client in client_id, without azp', { clientId: 'desk' }, [false, true, false]],
    ['a session that nobody has', { sid: 'undefined' }, [false, false, false]],
    ['everything', 'everything', [true, true, true]],
  ])('invalidate only matching results of earlier introspections: %s', (_, recheck, due) => {
    const { clock, rechecks } = rechecksAt();
    const askedAtMs = clock.monotonicMs();
    expect(rechecks.areDue(ALICE, askedAtMs)).toBe(false);
    clock.advance(1);
    rechecks.require(recheck);
    expect([ALICE, BOB, NOBODY].map((answer) => rechecks.areDue(answer, askedAtMs))).toEqual(due);
    clock.advance(1);
    expect(rechecks.areDue(ALICE, clock.monotonicMs())).toBe(false);
  });

  it('stay in memory for as long as an earlier result can be cached', () => {
    const { clock, rechecks } = rechecksAt();
    const askedAtMs = clock.monotonicMs();
    rechecks.require({ sid: 's1' });
    clock.advance(9);
    rechecks.require({ sid: 's2' });
    expect(rechecks.areDue(ALICE, askedAtMs)).toBe(true);
  });

  it('become a recheck of everything if their number exceeds the limit', () => {
    const { clock, rechecks } = rechecksAt();
    const askedAtMs = clock.monotonicMs();
    for (let at = 0; at < 10_000; at += 1) rechecks.require({ sid: `many ${at}` });
    expect(rechecks.areDue(ALICE, askedAtMs)).toBe(false);
    rechecks.require({ sid: 'one more' });
    expect(rechecks.areDue(ALICE, askedAtMs)).toBe(true);
  });

  it.each<unknown>([
    undefined,
    null,
    {},
    [],
    'all',
    { sid: '' },
    { sid: ' ' },
    { sid: 1 },
    { sid: 'a', sub: 'b' },
    { jti: 'j' },
    { sid: 's'.repeat(1025) },
  ])('throw TypeError for the malformed recheck %j', (recheck) => {
    const { rechecks } = rechecksAt();
    expect(() => rechecks.require(recheck as IssuerRecheck)).toThrow(TypeError);
    expect(rechecks.latestMs).toBe(-Infinity);
  });
});
