// Makes the links to repository files in a README absolute, for readers who do not have the repository.
import { statSync } from 'node:fs';
import { join, posix } from 'node:path';

const CODE = /^(?<fence> *(?:```+|~~~+))[^]*?\n\k<fence>|`+[^`\n]+`+/;
const LINK = /(?<before>(?:!?\[[^\][]*)?\]\(\s*<?|^ {0,3}\[[^\]]+\]:\s+<?|\b(?:href|src|srcset)=["'])/;
const ADDRESS = /(?![a-z][a-z\d+.-]*:|\/\/|#)(?<address>[^)\s<>"']+)/;
const RELATIVE = new RegExp(`${CODE.source}|${LINK.source}${ADDRESS.source}`, 'gim');

/**
 * @param {string} markdown
 * @param {{ root?: string, folder: string, repository: string, tag: string }} release `folder` contains the page
 */
export function absoluteLinks(markdown, { root = '.', folder, repository, tag }) {
  return markdown.replaceAll(RELATIVE, (...match) => {
    const { before, address } = match.at(-1);
    if (address === undefined) return match[0];
    const [, path = '', rest = ''] = /^([^?#]*)(.*)$/.exec(address) ?? [];
    const file = inRepository(folder, path);
    return `${before}${repository}/${kindOf(join(root, file), before)}/${tag}/${file}${rest}`;
  });
}

/** @param {string} markdown @param {string} folder @returns {string[]} */
export function linkedFiles(markdown, folder) {
  return [...markdown.matchAll(RELATIVE)].flatMap(({ groups: { address } = {} }) =>
    address === undefined ? [] : [inRepository(folder, address.replace(/[?#].*/, ''))],
  );
}

/** @param {string} folder @param {string} path */
const inRepository = (folder, path) => (path.startsWith('/') ? path.slice(1) : posix.join(folder, path));

/** @param {string} file @param {string} before */
function kindOf(file, before) {
  if (/^(?:!|src)/i.test(before)) return 'raw';
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() ? 'tree' : 'blob';
}
