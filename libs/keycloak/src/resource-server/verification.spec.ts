import { describe, expect, it } from '@jest/globals';
import { ANY_ANSWER, demandedStaleness, NO_ANSWER_NEEDED, type VerificationMethod } from './verification.js';

describe('demandedStaleness', () => {
  it.each<[number | undefined, VerificationMethod | undefined, VerificationMethod, number]>([
    [undefined, undefined, 'introspection', ANY_ANSWER],
    [undefined, undefined, 'jwt', NO_ANSWER_NEEDED],
    [undefined, 'jwt', 'introspection', NO_ANSWER_NEEDED],
    [undefined, 'introspection', 'jwt', ANY_ANSWER],
    [0, undefined, 'jwt', 0],
    [5, 'jwt', 'jwt', 5],
    [Infinity, 'jwt', 'jwt', 1e9],
  ])(
    'combines maxStalenessSeconds %s, verification %s and the module default %s to %s',
    (maxStalenessSeconds, verification, byDefault, is) => {
      expect(demandedStaleness({ maxStalenessSeconds, verification }, byDefault)).toBe(is);
    },
  );

  it('returns a smaller maximum age for a stricter requirement', () => {
    expect([0, 300, ANY_ANSWER, NO_ANSWER_NEEDED].toSorted((a, b) => a - b)).toEqual([
      0,
      300,
      ANY_ANSWER,
      NO_ANSWER_NEEDED,
    ]);
  });
});
