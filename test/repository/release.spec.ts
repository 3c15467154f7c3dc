import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { publishedLibraries } from '../../scripts/release/packed-library.mjs';
import { absoluteLinks, linkedFiles } from '../../scripts/release/release-links.mjs';

const RELEASE = { repository: 'https://example.com/owner/name', tag: 'v1.2.3' };

describe('the changelog', () => {
  const headings = [...readFileSync('CHANGELOG.md', 'utf8').matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);

  it('begins with the unreleased changes, then lists versions with dates, the newest first', () => {
    expect(headings[0]).toBe('[Unreleased]');
    const released = headings.slice(1);
    for (const heading of released) expect(heading).toMatch(/^\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}$/);
    const dates = released.map((heading) => heading?.slice(-10));
    expect(dates).toEqual(dates.toSorted().toReversed());
  });

  it('has changes only under the headings Added, Changed, Deprecated, Removed, Fixed and Security', () => {
    const kinds = [...readFileSync('CHANGELOG.md', 'utf8').matchAll(/^### (.*)$/gm)].map(([, kind]) => kind);
    for (const kind of kinds)
      expect(['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']).toContain(kind);
    expect(kinds.length).toBeGreaterThan(0);
  });
});

describe.each(publishedLibraries().map((library) => [relative(process.cwd(), library)]))(
  'the README of %s',
  (folder) => {
    const readme = readFileSync(`${folder}/README.md`, 'utf8');

    it('links only to existing files', () => {
      for (const file of linkedFiles(readme, folder)) expect([file, existsSync(file)]).toEqual([file, true]);
      expect(linkedFiles(readme, folder).length).toBeGreaterThan(0);
    });

    it('has only absolute links after the release scripts have prepared the README', () => {
      const prepared = absoluteLinks(readme, { ...RELEASE, folder });
      expect(linkedFiles(prepared, folder)).toEqual([]);
      expect(prepared).toContain('](https://example.com/owner/name/blob/v1.2.3/');
    });
  },
);

describe.each(publishedLibraries().map((library) => [relative(process.cwd(), library)]))(
  'the manifest of %s',
  (folder) => {
    it('has no command whose path begins with a dot, because npm would ignore the command', () => {
      const { bin = {} } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as {
        bin?: Record<string, string>;
      };
      for (const path of Object.values(bin)) expect(path).toMatch(/^\w/);
    });
  },
);

describe('absolute links', () => {
  it.each([
    ['[a](../../docs/a.md)', '[a](https://example.com/owner/name/blob/v1.2.3/docs/a.md)'],
    ['[a](../../docs/a.md#b)', '[a](https://example.com/owner/name/blob/v1.2.3/docs/a.md#b)'],
    ['![a](../../docs/a.png)', '![a](https://example.com/owner/name/raw/v1.2.3/docs/a.png)'],
    ['[a](#here)', '[a](#here)'],
    ['[a](https://example.org/a)', '[a](https://example.org/a)'],
  ])('replace only relative links: %s', (link, expected) => {
    expect(absoluteLinks(link, { ...RELEASE, folder: 'libs/keycloak' })).toBe(expected);
  });
});
