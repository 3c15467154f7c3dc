// Whether a packed library depends on what its doors lead to, and on nothing else.
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';

/** @typedef {import('../release/packed-library.mjs').Contents} Contents */

/** The static imports (`from`, `import '…'`) and the dynamic ones (`import('…')`) of a text, with what they name. */
const IMPORT = /(?<![.\w])(?:from|import)\s*(\(?)\s*['"]([^'"\s]+)['"]/g;
/** A second copy of these beside the application's would be another one to Nest. */
const OF_THE_APPLICATION = /^(@nestjs\/.+|reflect-metadata|rxjs)$/;

/**
 * The door `.` is what users install the package for: it leads to each dependency and each peer that is not optional. What only
 * a further door leads to is an optional peer: of that door alone, or of a room below several doors, which is the only one that imports it.
 *
 * @param {Contents} contents @returns {string[]} what is wrong, a text each
 */
export function faultsOfDependencies({ files, manifest, read }) {
  const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifest;
  const own = Object.keys(dependencies);
  const [optional, required] = partition(Object.keys(peerDependencies), (peer) =>
    Boolean(peerDependenciesMeta[peer]?.optional),
  );
  const byDoor = Object.entries(manifest.exports)
    .filter(([, target]) => typeof target === 'object')
    .map(([door, target]) => ({
      door,
      folder: join(dirname(String(Object(target).default)), '/'),
      ...packagesBehind(Object.values(target), { files, manifest, read }),
    }));
  const folders = byDoor.filter(({ door }) => door !== '.').map(({ folder }) => folder);
  /** @param {string} file */
  const isInDoor = (file) => folders.some((folder) => file.startsWith(folder));
  const main = byDoor.find(({ door }) => door === '.')?.all ?? new Set();
  const anywhere = new Set(byDoor.flatMap(({ all }) => [...all]));
  return [
    ...own
      .filter((name) => OF_THE_APPLICATION.test(name) || name in peerDependencies)
      .map((name) => `${name} is a dependency, and must be a peer alone`),
    ...[...own, ...required]
      .filter((name) => !main.has(name))
      .map((name) => `${name} is installed for everybody, but the door "." does not lead to it`),
    ...optional
      .filter((name) => {
        const leading = byDoor.filter(({ always }) => always.has(name));
        return leading.length > 1 && leading.some(({ importers }) => importers(name).some(isInDoor));
      })
      .map((name) => `${name} is an optional peer, but more than one door always imports it by itself`),
    ...optional
      .filter((name) => !anywhere.has(name))
      .map((name) => `${name} is an optional peer, but no door leads to it`),
    ...byDoor.flatMap(({ door, all, always }) => [
      ...[...all]
        .filter((name) => ![...own, ...required, ...optional].includes(name))
        .map((name) => `the door "${door}" leads to ${name}, which the manifest does not name`),
      ...[...always]
        .filter((name) => door === '.' && optional.includes(name))
        .map((name) => `the door "." always imports ${name}, which is an optional peer`),
    ]),
  ];
}

/** @param {Contents} contents @returns {Set<string>} the files that an export or a command leads to, those of types included */
export function filesInUse({ files, manifest, read }) {
  const targets = [manifest.bin ?? {}, ...Object.values(manifest.exports)].flatMap((target) => Object.values(target));
  return reach(targets, { files, manifest, read }).files;
}

/** @param {string[]} targets @param {Contents} contents */
function packagesBehind(targets, contents) {
  const { imports } = reach(targets, contents);
  /** @param {typeof imports} some */
  const packages = (some) =>
    new Set(some.map(({ specifier }) => packageOf(specifier)).filter((one) => !isBuiltin(one)));
  const always = imports.filter(({ isDynamic }) => !isDynamic);
  return {
    all: packages(imports),
    always: packages(always),
    /** @param {string} name @returns {string[]} the files that always import it */
    importers: (name) => always.filter(({ specifier }) => packageOf(specifier) === name).map(({ file }) => file),
  };
}

/**
 * Follows relative imports.
 *
 * @param {string[]} targets @param {Contents} contents
 */
function reach(targets, { files, read }) {
  const queue = targets.map((path) => join(path));
  /** @type {Set<string>} */
  const seen = new Set();
  /** @type {{ specifier: string, isDynamic: boolean, file: string }[]} */
  const imports = [];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file) || !files.includes(file)) continue;
    seen.add(file);
    for (const [, parenthesis, specifier = ''] of withoutComments(read(file)).matchAll(IMPORT)) {
      const target = join(dirname(file), specifier);
      if (!specifier.startsWith('.')) imports.push({ specifier, isDynamic: parenthesis === '(', file });
      else queue.push(file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target);
    }
  }
  return { files: seen, imports };
}

/** @param {string} specifier */
const packageOf = (specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;

/** An example in a comment imports nothing. @param {string} text */
const withoutComments = (text) => text.replaceAll(/^\s*(\/\*\*[^]*?\*\/|\/\/.*$)/gm, '');

/** @template T @param {T[]} all @param {(one: T) => boolean} is @returns {[T[], T[]]} */
const partition = (all, is) => [all.filter((one) => is(one)), all.filter((one) => !is(one))];
