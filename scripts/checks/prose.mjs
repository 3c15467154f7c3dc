// npm run prose counts hard sentences in Markdown, comments, test titles and messages. The command fails if a folder or
// a main page exceeds LIMITS. With `-- --list`, the command prints each found sentence with a suggestion. With paths,
// the command reads only these files and folders.
import '../common/help.mjs';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { argumentsOf } from '../common/own-options.mjs';
import { paint } from '../common/processes.mjs';
import { RULES } from './prose-rules.mjs';
import { sentencesOf } from './prose-sentences.mjs';

/** The maximum number of flagged sentences per 100 sentences. */
const LIMITS = { all: 5, folder: 7, page: 7 };
const MAIN_PAGES = ['README.md', 'ARCHITECTURE.md', 'SECURITY.md', 'libs/keycloak/README.md'];
/** Old entries of the changelog must not change. */
const EXCLUDED = /^CHANGELOG\.md$|\.d\.ts$/;
const MIN_SENTENCES = 20;

const { values: flags, positionals } = argumentsOf({
  options: { list: { type: 'boolean' } },
  allowPositionals: true,
});
process.chdir(resolve(import.meta.dirname, '../..'));

const files = execFileSync('git', ['ls-files', '-z', '--', ...positionals], { encoding: 'utf8' })
  .split('\0')
  .filter((path) => /\.(?:md|ts|mjs)$/.test(path) && !EXCLUDED.test(path));
const found = files.flatMap((path) =>
  sentencesOf(path, readFileSync(path, 'utf8')).map(({ line, text }) => {
    return { path, line, text, cures: RULES.filter(({ matches }) => matches(text)).map(({ cure }) => cure) };
  }),
);

if (flags.list) {
  for (const { path, line, text, cures } of found)
    if (cures.length > 0) console.log(`${path}:${line}  ${text}\n    ${cures.join(', ')}`);
}
for (const folder of new Set(files.filter((path) => path.includes('/')).map((path) => path.split('/')[0] ?? '')))
  compare(folder, LIMITS.folder, (path) => path.startsWith(`${folder}/`));
for (const page of MAIN_PAGES) compare(page, LIMITS.page, (path) => path === page);
compare('all', LIMITS.all, () => true);

/**
 * @param {string} name
 * @param {number} limit
 * @param {(path: string) => boolean} isIn
 */
function compare(name, limit, isIn) {
  const sentences = found.filter(({ path }) => isIn(path));
  const flagged = sentences.filter(({ cures }) => cures.length > 0);
  const rate = (100 * flagged.length) / Math.max(sentences.length, 1);
  const isTooHigh = sentences.length >= MIN_SENTENCES && rate > limit;
  if (isTooHigh) process.exitCode = 1;
  if (isTooHigh || name === 'all')
    console.log(
      `${name}: ${rate.toFixed(1)} of 100 sentences have to be read twice (at most ${limit}), of ${sentences.length}` +
        (isTooHigh ? paint(31, ' too many: npm run prose -- --list') : ''),
    );
}
