// Release links: what a README says of other files of the repository, for readers who have the package alone.
import { posix } from 'node:path';

/** A link or an image whose address is relative: no scheme, no anchor of the page itself. */
const RELATIVE = /(!?\[[^\]]*\]\()(?!https?:|mailto:|#)([^)\s]+)(\))/g;

/**
 * The document with absolute links: `folder` is where it is in the repository, `repository` its address, `tag` the tag of the release.
 *
 * @param {string} markdown @param {{ folder: string, repository: string, tag: string }} release
 */
export function absoluteLinks(markdown, { folder, repository, tag }) {
  return markdown.replaceAll(RELATIVE, (_, before, address, after) => {
    const [path = '', anchor] = address.split('#');
    const file = posix.join(folder, path);
    const kind = before.startsWith('!') ? 'raw' : 'blob';
    return `${before}${repository}/${kind}/${tag}/${file}${anchor === undefined ? '' : `#${anchor}`}${after}`;
  });
}

/** The files that its relative links lead to. @param {string} markdown @param {string} folder @returns {string[]} */
export function linkedFiles(markdown, folder) {
  return [...markdown.matchAll(RELATIVE)].map(([, , address = '']) => posix.join(folder, address.split('#')[0] ?? ''));
}
