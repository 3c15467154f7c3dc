import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const APART = /^(node_modules|dist)\/|^package(-lock)?[.]json$/;

interface Manifest {
  readonly name: string;
  readonly scripts: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}

const read = (example: string, file: string): string => readFileSync(join(EXAMPLES, example, file), 'utf8');
const examples = readdirSync(EXAMPLES, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [{ name: entry.name, manifest: JSON.parse(read(entry.name, 'package.json')) as Manifest }] : [],
);
const filesOf = (example: string): string[] =>
  readdirSync(join(EXAMPLES, example), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(EXAMPLES, example).length + 1))
    .filter((file) => !APART.test(file));

describe('the examples', () => {
  it('consist of the folders contexts, mcp, migrated, quick-start and testing', () => {
    expect(examples.map(({ name }) => name).toSorted()).toEqual([
      'contexts',
      'mcp',
      'migrated',
      'quick-start',
      'testing',
    ]);
  });

  it('include contexts, and docs/contexts.md contains the boot report of contexts', () => {
    expect(readFileSync('docs/contexts.md', 'utf8')).toContain(
      readFileSync('examples/contexts/boot-report.txt', 'utf8'),
    );
  });

  it.each(examples)('include $name, which depends only on released versions, and has tests', ({ manifest }) => {
    for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      expect(`${name} ${range}`).toMatch(/ [~^]\d+[.]\d+[.]\d+$/);
    }
    expect(manifest.scripts).toMatchObject({ test: expect.any(String), build: 'tsc' });
  });

  it('have identical files at equal paths in quick-start and in testing', () => {
    const [quickStart, testing] = ['quick-start', 'testing'].map((name) => new Set(filesOf(name)));
    const shared = [...quickStart!].filter((file) => testing!.has(file));
    expect(shared).toContain('realm.json');
    for (const file of shared) expect([file, read('testing', file)]).toEqual([file, read('quick-start', file)]);
  });
});
