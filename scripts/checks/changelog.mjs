// npm run changelog:check fails if CHANGELOG.md lacks a public name that was added, removed or changed since the last
// release: the newest version in CHANGELOG.md whose tag exists here. Public names are symbols, options, codes, reasons,
// metrics and commands. Without a tag, the names are compared with scripts/checks/first-names.json, which was made from
// commit 9ce7fc5f, because that commit has no reports in libs/*/api/.
import '../common/help.mjs';
import { resolve } from 'node:path';
import { argumentsOf } from '../common/own-options.mjs';
import { paint } from '../common/processes.mjs';
import { unnamedChanges } from './unnamed-changes.mjs';

argumentsOf({ options: {} });

const { base, note, changed, unnamed } = unnamedChanges(resolve(import.meta.dirname, '../..'));
if (note !== undefined) console.log(note);
for (const { key, what } of unnamed) console.error(`  ${what}: ${key}`);
if (unnamed.length > 0) {
  process.exitCode = 1;
  console.error(
    paint(31, `CHANGELOG.md does not name these ${unnamed.length} changes since ${base}. Name each in backquotes.`),
  );
} else console.log(`CHANGELOG.md names all ${changed} changes of the public names since ${base}`);
