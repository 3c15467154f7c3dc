// What is in the packed library: each function gives what is wrong, a text each.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { runInside, TSC } from './packed-library.mjs';

const ATTW = resolve(import.meta.dirname, '../node_modules/@arethetypeswrong/cli/dist/index.js');
const ALWAYS = ['README.md', 'LICENSE', 'package.json'];
const PEERS = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs'];

/** A path, relative or of a package, behind `from` or `import`. */
const IMPORT = /\b(?:from|import)\s*\(?\s*['"]([^'"\s]+)['"]/g;

export async function faultsOfManifest({ folder, manifest }) {
  const { messages } = await publint({ pkgDir: folder, pack: false, strict: true });
  return messages.map((message) => `${message.type}: ${formatMessage(message, manifest, { color: false })}`);
}

/** Only ES modules can import it, and those of CommonJS by `import()` or a Node that can `require` it. */
export async function faultsOfTypes({ tarball }) {
  const args = [ATTW, tarball, '--profile', 'esm-only', '--no-definitely-typed', '--no-emoji', '--no-color'];
  return promisify(execFile)(process.execPath, args).then(
    () => [],
    ({ stdout, stderr }) => [stdout + stderr],
  );
}

/** As in an application that checks its libraries too (`skipLibCheck: false`). */
export async function faultsOfCompilation({ folder, manifest }) {
  const imports = entriesOf(manifest).map(
    ([entry], at) => `export * as n${at} from '${manifest.name + entry.slice(1)}';`,
  );
  const application = join(folder, 'application.ts');
  writeFileSync(application, imports.join('\n'));
  const options =
    '--noEmit --ignoreConfig --strict --target es2023 --module nodenext --skipLibCheck false --types node';
  return promisify(execFile)(process.execPath, [TSC, ...options.split(' '), application]).then(
    () => [],
    ({ stdout }) => [stdout],
  );
}

export async function faultsOfExports({ folder, files, manifest }) {
  const entries = entriesOf(manifest);
  const missing = entries.flatMap(([entry, targets]) =>
    ['types', 'default']
      .filter((kind) => !files.includes(targets[kind]?.slice('./'.length)))
      .map((kind) => `${entry} has no ${kind}`),
  );
  const specifiers = entries.map(([entry]) => manifest.name + entry.slice(1));
  const { stderr } = await runInside(
    folder,
    `for (const one of ${JSON.stringify(specifiers)}) await import(one); process.exit();`,
  );
  return stderr === '' ? missing : [...missing, stderr];
}

export function faultsOfFiles({ files, manifest, read }) {
  const used = filesInUse({ files, manifest, read });
  return [
    ...ALWAYS.filter((file) => !files.includes(file)).map((file) => `there is no ${file}`),
    ...files
      .filter((file) => !ALWAYS.includes(file) && !used.has(sourceOf(file)))
      .map((file) => `${file} is of no use to those who import the package`),
  ];
}

export function faultsOfPeers({ files, manifest, read }) {
  const own = Object.keys(manifest.dependencies ?? {});
  const peers = Object.keys(manifest.peerDependencies ?? {});
  const imported = files
    .filter((file) => file.endsWith('.js'))
    .flatMap((file) => importsOf(read(file)))
    .map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0]);
  return [
    ...PEERS.filter((one) => !peers.includes(one)).map((one) => `${one} is no peer dependency`),
    ...own
      .filter((one) => one.startsWith('@nestjs/') || peers.includes(one))
      .map((one) => `${one} is a dependency, and should be a peer only`),
    ...[...own, ...peers].filter((one) => !imported.includes(one)).map((one) => `${one} is never imported`),
  ];
}

/** The sources of everything that an export leads to. */
function filesInUse({ files, manifest, read }) {
  const queue = Object.values(manifest.exports).flatMap((target) => Object.values(target).map((path) => join(path)));
  const seen = new Set();
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file) || !files.includes(file)) continue;
    seen.add(file);
    for (const specifier of importsOf(read(file)).filter((one) => one.startsWith('.'))) {
      const target = join(dirname(file), specifier);
      queue.push(file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target);
    }
  }
  return new Set([...seen].map(sourceOf));
}

/** Without what is no module: `./package.json`. */
const entriesOf = ({ exports }) => Object.entries(exports).filter(([, target]) => typeof target === 'object');

const importsOf = (text) => [...text.matchAll(IMPORT)].map(([, specifier]) => specifier);

const sourceOf = (file) => file.replace(/^dist\/(.*?)(\.d\.ts|\.js)(\.map)?$/, 'src/$1.ts');
