import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { isFolder, markdownAt, pageOf, ROOT } from './addresses.mjs';

/** @typedef {{ type: string, info: string, content: string, children: Token[] | null, attrGet: (name: string) => string | null, attrSet: (name: string, value: string) => void }} Token of markdown-it */

const ELSEWHERE = /^(?:[a-z][a-z+.-]*:|#|\/\/)/i;

/**
 * Returns the address of a page or, for another file of the repository, its address there (undefined while unset).
 * Throws `Error` if the linked file does not exist.
 *
 * @param {string} href
 * @param {{ from: string, repository: string | undefined }} page `from` is the Markdown file
 */
export function siteLink(href, { from, repository }) {
  if (ELSEWHERE.test(href)) return href;
  const [path = '', anchor] = href.split('#');
  const target = posix.join(posix.dirname(from), decodeURI(path)).replace(/\/$/, '');
  const hash = anchor === undefined ? '' : `#${anchor}`;
  const markdown = markdownAt(target);
  if (markdown !== undefined) return `/${pageOf(markdown)}${hash}`;
  if (target.startsWith('..') || !existsSync(join(ROOT, target))) throw new Error(`${from}: dead link ${href}`);
  return repository && `${repository}/${isFolder(target) ? 'tree' : 'blob'}/HEAD/${target}${hash}`;
}

/**
 * Makes links without an address plain text.
 *
 * @template {Pick<Token, 'type' | 'attrGet' | 'attrSet'>} Link
 * @param {Link[]} tokens
 * @param {Parameters<typeof siteLink>[1]} page
 */
export function withSiteLinks(tokens, page) {
  let isPlain = false;
  return tokens.filter((token) => {
    if (token.type === 'link_close') return !isPlain;
    if (token.type !== 'link_open') return true;
    const address = siteLink(String(token.attrGet('href')), page);
    isPlain = address === undefined;
    if (address !== undefined) token.attrSet('href', address);
    return !isPlain;
  });
}
