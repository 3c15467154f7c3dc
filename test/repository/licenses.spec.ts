import { describe, expect, it } from '@jest/globals';
import { dependenciesOf, isAllowed, licensesOf, peersOf } from '../../scripts/checks/production-licenses.mjs';

const LOCK = {
  'libs/one': {
    dependencies: { direct: '1', other: '1' },
    peerDependencies: { framework: '1', broker: '1', absent: '1' },
    peerDependenciesMeta: { broker: { optional: true }, absent: { optional: true } },
  },
  'libs/other': { dependencies: { deep: '2' } },
  'libs/one/node_modules/deep': { license: 'MIT' },
  'libs/other/node_modules/deep': { license: 'ISC' },
  'node_modules/deep': { license: 'Apache-2.0' },
  'node_modules/direct': {
    license: 'MIT',
    dependencies: { deep: '1' },
    optionalDependencies: { fast: '1', unavailable: '1' },
    peerDependencies: { adapter: '1', broker: '1' },
    peerDependenciesMeta: { broker: { optional: true } },
  },
  'node_modules/adapter': { license: 'BSD-3-Clause' },
  'node_modules/fast': { license: '0BSD' },
  'node_modules/framework': { license: 'MIT', dependencies: { deep: '1' } },
  'node_modules/broker': {},
  'node_modules/other': { resolved: 'libs/other', link: true },
  'node_modules/left-over': { license: 'GPL-3.0-only' },
};

const named = (folders: readonly string[]): string[] =>
  licensesOf(LOCK, folders).map(({ name, license }) => `${name}: ${license}`);

describe('the dependencies in package-lock.json', () => {
  it('are the packages that an installation brings, each as Node finds it', () => {
    expect(named(dependenciesOf(LOCK, 'libs/one'))).toEqual([
      'adapter: BSD-3-Clause',
      'deep: Apache-2.0',
      'deep: ISC',
      'direct: MIT',
      'fast: 0BSD',
    ]);
  });

  it('do not include peers of the workspace, which are listed separately', () => {
    expect(named(peersOf(LOCK, 'libs/one'))).toEqual(['broker: undefined', 'framework: MIT']);
  });

  it('fail the check if one is missing', () => {
    const lock = { ...LOCK, 'libs/other': { dependencies: { missing: '1' } } };
    expect(() => dependenciesOf(lock, 'libs/one')).toThrow('package-lock.json lacks missing, which libs/other needs');
  });
});

describe('a license', () => {
  it.each([
    ['MIT', true],
    ['Apache-2.0 AND MIT', true],
    ['(MIT OR GPL-3.0-only)', true],
    ['GPL-3.0-only', false],
    ['(MIT AND GPL-3.0-only)', false],
    ['((MIT AND GPL-3.0-only) OR GPL-2.0-only)', false],
    ['SEE LICENSE IN LICENSE.txt', false],
    ['', false],
    [undefined, false],
  ])('is allowed by the whole of its expression: %s is %s', (expression, expected) => {
    expect(isAllowed(expression)).toBe(expected);
  });
});
