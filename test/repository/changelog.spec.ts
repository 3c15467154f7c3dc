import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { publicNames } from '../../scripts/checks/public-names.mjs';
import { FIRST_NAMES, namesIn, unnamedChanges } from '../../scripts/checks/unnamed-changes.mjs';

const REPORT = `export declare function open(name: string): void;

export interface DoorOptions {
    readonly width?: number;
}

export type DoorErrorCode = 'door_closed' | 'door_locked';
`;
const USAGE = 'const USAGE = `Usage: nestjs-keycloak-s2s doctor [flags]\n\n  --json  prints JSON\n`;\n';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'changelog-'));
  write('libs/door/package.json', '{ "name": "door" }');
  write('libs/door/api/index.txt', REPORT);
  write('libs/keycloak/src/cli/cli.ts', USAGE);
  write('docs/metrics.md', 'The metric `keycloak_s2s.refusals` counts refusals.\n');
  write(FIRST_NAMES, JSON.stringify({ commit: 'first', names: publicNames(folder) }));
  changelog();
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}
const changelog = (unreleased = '', released = ''): void =>
  write('CHANGELOG.md', `# Changelog\n\n## [Unreleased]\n\n${unreleased}\n${released}`);
const report = (from: string, to: string): void => write('libs/door/api/index.txt', REPORT.replace(from, to));
const unnamed = (root = folder): string[] => unnamedChanges(root).unnamed.map(({ what, key }) => `${what} ${key}`);
const git = (root: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: 'pipe',
  });
const commit = (): void => {
  git(folder, 'add', '.');
  git(folder, 'commit', '--quiet', '--message', 'change');
};

describe('a changelog before the first release', () => {
  it('needs no name if nothing changed', () => {
    expect(unnamedChanges(folder)).toEqual({ base: 'first', note: undefined, changed: 0, unnamed: [] });
  });

  it.each([
    ['open(name: string)', 'open(name: URL)', ['changed door: open'], 'open'],
    ['export type', 'export type Door = 1;\n\nexport type', ['added door: Door'], 'Door'],
    [/export declare.*\n\n/.exec(REPORT)?.[0] ?? '', '', ['removed door: open'], 'open'],
    [
      'width?: number',
      'widthMm?: number',
      ['changed door: DoorOptions', 'removed option of DoorOptions: width', 'added option of DoorOptions: widthMm'],
      'DoorOptions` `width` `widthMm',
    ],
    [
      "'door_locked'",
      "'door_stuck'",
      [
        'changed door: DoorErrorCode',
        'removed value of DoorErrorCode: door_locked',
        'added value of DoorErrorCode: door_stuck',
      ],
      'DoorErrorCode.door_locked` `door_stuck',
    ],
  ])('must name the changes: %s is %j now', (from, to, changes, names) => {
    report(from, to);
    expect(unnamed()).toEqual(changes);
    changelog(`- It has changed: \`${names}\`.`);
    expect(unnamed()).toEqual([]);
  });

  it('must name new metrics, commands and flags', () => {
    write('docs/metrics.md', '`keycloak_s2s.refusals`, `keycloak_s2s.calls.running`');
    write('libs/keycloak/src/cli/realm.ts', USAGE.replace('doctor', 'realm'));
    write('libs/keycloak/src/cli/cli.ts', USAGE.replace('prints', 'prints --json\n  --admin  reads'));
    expect(unnamed()).toEqual([
      'added command: realm',
      'added flag of doctor: --admin',
      'added metric or attribute: keycloak_s2s.calls.running',
    ]);
    changelog('`npx nestjs-keycloak-s2s realm`, `doctor --admin`, `keycloak_s2s.calls.running`');
    expect(unnamed()).toEqual([]);
  });

  it('does not have to name the members of a new interface', () => {
    report('export type', 'export interface LockOptions {\n    readonly key: string;\n}\n\nexport type');
    expect(unnamed()).toEqual(['added door: LockOptions']);
  });

  it('fails for a report whose declaration has no name', () => {
    report('export type DoorErrorCode', 'export * from "./other"');
    expect(() => unnamedChanges(folder)).toThrow('has a declaration without a name');
  });
});

describe('a changelog after a release', () => {
  const RELEASED = '\n## [0.2.0] - 2027-01-31\n\n- `open`\n';

  beforeEach(() => {
    git(folder, 'init', '--quiet');
    changelog('', RELEASED);
    commit();
    git(folder, 'tag', 'v0.2.0');
    report('open(name: string)', 'open(name: URL)');
  });

  it('must name the changes above the section of the release, whose tag has the old names', () => {
    expect(unnamedChanges(folder)).toMatchObject({ base: 'v0.2.0', note: undefined, changed: 1 });
    expect(unnamed()).toEqual(['changed door: open']);
    changelog('- `open` takes a `URL`.', RELEASED);
    expect(unnamed()).toEqual([]);
  });

  it('counts the section of a release whose tag is not set yet', () => {
    changelog('', `\n## [0.3.0] - 2027-02-28\n\n- \`open\`\n${RELEASED}`);
    expect(unnamedChanges(folder)).toMatchObject({ base: 'v0.2.0', unnamed: [] });
  });

  it('is compared with the first names in a shallow clone, until the tag is fetched', () => {
    report('export type', 'export type Door = 1;\n\nexport type');
    commit();
    const shallow = join(folder, 'shallow');
    git(folder, 'clone', '--quiet', '--depth=1', '--no-tags', `file://${folder}`, shallow);
    const { base, note } = unnamedChanges(shallow);
    expect({ base, note }).toEqual({ base: 'first', note: expect.stringContaining('no tag v0.2.0') as unknown });
    expect(unnamed(shallow)).toEqual(['added door: Door']);

    const [command = ''] = /git (fetch .*)/.exec(note ?? '') ?? [];
    git(shallow, ...command.split(' ').slice(1));
    expect(unnamedChanges(shallow)).toMatchObject({ base: 'v0.2.0', note: undefined });
    expect(unnamed(shallow)).toEqual(['added door: Door']);
  });
});

it('a name counts only between backquotes, and not in a block of code', () => {
  const names = namesIn('open `@Caller()` `Signals.isHealthy`\n```ts\nclose();\n```\n`--json`');
  expect([...names].filter((name) => name !== '').toSorted()).toEqual([
    '--json',
    'Caller',
    'Signals',
    'Signals.isHealthy',
    'isHealthy',
  ]);
});
