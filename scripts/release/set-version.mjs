// npm run release:version -- <version> sets the version of both packages in each file that has it. The npm tag becomes
// `next` for a prerelease or a version below 1.0. With --changelog, the version also becomes a heading of CHANGELOG.md.
import '../common/help.mjs';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { argumentsOf } from '../common/own-options.mjs';
import { withChangelogHeading, withVersion } from './version-edits.mjs';

const { values: flags, positionals } = argumentsOf({
  allowPositionals: true,
  options: { changelog: { type: 'boolean' } },
});
const [version = ''] = positionals;
if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
  console.error('Give the version: npm run release:version -- 0.3.0');
  process.exit(1);
}
process.chdir(resolve(import.meta.dirname, '../..'));

const listed = execFileSync('git', ['ls-files', '*package.json', '*package-lock.json', '*.md', '*/version.ts'], {
  encoding: 'utf8',
});
for (const file of listed.trim().split('\n')) edit(file, (text) => withVersion(file, text, version));
if (flags.changelog) edit('CHANGELOG.md', (text) => withChangelogHeading(text, version, new Date()));

/** @param {string} file @param {(text: string) => string} change */
function edit(file, change) {
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  if (after === before) return;
  writeFileSync(file, after);
  console.log(file);
}
