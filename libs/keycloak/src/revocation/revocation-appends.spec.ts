import { expect, it } from '@jest/globals';
import { RevocationAppends } from './revocation-appends.js';

it.each([
  [true, true, true],
  [true, undefined, true],
  [false, true, false],
  [true, false, false],
  [false, undefined, false],
])('RevocationAppends has read all if denials are (%j) and rechecks are (%j)', (denials, rechecks, areAllRead) => {
  const { signal } = new AbortController();
  const appends = new RevocationAppends(
    { areAllRead: denials } as never,
    rechecks === undefined ? undefined : ({ areAllRead: rechecks } as never),
    () => undefined,
    undefined as never,
    signal,
  );
  expect(appends.areAllRead).toBe(areAllRead);
});
