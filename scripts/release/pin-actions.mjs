// npm run actions:pin replaces the tags of actions in .github/ by commits, and compares each pinned commit with its tag.
// The command reads the tags from GitHub, or from the repositories below --from=<address>. With paths, the command
// changes only these files. If a tag is unknown or was moved, the command changes no file.
import '../common/help.mjs';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argumentsOf } from '../common/own-options.mjs';
import { messageOf, paint } from '../common/processes.mjs';
import { pinned, tagsAt } from './action-pins.mjs';

const FOLDERS = ['.github/workflows', '.github/actions'];

const { values, positionals } = argumentsOf({
  options: { from: { type: 'string', default: 'https://github.com' } },
  allowPositionals: true,
});
try {
  main(positionals.length > 0 ? positionals : workflows());
} catch (error) {
  console.error(paint(31, `No file was changed: ${messageOf(error)}`));
  process.exitCode = 1;
}

/** @param {string[]} files */
function main(files) {
  /** @type {Map<string, import('./action-pins.mjs').Tags>} */
  const known = new Map();
  const tagsOf = (/** @type {string} */ repository) => {
    const tags = known.get(repository) ?? tagsAt(`${values.from}/${repository}`);
    known.set(repository, tags);
    return tags;
  };
  const results = files.map((file) => {
    const before = readFileSync(file, 'utf8');
    return { file, before, ...pinned(before, tagsOf) };
  });
  const faults = results.flatMap(({ file, faults: found }) => found.map((fault) => `${file}: ${fault}`));
  if (faults.length > 0) throw new Error(faults.join('\n'));
  const changed = results.filter(({ before, text }) => text !== before);
  for (const { file, text } of changed) writeFileSync(file, text);
  for (const { file } of changed) console.log(`${file}: pinned`);
  console.log(`Each action of ${files.length} files is pinned to the commit of its tag`);
}

function workflows() {
  process.chdir(resolve(import.meta.dirname, '../..'));
  return FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ).filter((file) => file.endsWith('.yml'));
}
