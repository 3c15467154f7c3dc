import { describe, expect, it } from '@jest/globals';
import { testAccessToken } from 'nestjs-keycloak-s2s/testing';
import { RepeatedRefusals } from './repeated-refusals.js';

const issuedAt = (iat: number, text: string) => testAccessToken({ text, claims: { iat } });

describe('RepeatedRefusals', () => {
  const first = issuedAt(100, 'a.b.c');

  it('knows a newer token after the refusal of an older token', () => {
    const refusals = new RepeatedRefusals();
    expect(refusals.isRepeated('approve', first)).toBe(false);
    expect(refusals.isRepeated('approve', issuedAt(101, 'd.e.f'))).toBe(true);
    expect(refusals.isRepeated('approve', issuedAt(102, 'g.h.i'))).toBe(true);
  });

  it('takes another token of the same second for newer', () => {
    const refusals = new RepeatedRefusals();
    refusals.isRepeated('approve', first);
    expect(refusals.isRepeated('approve', issuedAt(100, 'd.e.f'))).toBe(true);
  });

  it.each([
    ['the same token', 'approve', first],
    ['an older token', 'approve', issuedAt(99, 'd.e.f')],
    ['another key', 'cancel', issuedAt(101, 'd.e.f')],
  ])('does not know %s', (_, key, token) => {
    const refusals = new RepeatedRefusals();
    refusals.isRepeated('approve', first);
    expect(refusals.isRepeated(key, token)).toBe(false);
  });

  it('challenges again after ten minutes, and after a call that was not refused', () => {
    let now = 0;
    const refusals = new RepeatedRefusals(() => now);
    refusals.isRepeated('approve', first);
    now = 600_000;
    expect(refusals.isRepeated('approve', issuedAt(700, 'd.e.f'))).toBe(false);
    expect(refusals.isRepeated('approve', issuedAt(701, 'g.h.i'))).toBe(true);
    refusals.forget('approve');
    expect(refusals.isRepeated('approve', issuedAt(702, 'j.k.l'))).toBe(false);
  });

  it('remembers the last thousand refusals', () => {
    const refusals = new RepeatedRefusals();
    refusals.isRepeated('oldest', first);
    for (let other = 0; other < 999; other += 1) refusals.isRepeated(String(other), first);
    const newer = issuedAt(101, 'd.e.f');
    expect(refusals.isRepeated('oldest', newer)).toBe(true);
    refusals.isRepeated('one more', first);
    expect(refusals.isRepeated('oldest', newer)).toBe(false);
    expect(refusals.isRepeated('998', newer)).toBe(true);
  });
});
