import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { published, versionsOf } from './release-faults.mjs';
import { absoluteLinks, linkedFiles } from './release-links.mjs';

const OF_THE_REPOSITORY = 'AGENTS.md';
/** How to install the package before its release. The first line has the command that replaces this part. */
const UNRELEASED = /^<!-- unreleased: (?<command>.+) -->\n[^]*?^<!-- \/unreleased -->$/gm;

/** @param {string} root @param {string} repository its address */
export function preparePages(root, repository) {
  const [version] = versionsOf(root);
  const tag = version === undefined ? 'HEAD' : `v${version}`;
  for (const { folder } of published(root)) {
    prepare(join(root, folder, 'README.md'), { root, repository, tag, folder });
  }
  prepare(join(root, OF_THE_REPOSITORY), { root, repository, tag, folder: '.' });
}

/** @param {string} page @param {Parameters<typeof absoluteLinks>[1]} release */
function prepare(page, release) {
  if (!existsSync(page)) return;
  const markdown = readFileSync(page, 'utf8').replaceAll(UNRELEASED, '```sh\n$<command>\n```');
  writeFileSync(page, absoluteLinks(markdown, release));
}

/** @param {Pick<import('./packed-library.mjs').Contents, 'files' | 'read'>} contents @returns {string[]} */
export const faultsOfPages = ({ files, read }) =>
  files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => [
      ...linkedFiles(read(file), '').map((link) => `${file}: the relative link to ${link} is dead on a registry page`),
      ...(read(file).match(UNRELEASED) ?? []).map(() => `${file} says that the package is not released`),
    ]);
