import { existsSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { markdownAt, NOT_PAGES, pageOf, read, ROOT, titleOf } from './addresses.mjs';

/** @typedef {{ text: string, link?: string, items?: Item[], collapsed?: boolean }} Item of VitePress */

const API = 'docs/api';

/**
 * Returns a group for each heading of level 2, and an item for each page in list items that begin with a link. Only this
 * first link has a text that can stand alone, so the other items have the title of their page.
 *
 * @param {string} index the text of docs/README.md
 * @returns {(Item & { items: Item[] })[]}
 */
export function groupsOf(index) {
  /** @type {Set<string>} */
  const seen = new Set();
  const [, ...sections] = index.split(/^## /m);
  const groups = sections.map((section) => {
    const links = (section.match(/^- \[(?:.+\n?(?!- ))+/gm) ?? []).flatMap(linksOf);
    const items = links.flatMap(([text, href]) => {
      const file = markdownAt(posix.join('docs', href));
      if (file === undefined || seen.has(file)) return [];
      seen.add(file);
      return [{ text: text ?? titleOf(file), link: `/${pageOf(file)}` }];
    });
    return { text: section.split('\n', 1)[0] ?? '', items };
  });
  return groups.filter(({ items }) => items.length > 0);
}

/** @param {string} item of a list @returns {[string | undefined, string][]} texts and addresses */
const linksOf = (item) =>
  [...item.matchAll(/(^- )?\[([^\]]+)\]\(([^)#]+\.md)\)/g)].map(([, isFirst, text = '', href = '']) => [
    isFirst && text.split(/:|, and /, 1)[0],
    href,
  ]);

/** @param {string} folder @returns {string[]} */
const pagesIn = (folder) =>
  existsSync(join(ROOT, folder))
    ? readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .map((name) => posix.join(folder, name))
        .filter((file) => file.endsWith('.md') && !NOT_PAGES.includes(file))
        .toSorted()
    : [];

/**
 * Returns what an application imports, for the page of an entry point in the API reference.
 *
 * @param {string} file
 */
export function importOf(file) {
  const [, library, entryPoint = ''] = /^docs\/api\/([^/]+)\/(?:(.+)\/)?index\.md$/.exec(file) ?? [];
  return library && posix.join(library, entryPoint.replace(/^(?:entry-points\/|index$)/, ''));
}

/** @returns {Record<string, Item[]>} by folder of the site */
export function sidebars() {
  const pages = pagesIn(API);
  const entryPoints = pages.flatMap((file) => {
    const text = importOf(file);
    return text === undefined ? [] : [{ file, text, link: `/${pageOf(file)}` }];
  });
  const items = entryPoints.map(({ text, link }) => ({ text, link })).toSorted(byText);
  const decisions = pagesIn('docs/decisions').map((file) => ({ text: titleOf(file), link: `/${pageOf(file)}` }));
  const ofEntryPoints = entryPoints.map(({ file, text, link }) => {
    const members = membersOf(pages.filter((page) => page.startsWith(`${posix.dirname(file)}/`) && page !== file));
    return [
      `${posix.dirname(link)}/`,
      [
        { text, items: members },
        { text: 'Entry points', items },
      ],
    ];
  });
  return {
    '/': [
      ...groupsOf(read('docs/README.md')).map((group) => ({ ...group, collapsed: false })),
      { text: 'API', collapsed: true, items },
      { text: 'Decisions', collapsed: true, items: decisions },
    ],
    ...Object.fromEntries(ofEntryPoints),
  };
}

/** @param {{ text: string }} one @param {{ text: string }} other */
const byText = (one, other) => one.text.localeCompare(other.text);

/** @param {readonly string[]} files @returns {Item[]} a group for each kind, such as classes */
function membersOf(files) {
  const kinds = [...new Set(files.map((file) => posix.basename(posix.dirname(file))))];
  return kinds.map((kind) => ({
    text: kind.replace(/^./, (first) => first.toUpperCase()).replace('-', ' '),
    collapsed: false,
    items: files
      .filter((file) => posix.dirname(file).endsWith(`/${kind}`))
      .map((file) => ({ text: titleOf(file).replace(/^[\w ]+: /, ''), link: `/${pageOf(file)}` })),
  }));
}
