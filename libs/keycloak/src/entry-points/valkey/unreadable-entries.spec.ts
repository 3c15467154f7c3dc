import { describe, expect, it } from '@jest/globals';
import { UnreadableEntries } from './unreadable-entries.js';

describe('UnreadableEntries', () => {
  it('counts unreadable entries and entries of newer versions (OP-01)', () => {
    const entries = new UnreadableEntries();
    entries.add(1, 'entry_newer');
    entries.add(2, 'entry_malformed');
    entries.add(3, 'entry_unreadable');
    expect(entries.examined(1, undefined)).toEqual({ unreadable: 2, hasOpened: false });
    expect(entries.examined(1, 'unreadable')).toEqual({ unreadable: 3, hasOpened: false });
    entries.add(4, undefined);
    expect(entries.examined(2, undefined)).toEqual({ unreadable: 1, hasOpened: true });
    entries.clear();
    expect(entries.examined(2, undefined)).toEqual({ unreadable: 0, hasOpened: false });
  });
});
