// Replaces the modules in the `dist` of a library by a few large files, which Node.js, Jest and bundlers load faster. npm
// runs this script before it packs the library. Afterwards npm runs it with --undo, which puts the output of tsc back.
// After an interrupted pack, the next build replaces the bundle.
import '../common/help.mjs';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { rollup } from 'rollup';
import { filesInUse } from '../checks/package-dependencies.mjs';
import { argumentsOf } from '../common/own-options.mjs';

/** @typedef {import('./packed-library.mjs').Manifest} Manifest */

const { values: flags } = argumentsOf({ options: { undo: { type: 'boolean' } } });
/** npm runs the script in the folder of the library. */
const DIST = resolve('dist');
const BUNDLED = resolve('node_modules/.cache/bundled');
const COMPILED = resolve('node_modules/.cache/compiled');
/** The bundle has no build record, so tsc does not take the bundle for its own output. */
const NOT_BUNDLED = /(\.js|\.js\.map|\.tsbuildinfo)$/;

if (flags.undo) {
  if (!existsSync(COMPILED)) throw new Error('dist is not a bundle: there is nothing to undo');
  rmSync(DIST, { recursive: true });
  renameSync(COMPILED, DIST);
} else {
  if (!existsSync(join(DIST, '.tsbuildinfo'))) throw new Error('dist is not the output of tsc: run npm run build');
  for (const folder of [BUNDLED, COMPILED]) rmSync(folder, { recursive: true, force: true });
  /** @type {Manifest} */
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  cpSync(DIST, BUNDLED, { recursive: true, filter: (path) => !NOT_BUNDLED.test(path) });
  for (const [name, text] of await bundled(manifest)) {
    mkdirSync(dirname(join(BUNDLED, name)), { recursive: true });
    writeFileSync(join(BUNDLED, name), text);
  }
  removeUnusedTypes(manifest);
  renameSync(DIST, COMPILED);
  renameSync(BUNDLED, DIST);
}

/** @param {Manifest} manifest @returns {Promise<[string, string | Uint8Array][]>} */
async function bundled({ bin = {}, exports, main = '' }) {
  const exported = Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? [] : (target.default ?? []),
  );
  const compiled = await rollup({
    input: [...exported, ...Object.values(bin)].map((file) => resolve(file)),
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
    // Otherwise a file also imports the packages of its chunks.
    treeshake: { moduleSideEffects: (id, isExternal) => !isExternal || id === 'reflect-metadata' },
    plugins: [{ name: 'output of tsc', load: readModule }],
    onLog(_, log) {
      // tsc compiles a decorator to code that reads `this`, which is undefined.
      if (log.code !== 'THIS_IS_UNDEFINED') throw new Error(log.message);
    },
  });
  const { output } = await compiled.generate({
    dir: DIST,
    sourcemap: true,
    generatedCode: 'es2015',
    hoistTransitiveImports: false,
    minifyInternalExports: false,
    entryFileNames: ({ facadeModuleId }) => relative(DIST, String(facadeModuleId)),
    chunkFileNames: 'chunks/[name].js',
    // The main entry point and everything that it imports are one file, since each service loads all of it.
    manualChunks: { main: [resolve(main)] },
  });
  return output.map((file) => [file.fileName, file.type === 'chunk' ? file.code : file.source]);
}

/** @param {string} file @returns {import('rollup').LoadResult} */
function readModule(file) {
  return { code: readFileSync(file, 'utf8'), map: readFileSync(`${file}.map`, 'utf8') };
}

/** @param {Manifest} manifest */
function removeUnusedTypes(manifest) {
  const names = readdirSync(BUNDLED, { recursive: true, encoding: 'utf8' }).map((name) => join('dist', name));
  const files = names.filter((name) => /\.(js|d\.ts)$/.test(name));
  const inBundle = (/** @type {string} */ file) => join(BUNDLED, relative('dist', file));
  const used = filesInUse({ files, manifest, read: (file) => readFileSync(inBundle(file), 'utf8') });
  for (const file of files) if (!used.has(file)) rmSync(inBundle(file));
}
