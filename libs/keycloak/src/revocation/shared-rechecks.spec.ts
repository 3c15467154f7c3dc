import { beforeEach, describe, expect, it } from '@jest/globals';
import { StillClock } from '../../spec-support/still-clock.js';
import { Rechecks, type IssuerRecheck } from './rechecks.js';
import { SharedRechecks, type SharedRecheck } from './shared-rechecks.js';

let clock: StillClock;
let rechecks: Rechecks;
let shared: SharedRechecks;
let required: [recheck: IssuerRecheck, at: number][];

beforeEach(() => {
  clock = new StillClock();
  rechecks = new Rechecks(300_000, clock);
  required = [];
  shared = new SharedRechecks(rechecks, { seconds: 1000, toAnswersSeconds: 300 }, clock, () => undefined);
  rechecks.onRequired((recheck, at) => required.push([recheck, at]));
});

const alice = (id = 'x'): SharedRecheck => ({
  kind: 'recheck',
  recheck: { sub: 'alice' },
  at: clock.epochSeconds(),
  id,
});

describe('SharedRechecks', () => {
  it('applies a recheck even after another recheck with the same id (RS-30)', () => {
    const at = clock.epochSeconds();
    shared.receive({ ...alice(), recheck: { sid: 'nobody' } }, 0, at);
    shared.receive({ ...alice(), at: at - 200 }, 200, at - 200);
    shared.receive(alice(), 0, at);
    shared.receive(alice(), 0, at);
    expect(required).toEqual([
      [{ sid: 'nobody' }, at],
      [{ sub: 'alice' }, at - 200],
      [{ sub: 'alice' }, at],
    ]);
  });

  it('applies a second copy of a recheck if the second copy has a later time (RS-30)', () => {
    const [askedAtMs, at] = [clock.monotonicMs(), clock.epochSeconds()];
    shared.receive(alice(), 400, at - 400);
    expect(rechecks.areDue({ sub: 'alice' }, askedAtMs)).toBe(false);
    shared.receive(alice(), 0, at);
    expect(rechecks.areDue({ sub: 'alice' }, askedAtMs)).toBe(true);
    expect(required.at(-1)).toEqual([{ sub: 'alice' }, at]);
  });

  it('keeps newer results valid if the channel contains a copy of an old recheck', () => {
    const at = clock.epochSeconds();
    shared.receive(alice(), 0, at);
    clock.advance(20);
    const askedAtMs = clock.monotonicMs();
    shared.receive({ ...alice(), at }, 0, at + 20);
    expect(rechecks.areDue({ sub: 'alice' }, askedAtMs)).toBe(false);
    expect(required).toHaveLength(2);
  });

  it('appends its own recheck if each received copy is too old or differs (RS-30)', () => {
    rechecks.require({ sub: 'alice' });
    const [own] = shared.toAppend();
    if (own === undefined) throw new Error('There is nothing to append');
    const at = clock.epochSeconds();
    shared.receive({ ...own, recheck: { sid: 'nobody' } }, 0, at);
    shared.receive(own, 1000, at - 1000);
    expect(shared.toAppend()).toEqual([own]);
    shared.markTaken([own]);
    shared.receive({ ...own, recheck: { sid: 'nobody' } }, 0, at);
    expect(shared.areAllRead).toBe(false);
    shared.receive(own, 0, at);
    expect(shared.areAllRead).toBe(true);
  });
});
