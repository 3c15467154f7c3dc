import { expect, it } from '@jest/globals';
import { RevocationAppends } from './revocation-appends.js';

it.each([
  [true, true, true],
  [true, undefined, true],
  [false, true, false],
  [true, false, false],
  [false, undefined, false],
])(
  'RevocationAppends.areAllRead is true only if all denials (%j) and all rechecks (%j) were read back',
  (denials, rechecks, areAllRead) => {
    const { signal } = new AbortController();
    const appends = new RevocationAppends(
      { areAllRead: denials } as never,
      rechecks === undefined ? undefined : ({ areAllRead: rechecks } as never),
      () => undefined,
      undefined as never,
      signal,
    );
    expect(appends.areAllRead).toBe(areAllRead);
  },
);
