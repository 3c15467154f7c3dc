import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { filesInUse } from './package-dependencies.mjs';
import { runInside, TSC } from '../release/packed-library.mjs';

/** @typedef {import('../release/packed-library.mjs').Packed} Packed */
/** @typedef {import('../release/packed-library.mjs').Contents} Contents */

const ATTW = resolve(import.meta.dirname, '../../node_modules/@arethetypeswrong/cli/dist/index.js');
/** The newest types of Node.js; the repository compiles with the oldest types. */
const NEWEST_TYPES = resolve(import.meta.dirname, '../../node_modules/@newest');
const ALWAYS = ['README.md', 'LICENSE', 'package.json'];

/** @param {Packed} packed */
export async function faultsOfManifest({ folder, manifest }) {
  const { messages } = await publint({ pkgDir: folder, pack: false, strict: true });
  return messages.map((message) => `${message.type}: ${formatMessage(message, manifest, { color: false })}`);
}

/**
 * CommonJS must use `import()`, or `require` if Node.js can `require` an ES module.
 *
 * @param {Packed} packed @returns {Promise<string[]>}
 */
export async function faultsOfTypes({ tarball }) {
  const args = [ATTW, tarball, '--profile', 'esm-only', '--no-definitely-typed', '--no-emoji', '--no-color'];
  return promisify(execFile)(process.execPath, args).then(
    () => [],
    ({ stdout, stderr }) => [stdout + stderr],
  );
}

/** @param {Packed} packed @returns {Promise<string[]>} */
export async function faultsOfCompilation({ folder, manifest }) {
  const imports = entriesOf(manifest).map(
    ([entry], at) => `export * as n${at} from '${manifest.name + entry.slice(1)}';`,
  );
  const application = join(folder, 'application.ts');
  writeFileSync(application, imports.join('\n'));
  const options =
    '--noEmit --ignoreConfig --strict --target es2023 --module nodenext --skipLibCheck false --types node';
  const runs = [[], ['--typeRoots', NEWEST_TYPES]].map((types) =>
    promisify(execFile)(process.execPath, [TSC, ...options.split(' '), ...types, application]).then(
      () => [],
      ({ stdout }) => [stdout],
    ),
  );
  return (await Promise.all(runs)).flat();
}

/** @param {Packed} packed */
export async function faultsOfExports({ folder, files, manifest }) {
  const entries = entriesOf(manifest);
  const missing = entries.flatMap(([entry, targets]) =>
    ['types', 'default']
      .filter((kind) => !files.includes(targets[kind]?.slice('./'.length) ?? ''))
      .map((kind) => `${entry} has no ${kind}`),
  );
  const specifiers = entries.map(([entry]) => manifest.name + entry.slice(1));
  const { stderr } = await runInside(
    folder,
    `for (const one of ${JSON.stringify(specifiers)}) await import(one); process.exit();`,
  );
  return stderr === '' ? missing : [...missing, stderr];
}

/** @param {Packed} packed */
export async function faultsOfCommands({ folder, manifest }) {
  const commands = Object.entries(manifest.bin ?? {}).map(async ([name, file]) => {
    const args = [join(folder, file), '--help'];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args).catch((failure) => failure);
    return stdout.startsWith('Usage: ') && stderr === '' ? [] : [`${name} --help prints: ${stdout}${stderr}`];
  });
  return (await Promise.all(commands)).flat();
}

/** @param {Contents} contents */
export function faultsOfFiles({ files, manifest, read }) {
  const pages = manifest.files?.includes('AGENTS.md') ? [...ALWAYS, 'AGENTS.md'] : ALWAYS;
  const used = new Set([...filesInUse({ files, manifest, read })].map(sourceOf));
  return [
    ...pages.filter((file) => !files.includes(file)).map((file) => `${file} is missing`),
    ...files
      .filter((file) => !pages.includes(file) && !used.has(sourceOf(file)))
      .map((file) => `no import of the package uses ${file}`),
  ];
}

/** @param {import('../release/packed-library.mjs').Manifest} manifest @returns {[string, Record<string, string>][]} */
const entriesOf = ({ exports }) =>
  Object.entries(exports).flatMap(([entry, target]) => (typeof target === 'object' ? [[entry, target]] : []));

/** @param {string} file */
const sourceOf = (file) => file.replace(/^dist\/(.*?)(\.d\.ts|\.js)(\.map)?$/, 'src/$1.ts');
