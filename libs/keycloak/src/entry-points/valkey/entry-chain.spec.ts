import { describe, expect, it } from '@jest/globals';
import { EntryChain, type ChainedEntry } from './entry-chain.js';

const entry = (number: number, sealed = `sealed ${number}`): ChainedEntry => ({ number, sealed, takenAtMs: 1000 });

function reading(first: number, sealed: readonly string[], keepsAll = false): EntryChain {
  const chain = new EntryChain('issuer', 'epoch', first, keepsAll);
  for (const [at, text] of sealed.entries()) chain.add(entry(first + at, text), Infinity);
  return chain;
}

describe('EntryChain', () => {
  it('returns `same` for equal entries, also after the next entry', () => {
    const [poller, reader] = [reading(1, ['a', 'b'], true), reading(1, ['a', 'b'])];
    expect(reader.compare(poller.links(0))).toBe('same');
    for (const one of [poller, reader]) one.add(entry(3), Infinity);
    expect(reader.compare(poller.links(0))).toBe('same');
  });

  it.each([
    ['replaced', ['a', 'x', 'c']],
    ['swapped', ['b', 'a', 'c']],
  ])('detects at each proof that an entry was %s before the first proof (RS-30)', (_, entries) => {
    const poller = reading(1, ['a', 'b', 'c'], true);
    const others = [reading(1, entries), reading(1, entries, true)];
    for (const one of others) expect(one.compare(poller.links(0))).toBe('differs');
    for (const one of [poller, ...others]) one.add(entry(4), Infinity);
    for (const one of others) expect(one.compare(poller.links(0))).toBe('differs');
  });

  it('detects at a later proof that the time of an entry was changed', () => {
    const [poller, reader] = [reading(1, ['a'], true), reading(1, ['a'])];
    expect(reader.compare(poller.links(0))).toBe('same');
    poller.add(entry(2, 'b'), Infinity);
    reader.add({ ...entry(2, 'b'), takenAtMs: 1001 }, Infinity);
    expect(reader.compare(poller.links(0))).toBe('differs');
  });

  it('returns `unknown` while the proof covers an entry that the process has not read', () => {
    const poller = new EntryChain('issuer', 'epoch', 1, true);
    poller.add(entry(1), 100);
    poller.add(entry(2), Infinity);
    expect(poller.links(99)).toMatchObject({ first: 1, position: 2 });
    const late = reading(2, ['sealed 2']);
    expect(late.compare(poller.links(99))).toBe('unknown');
    expect(poller.links(100)).toMatchObject({ first: 2, position: 2 });
    expect(late.compare(poller.links(100))).toBe('same');
    expect(reading(2, ['other']).compare(poller.links(100))).toBe('differs');
  });

  it('returns `unknown` if the proof covers entries that the process has forgotten', () => {
    const poller = reading(1, ['a', 'b'], true);
    const early = reading(1, ['x', 'b']);
    early.forgetBefore(2);
    expect(early.compare(poller.links(0))).toBe('unknown');
  });

  it('accepts the proof of a second poller that continues the chain of the first poller', () => {
    const [first, second, reader] = [reading(1, ['a'], true), reading(1, ['a'], true), reading(1, ['a'])];
    expect(second.compare(first.links(0))).toBe('same');
    expect(reader.compare(first.links(0))).toBe('same');
    for (const one of [second, reader]) one.add(entry(2), Infinity);
    expect(reader.compare(second.links(0))).toBe('same');
  });

  it('returns `other_chain` instead of `differs` if two chains begin at different entries', () => {
    const reader = reading(1, ['a', 'b']);
    expect(reader.compare(reading(1, ['a', 'b'], true).links(0))).toBe('same');
    expect(reader.compare(reading(2, ['b'], true).links(0))).toBe('other_chain');
  });

  it('lets a poller continue the chain of another poller if the common entries are equal (RS-30)', () => {
    for (const first of [reading(1, ['a', 'b'], true), reading(2, ['b'], true)]) {
      const second = reading(1, ['a', 'b'], true);
      second.links(0);
      expect(second.compare(first.links(0))).toBe('same');
      expect(second.links(0)).toEqual(first.links(0));
      for (const one of [first, second]) one.add(entry(3), Infinity);
      expect(second.compare(first.links(0))).toBe('same');
      expect([second.lacks(2, 0), second.lacks(3, 0)]).toEqual([second.links(0).first === 1, true]);
    }
    const forged = reading(1, ['a', 'x'], true);
    forged.links(0);
    expect(forged.compare(reading(2, ['b'], true).links(0))).toBe('differs');
  });

  it('adds an entry only if its number follows the number of the last entry', () => {
    const [poller, reader] = [reading(1, ['a', 'b'], true), reading(1, ['a', 'b'])];
    reader.add(entry(2, 'again'), Infinity);
    reader.add(entry(4), Infinity);
    expect(reader.position).toBe(2);
    expect(reader.compare(poller.links(0))).toBe('same');
  });

  it('reports that the server removed an entry before the entry expired (RS-30)', () => {
    const poller = new EntryChain('issuer', 'epoch', 1, true);
    poller.add(entry(1), 100);
    poller.add(entry(2), 500);
    expect(poller.lacks(2, 50)).toBe(false);
    poller.links(0);
    expect([poller.lacks(1, 50), poller.lacks(2, 50), poller.lacks(2, 100), poller.lacks(3, 100)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
    const reader = reading(1, ['a', 'b']);
    expect(reader.lacks(3, 0)).toBe(false);
  });
});
