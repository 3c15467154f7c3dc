import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { publishedLibraries } from '../../scripts/release/packed-library.mjs';
import { npmTag, VERSIONED_ALONE, withChangelogHeading, withVersion } from '../../scripts/release/version-edits.mjs';

const read = (path: string): string => readFileSync(path, 'utf8');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly publishConfig?: { readonly tag?: string };
}
const manifests = publishedLibraries()
  .map((library) => JSON.parse(read(`${library}/package.json`)) as Manifest)
  .filter(({ name }) => !VERSIONED_ALONE.includes(name));
const [{ version } = { version: '' }] = manifests;

describe('the version', () => {
  it('is the same in both packages, which have the npm tag of the version', () => {
    expect(manifests.map((manifest) => manifest.version)).toEqual([version, version]);
    expect(manifests.map(({ publishConfig }) => publishConfig?.tag)).toEqual([npmTag(version), npmTag(version)]);
  });

  const folders = ['apps', 'libs', 'examples'].flatMap((top) => readdirSync(top).map((name) => `${top}/${name}`));
  const pages = [
    ...readdirSync('docs').map((name) => `docs/${name}`),
    ...folders.map((folder) => `${folder}/README.md`),
  ];
  const files = [
    'libs/keycloak/src/protocol/version.ts',
    'package-lock.json',
    ...folders.map((folder) => `${folder}/package.json`),
    ...pages.filter((path) => path.endsWith('.md')),
  ].filter(existsSync);

  it.each(files)('is up to date in %s', (file) => {
    expect(withVersion(file, read(file), version)).toBe(read(file));
  });

  it('changes in manifests, ranges, the lock file, the source and the documents', () => {
    const changed = files.filter((file) => withVersion(file, read(file), '9.8.7-beta.1') !== read(file));
    expect(changed).toEqual(
      expect.arrayContaining([
        'libs/keycloak/src/protocol/version.ts',
        'package-lock.json',
        'apps/service-a/package.json',
        'libs/keycloak/package.json',
        'libs/keycloak-test-servers/package.json',
        'examples/quick-start/package.json',
        'docs/quick-start.md',
        'libs/keycloak/README.md',
      ]),
    );
    const lock = withVersion('package-lock.json', read('package-lock.json'), '9.8.7');
    expect(lock.match(/"\^?9\.8\.7"/g)).toHaveLength(9);
  });

  it.each([
    ['0.2.0', 'next'],
    ['1.0.0-rc.1', 'next'],
    ['1.0.0', undefined],
  ])('%s is published with the npm tag %s', (of, tag) => {
    expect(npmTag(of)).toBe(tag);
    const path = 'libs/keycloak/package.json';
    const manifest = JSON.parse(withVersion(path, read(path), of)) as Manifest;
    expect([manifest.version, manifest.publishConfig?.tag]).toEqual([of, tag]);
  });
});

describe('the heading of a release in the changelog', () => {
  const today = new Date('2027-01-31T12:00:00Z');

  it('has the version and the date, below an empty section for later changes', () => {
    const released = withChangelogHeading('# Changelog\n\n## [Unreleased]\n\n### Fixed\n', '0.2.0', today);
    expect(released).toBe('# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2027-01-31\n\n### Fixed\n');
    expect(() => withChangelogHeading(released, '0.2.0', today)).toThrow('has a section for 0.2.0 already');
  });
});
