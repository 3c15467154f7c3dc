import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';

/** @typedef {import('../release/packed-library.mjs').Contents} Contents */

/** Imports, and declarations that extend the types of a package. */
const IMPORT = /(?<![.\w])(?:from|import|declare module)\s*(\(?)\s*['"]([^'"\s]+)['"]/g;
/** Packages that the application must provide, since Nest does not work with a second copy. */
const OF_THE_APPLICATION = /^(@nestjs\/.+|reflect-metadata|rxjs)$/;

/**
 * The imports of the entry point `.` must lead to every dependency and to every required peer. A package that `.` does
 * not need must be an optional peer. Only a shared module may import an optional peer of several entry points.
 *
 * @param {Contents} contents @returns {string[]} the faults
 */
export function faultsOfDependencies({ files, manifest, read }) {
  const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifest;
  const own = Object.keys(dependencies);
  const [optional, required] = partition(Object.keys(peerDependencies), (peer) =>
    Boolean(peerDependenciesMeta[peer]?.optional),
  );
  const byEntryPoint = Object.entries(manifest.exports)
    .filter(([, target]) => typeof target === 'object')
    .map(([entryPoint, target]) => ({
      entryPoint,
      folder: join(dirname(String(Object(target).default)), '/'),
      ...packagesBehind(Object.values(target), { files, manifest, read }),
    }));
  const folders = byEntryPoint.filter(({ entryPoint }) => entryPoint !== '.').map(({ folder }) => folder);
  /** @param {string} file */
  const isInEntryPoint = (file) => folders.some((folder) => file.startsWith(folder));
  const main = byEntryPoint.find(({ entryPoint }) => entryPoint === '.')?.all ?? new Set();
  const anywhere = new Set(byEntryPoint.flatMap(({ all }) => [...all]));
  return [
    ...own
      .filter((name) => OF_THE_APPLICATION.test(name) || name in peerDependencies)
      .map((name) => `${name} is a dependency, but must only be a peer`),
    ...[...own, ...required]
      .filter((name) => !main.has(name))
      .map((name) => `${name} is installed for everybody, but the entry point "." does not lead to it`),
    ...optional
      .filter((name) => {
        const leading = byEntryPoint.filter(({ always }) => always.has(name));
        return leading.length > 1 && leading.some(({ importers }) => importers(name).some(isInEntryPoint));
      })
      .map((name) => `${name} is an optional peer, but more than one entry point always imports it by itself`),
    ...optional
      .filter((name) => !anywhere.has(name))
      .map((name) => `${name} is an optional peer, but no entry point leads to it`),
    ...byEntryPoint.flatMap(({ entryPoint, all, always }) => [
      ...[...all]
        .filter((name) => ![...own, ...required, ...optional].includes(name))
        .map((name) => `the entry point "${entryPoint}" leads to ${name}, which the manifest does not name`),
      ...[...always]
        .filter((name) => entryPoint === '.' && optional.includes(name))
        .map((name) => `the entry point "." always imports ${name}, which is an optional peer`),
    ]),
  ];
}

/**
 * @param {Contents} contents @returns {Set<string>} files that exports and commands lead to, including type
 * declarations
 */
export function filesInUse({ files, manifest, read }) {
  const targets = [manifest.bin ?? {}, ...Object.values(manifest.exports)].flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
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
    /** @param {string} name @returns {string[]} the files that always import the package */
    importers: (name) => always.filter(({ specifier }) => packageOf(specifier) === name).map(({ file }) => file),
  };
}

/** @param {string[]} targets @param {Contents} contents */
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

/** @param {string} text */
const withoutComments = (text) => text.replaceAll(/^\s*(\/\*\*[^]*?\*\/|\/\/.*$)/gm, '');

/** @template T @param {T[]} all @param {(one: T) => boolean} is @returns {[T[], T[]]} */
const partition = (all, is) => [all.filter((one) => is(one)), all.filter((one) => !is(one))];
