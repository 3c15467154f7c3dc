import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const read = (file: string): string => readFileSync(file, 'utf8');
const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found = '']) => found);

const page = read('AGENTS.md');

describe('AGENTS.md', () => {
  it('has at most 120 lines', () => {
    expect(page.trimEnd().split('\n').length).toBeLessThanOrEqual(120);
  });

  it('names only commands of package.json', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = matches(page, /npm run ([\w:]+)/g);
    expect(named).toContain('lint');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names only decorators that the main entry point or Nest exports', () => {
    const api = read('libs/keycloak/api/index.txt');
    const nest = ['Controller', 'Get', 'Injectable', 'Param'];
    const named = matches(page, /@([A-Z]\w+)/g);
    expect(named).toContain('RequirePermission');
    expect(named.filter((name) => !nest.includes(name) && !new RegExp(`\\b${name}\\b`).test(api))).toEqual([]);
  });
});

describe.each(['AGENTS.md', 'docs/README.md', 'docs/comparison.md'])('the links of %s', (file) => {
  const links = matches(read(file), /\]\((?!https?:)([^)\s]+)\)/g);

  it('lead to existing files and headings', () => {
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((link) => !exists(posix.dirname(file), file, link))).toEqual([]);
  });
});

function exists(folder: string, from: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? from : posix.join(folder, path);
  if (!existsSync(target)) return false;
  return anchor === undefined || matches(read(target), /^#+ (.*)$/gm).some((heading) => slugOf(heading) === anchor);
}

const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
