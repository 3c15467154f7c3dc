import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pageOf } from '../../docs/site/addresses.mjs';
import { linkFaults } from '../../docs/site/check-links.mjs';
import { siteLink, withSiteLinks } from '../../docs/site/links.mjs';
import { groupsOf, importOf, sidebars } from '../../docs/site/navigation.mjs';

const REPOSITORY = 'https://example.com/owner/name';

describe('a link of a page of docs/', () => {
  const link = (href: string, repository?: string) => siteLink(href, { from: 'docs/testing.md', repository });

  it.each([
    ['revocation.md', '/revocation.md'],
    ['revocation.md#how-soon', '/revocation.md#how-soon'],
    ['decisions/0001-introspection-on-every-request.md', '/decisions/0001-introspection-on-every-request.md'],
    ['../README.md#start', '/index.md#start'],
    ['README.md', '/documentation.md'],
    ['../SECURITY.md', '/security.md'],
    ['../libs/keycloak/README.md', '/libs/keycloak.md'],
    ['../examples', '/examples.md'],
    ['decisions/', '/decisions/0001-introspection-on-every-request.md'],
  ])('leads to the page of a Markdown file: %s', (href, address) => {
    expect(link(href)).toBe(address);
    expect(link(href, REPOSITORY)).toBe(address);
  });

  it.each([
    ['../services.json', `${REPOSITORY}/blob/HEAD/services.json`],
    ['../deploy/haproxy', `${REPOSITORY}/tree/HEAD/deploy/haproxy`],
    ['../.ci/run#L1', `${REPOSITORY}/blob/HEAD/.ci/run#L1`],
  ])('leads to the repository for another file, if its address is set: %s', (href, address) => {
    expect(link(href, REPOSITORY)).toBe(address);
    expect(link(href)).toBeUndefined();
  });

  it.each(['https://example.com/a.md', 'mailto:a@example.com', '#here'])('stays the same: %s', (href) => {
    expect(link(href)).toBe(href);
  });

  it.each(['no-such-page.md', '../services.jsn', '../../outside.md', '../../../../etc'])(
    'fails the build if the repository has no such file: %s',
    (href) => expect(() => link(href, REPOSITORY)).toThrow(`docs/testing.md: dead link ${href}`),
  );

  it('becomes plain text without an address, and keeps its text', () => {
    const opening = (href: string) => {
      const attributes = new Map([['href', href]]);
      return {
        type: 'link_open',
        attrGet: (name: string) => attributes.get(name) ?? null,
        attrSet: (name: string, value: string) => void attributes.set(name, value),
      };
    };
    const other = (type: string) => ({ type, attrGet: () => null, attrSet: () => undefined });
    const [page, file] = [opening('realm.md'), opening('../services.json')];
    const tokens = [page, other('text'), other('link_close'), file, other('code_inline'), other('link_close')];
    const seen = withSiteLinks(tokens, { from: 'docs/testing.md', repository: undefined });
    expect(seen.map(({ type }) => type)).toEqual(['link_open', 'text', 'link_close', 'code_inline']);
    expect(page.attrGet('href')).toBe('/realm.md');
  });
});

describe('the navigation', () => {
  it('has the groups and pages of an index, each page once', () => {
    const index = `# Index\n\nSee [this](openapi.md).\n\n## One\n\n- [The demo: log in](demo.md)\n- [Caches](caching.md), and
  [more](metrics.md)\n\n## None\n\n- **[Event feed](event-feed.md)**: text\n\n## Two\n\n- [Again](demo.md), [a part](valkey.md#rights), [the source](../services.json)
- [How to, and why](realm.md)\n`;
    expect(groupsOf(index)).toEqual([
      {
        text: 'One',
        items: [
          { text: 'The demo', link: '/demo.md' },
          { text: 'Caches', link: '/caching.md' },
          { text: 'Metrics, spans and attributes', link: '/metrics.md' },
        ],
      },
      { text: 'Two', items: [{ text: 'How to', link: '/realm.md' }] },
    ]);
  });

  it('leads to each page of docs/, with the decision records in a collapsed group', () => {
    const groups = sidebars()['/'] ?? [];
    const links = groups.flatMap(({ items = [] }) => items.map(({ link }) => link));
    const files = [...readdirSync('docs'), ...readdirSync('docs/decisions').map((name) => `decisions/${name}`)];
    const pages = files.filter((name) => name.endsWith('.md') && name !== 'README.md').map((name) => `/${name}`);
    expect(links).toEqual(expect.arrayContaining(pages));
    expect(groups.find(({ text }) => text === 'Decisions')).toMatchObject({ collapsed: true });
  });

  it.each([
    ['docs/api/nestjs-keycloak-s2s/index/index.md', 'nestjs-keycloak-s2s'],
    ['docs/api/nestjs-keycloak-s2s/testing/index.md', 'nestjs-keycloak-s2s/testing'],
    ['docs/api/nestjs-keycloak-s2s/entry-points/jwt/index.md', 'nestjs-keycloak-s2s/jwt'],
    ['docs/api/keycloak-test-servers/index.md', 'keycloak-test-servers'],
    ['docs/api/nestjs-keycloak-s2s-mcp/index.md', 'nestjs-keycloak-s2s-mcp'],
    ['docs/api/keycloak-test-servers/classes/Realm.md', undefined],
  ])('names an entry point as applications import it: %s', (file, name) => {
    expect(importOf(file)).toBe(name);
  });
});

it('each Markdown file of the repository has its own page', () => {
  const files = execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' }).trim().split('\n');
  expect(new Set(files.map(pageOf)).size).toBe(files.length);
});

it('the lock file names no registry', () => {
  expect(readFileSync('docs/site/package-lock.json', 'utf8')).not.toContain('"resolved"');
});

describe('the check of a built site', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'site-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function faultsOf(files: Readonly<Record<string, string>>): string[] {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return linkFaults(folder, '/name/');
  }
  const target = '<h1 id="one">One</h1><p id="two&amp;three"></p>';

  it('accepts links to pages, anchors, folders, files and other sites', () => {
    const links = ['a.html', './a.html#one', '/name/a.html#two&amp;three', '/name/', 'b/', '/name/c.css', '#here'];
    const html = [...links, 'https://example.com/x'].map((href) => `<a href="${href}" id="here">a</a>`).join('');
    expect(faultsOf({ 'index.html': html, 'a.html': target, 'b/index.html': '', 'c.css': 'a { color: red }' })).toEqual(
      [],
    );
  });

  it.each(['no.html', '/a.html', '/name/a.html#four', '#here', 'b/', '/name/no.css'])(
    'finds a dead link: %s',
    (href) => {
      expect(faultsOf({ 'index.html': `<a href="${href}">a</a>`, 'a.html': target })).toEqual([
        `index.html: dead link ${href}`,
      ]);
    },
  );

  it.each([
    ['<script type="module" src="https://example.com/a.js"></script>', 'index.html: loads https://example.com/a.js'],
    ['<link rel="stylesheet" href="//example.com/a.css">', 'index.html: loads //example.com/a.css'],
    ['<img alt="" src="https://example.com/a.png">', 'index.html: loads https://example.com/a.png'],
  ])('finds a file from elsewhere: %s', (html, fault) => {
    expect(faultsOf({ 'index.html': html })).toEqual([fault]);
  });

  it('finds a style that loads a font from elsewhere', () => {
    const css = '@font-face { src: url("https://example.com/a.woff2") }';
    expect(faultsOf({ 'index.html': '', 'a.css': css })).toEqual(['a.css: loads a file from elsewhere']);
  });

  it('fails for a folder without pages', () => {
    expect(() => faultsOf({ 'a.css': '' })).toThrow('has no page');
  });
});
