import { describe, expect, it } from '@jest/globals';
import { KeyGroups } from './key-groups.js';

describe('KeyGroups', () => {
  it('returns the keys of one group', () => {
    const groups = new KeyGroups();
    groups.add('a', 'a1');
    groups.add('a', 'a2');
    groups.add('b', 'b1');
    expect([groups.keysOf('a'), groups.keysOf('b'), groups.keysOf('c')]).toEqual([['a1', 'a2'], ['b1'], []]);
  });

  it('deletes a key completely, even if the key was added twice', () => {
    const groups = new KeyGroups();
    groups.add('a', 'a1');
    groups.add('a', 'a1');
    groups.delete('a1');
    groups.delete('a1');
    expect([groups.keysOf('a'), groups.size]).toEqual([[], 0]);
    groups.add('b', 'a1');
    expect([groups.keysOf('b'), groups.size]).toEqual([['a1'], 1]);
  });

  it('lets the caller delete keys during an iteration', () => {
    const groups = new KeyGroups();
    for (const key of ['a1', 'a2', 'a3']) groups.add('a', key);
    for (const key of groups.keysOf('a')) groups.delete(key);
    expect(groups.size).toBe(0);
  });
});
