import { SourceMap } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInside } from '../release/packed-library.mjs';

/** @typedef {import('../release/packed-library.mjs').Contents} Contents */

/**
 * Each row has an entry point, an import, a call and the failing statement.
 *
 * @type {Record<string, [string, string, string, string][]>}
 */
const PROVOKED = {
  'nestjs-keycloak-s2s': [
    ['', '{ KeycloakModule }', 'KeycloakModule.forFeature([{}])', 'new KeycloakOptionsError'],
    ['/testing', '{ TokenLeakScanner }', "TokenLeakScanner.start().addToken('x')", 'throw new RangeError'],
  ],
  'keycloak-test-servers': [['', '{ testServer }', 'testServer()', 'throw new Error']],
};

/** @param {Contents} contents @returns {string[]} */
export function faultsOfSourceMaps({ files, read }) {
  return files
    .filter((file) => /^dist\/.*(\.js|\.d\.ts)$/.test(file))
    .flatMap((file) => {
      const named = join(dirname(file), /^\/\/# sourceMappingURL=(.+)$/m.exec(read(file))?.[1] ?? 'none');
      if (!files.includes(named)) return [`${file} has no map`];
      const map = JSON.parse(read(named));
      const sources = map.sources.map((/** @type {string} */ source) =>
        join(dirname(file), map.sourceRoot ?? '', source),
      );
      const outside = sources.filter((/** @type {string} */ source) => !files.includes(source));
      if (outside.length > 0) return [`${file}: ${outside.join(', ')} is not in the package`];
      return file.endsWith('.js') ? misledThrows(file, new SourceMap(map), sources[0], read) : [];
    });
}

/** @param {string} file @param {SourceMap} map @param {string} source @param {Contents['read']} read */
function misledThrows(file, map, source, read) {
  const sourceLines = read(source).split('\n');
  return read(file)
    .split('\n')
    .flatMap((line, at) => {
      const column = /^\s*(\*|\/\/)/.test(line) ? -1 : line.search(/\bthrow /);
      if (column < 0) return [];
      const entry = map.findEntry(at, column);
      const originalLine = 'originalLine' in entry ? entry.originalLine : -1;
      if (sourceLines[originalLine]?.includes('throw ')) return [];
      return [`${file}:${at + 1} leads to ${source}:${originalLine + 1}: ${sourceLines[originalLine]?.trim()}`];
    });
}

/** @param {import('../release/packed-library.mjs').Packed} packed */
export async function faultsOfStackTraces({ folder, files, manifest, read }) {
  const provoked = PROVOKED[manifest.name];
  if (provoked === undefined) return ['no call that throws is listed in PROVOKED'];
  const faults = await Promise.all(
    provoked.map(async ([entryPoint, names, call, statement]) => {
      const { stderr } = await runInside(
        folder,
        `const ${names} = await import('${manifest.name}${entryPoint}'); ${call};`,
      );
      const [, place = '', line] = /^ {4}at [^(\n]*\(?(\S+?):(\d+):\d+\)?$/m.exec(stderr) ?? [];
      const path = relative(folder, place.startsWith('file:') ? fileURLToPath(place) : place);
      const found = files.includes(path) ? read(path).split('\n')[Number(line) - 1] : undefined;
      return path.startsWith('src/') && found?.includes(statement) ? [] : [`no "${statement}" on top of:\n${stderr}`];
    }),
  );
  return faults.flat();
}
