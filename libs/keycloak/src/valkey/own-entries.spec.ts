import { describe, expect, it } from '@jest/globals';
import { OwnEntries } from './own-entries.js';

describe('OwnEntries', () => {
  it('waits until each has been read as it was written (RS-30)', () => {
    const own = new OwnEntries();
    own.send(['a', 'b']);
    own.answered(['a', 'b'], true);
    expect(own.areRead).toBe(false);
    const expected = own.expected;
    own.read('a');
    own.read('another in the place of b');
    expect([own.areRead, own.isMissing(expected)]).toEqual([false, true]);
    own.read('b');
    expect([own.areRead, own.isMissing(expected)]).toEqual([true, false]);
  });

  it('misses none that was read before the server answered, or that it may not have taken', () => {
    const own = new OwnEntries();
    own.send(['a', 'b']);
    own.read('a');
    own.answered(['a'], true);
    own.answered(['b'], false);
    expect(own.areRead).toBe(true);
  });

  it('does not expect what was appended after a read began, nor anything after a gap', () => {
    const own = new OwnEntries();
    const { expected } = own;
    own.send(['a']);
    own.answered(['a'], true);
    expect(own.isMissing(expected)).toBe(false);
    own.send(['b']);
    own.clear();
    own.answered(['b'], true);
    expect(own.areRead).toBe(true);
  });
});
