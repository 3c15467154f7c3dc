// Makes the repository links of a README absolute, for readers who only have the package.
import { posix } from 'node:path';

/** No scheme, and not only an anchor. */
const RELATIVE = /(!?\[[^\]]*\]\()(?!https?:|mailto:|#)([^)\s]+)(\))/g;

/**
 * `folder` is the document's folder in the repository, `repository` a URL, `tag` the release tag.
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

/** @param {string} markdown @param {string} folder @returns {string[]} */
export function linkedFiles(markdown, folder) {
  return [...markdown.matchAll(RELATIVE)].map(([, , address = '']) => posix.join(folder, address.split('#')[0] ?? ''));
}
