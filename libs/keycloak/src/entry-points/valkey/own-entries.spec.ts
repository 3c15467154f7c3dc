import { describe, expect, it } from '@jest/globals';
import { OwnEntries } from './own-entries.js';

describe('OwnEntries', () => {
  it('makes the poller wait until it has read all its own entries unchanged (RS-30)', () => {
    const own = new OwnEntries();
    own.send([{ sealed: 'a' }, { sealed: 'b' }]);
    own.answered([{ sealed: 'a' }, { sealed: 'b' }], true);
    expect(own.areRead).toBe(false);
    const expected = own.expected;
    own.read('a');
    own.read('another in the place of b');
    expect([own.areRead, own.isMissing(expected)]).toEqual([false, true]);
    own.read('b');
    expect([own.areRead, own.isMissing(expected)]).toEqual([true, false]);
  });

  it('does not make the poller wait for entries that it has read or could not write', () => {
    const own = new OwnEntries();
    own.send([{ sealed: 'a' }, { sealed: 'b' }]);
    own.read('a');
    own.answered([{ sealed: 'a' }], true);
    own.answered([{ sealed: 'b' }], false);
    expect(own.areRead).toBe(true);
  });

  it('does not make the poller wait for entries that it appended after the read began or before a gap', () => {
    const own = new OwnEntries();
    const { expected } = own;
    own.send([{ sealed: 'a' }]);
    own.answered([{ sealed: 'a' }], true);
    expect(own.isMissing(expected)).toBe(false);
    own.send([{ sealed: 'b' }]);
    own.clear();
    own.answered([{ sealed: 'b' }], true);
    expect(own.areRead).toBe(true);
  });

  it('detects after a gap that another process has used an entry id of this process (RS-30)', () => {
    const own = new OwnEntries();
    own.send([{ sealed: 'a', id: 'x' }]);
    own.clear();
    own.send([{ sealed: 'again', id: 'x' }]);
    expect(['a', 'again', 'forged'].map((sealed) => own.isForged(sealed, 'x'))).toEqual([false, false, true]);
    expect(own.isForged('forged', 'of another process')).toBe(false);
  });
});
