import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { packagesOf } from '../../scripts/checks/installed-packages.mjs';
import { faultsOfBudget, figuresOf, readBudgets } from '../../scripts/checks/package-budgets.mjs';
import { packBuilt } from '../../scripts/release/packed-library.mjs';
import { published } from '../../scripts/release/release-faults.mjs';

const MEGABYTE = 1_000_000;
const folder = mkdtempSync(join(tmpdir(), 'package-budgets-'));

function write(path: string, manifest: object, bytes: number) {
  const target = join(folder, path);
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'package.json'), JSON.stringify({ version: '1.0.0', ...manifest }));
  writeFileSync(join(target, 'index.js'), 'x'.repeat(bytes));
}

beforeAll(() => {
  write(
    '.',
    {
      name: 'measured',
      files: ['index.js'],
      dependencies: { direct: '1' },
      optionalDependencies: { 'of-another-system': '1' },
      peerDependencies: { required: '1', optional: '1' },
      peerDependenciesMeta: { optional: { optional: true } },
    },
    20_000,
  );
  write('node_modules/direct', { name: 'direct', dependencies: { shared: '1', nested: '2' } }, MEGABYTE);
  write('node_modules/direct/node_modules/nested', { name: 'nested', version: '2.0.0' }, MEGABYTE);
  write('node_modules/nested', { name: 'nested' }, 9 * MEGABYTE);
  write('node_modules/shared', { name: 'shared', dependencies: { direct: '1' } }, MEGABYTE);
  write('node_modules/required', { name: 'required', dependencies: { shared: '1' } }, MEGABYTE);
  write('node_modules/optional', { name: 'optional' }, 9 * MEGABYTE);
  write('node_modules/development', { name: 'development' }, 9 * MEGABYTE);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the figures of a package', () => {
  it('count the packed files, and what npm installs with the package and its required peers', () => {
    const { installedMegabytes, packedKilobytes, unpackedKilobytes, ...counts } = figuresOf(packBuilt(folder));
    expect(counts).toEqual({ files: 2, installedPackages: 5 });
    expect(installedMegabytes).toBeCloseTo(4.02, 2);
    expect(unpackedKilobytes).toBeGreaterThan(20);
    expect(unpackedKilobytes).toBeLessThan(21);
    expect(packedKilobytes).toBeLessThan(1);
  });

  it('name each package once, with the version that the package resolves', () => {
    expect([...packagesOf(folder, { peers: true }).keys()]).toEqual([
      'direct@1.0.0',
      'shared@1.0.0',
      'nested@2.0.0',
      'required@1.0.0',
    ]);
    expect([...packagesOf(folder, { peers: false }).keys()]).not.toContain('required@1.0.0');
  });

  it('can not be counted if a dependency is not installed', () => {
    write('node_modules/broken', { name: 'broken', dependencies: { absent: '1' } }, 1);
    expect(() => packagesOf(join(folder, 'node_modules/broken'), { peers: false })).toThrow('absent is not installed');
  });
});

describe('a budget', () => {
  const figures = {
    packedKilobytes: 10.04,
    unpackedKilobytes: 50,
    files: 20,
    installedPackages: 4,
    installedMegabytes: 2.5,
  };

  it('permits figures up to its limits', () => {
    expect(faultsOfBudget(figures, figures)).toEqual([]);
  });

  it.each([
    ['packedKilobytes', 'packedKilobytes is 10.04, and the budget is 10: remove files'],
    ['unpackedKilobytes', 'unpackedKilobytes is 50, and the budget is 49: remove files'],
    ['files', 'files is 20, and the budget is 19: remove files'],
    ['installedPackages', 'installedPackages is 4, and the budget is 3: remove a dependency'],
    ['installedMegabytes', 'installedMegabytes is 2.50, and the budget is 2: remove a dependency'],
  ] as const)('that is exceeded names the figure and the cure: %s', (name, expected) => {
    const limit = Math.ceil(figures[name]) - 1;
    const faults = faultsOfBudget(figures, { ...figures, [name]: limit });
    expect(faults).toEqual([expect.stringContaining(expected)]);
    expect(faults[0]).toContain('raise the budget in scripts/checks/package-budgets.json');
  });

  it('is required for each figure', () => {
    expect(faultsOfBudget(figures, { ...figures, files: 0 })).toEqual([
      'files has no budget: add it to scripts/checks/package-budgets.json',
    ]);
    expect(faultsOfBudget(figures)).toHaveLength(5);
  });
});

it('package-budgets.json has a budget for each published package, and no other', () => {
  const names = published(process.cwd()).map(({ manifest }) => manifest.name);
  expect(Object.keys(readBudgets()).toSorted()).toEqual(names.toSorted());
});
