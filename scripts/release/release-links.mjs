// Makes the links to repository files in a README absolute, for readers who do not have the repository.
import { posix } from 'node:path';

const RELATIVE = /(!?\[[^\]]*\]\()(?!https?:|mailto:|#)([^)\s]+)(\))/g;

/** @param {string} markdown @param {{ folder: string, repository: string, tag: string }} release */
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
