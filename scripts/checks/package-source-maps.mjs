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
  'nestjs-keycloak-s2s-mcp': [['', '{ McpEndpoint }', "McpEndpoint({ challenge: 'all' })", 'new ConfigurationError']],
  'keycloak-test-servers': [['', '{ testServer }', 'testServer()', 'throw new Error']],
};

/** @param {Contents} contents @returns {string[]} */
export function faultsOfSourceMaps({ files, read }) {
  return files
    .filter((file) => /^dist\/.*\.js$/.test(file))
    .flatMap((file) => {
      const named = join(dirname(file), /^\/\/# sourceMappingURL=(.+)$/m.exec(read(file))?.[1] ?? 'none');
      if (!files.includes(named)) return [`${file} has no map`];
      const map = JSON.parse(read(named));
      const [source] = map.sourcesContent ?? [];
      return source === undefined ? [`${named} has no source`] : misledThrows(file, new SourceMap(map), source, read);
    });
}

/** @param {string} file @param {SourceMap} map @param {string} source @param {Contents['read']} read */
function misledThrows(file, map, source, read) {
  const sourceLines = source.split('\n');
  return read(file)
    .split('\n')
    .flatMap((line, at) => {
      const column = /^\s*(\*|\/\/)/.test(line) ? -1 : line.search(/\bthrow /);
      if (column < 0) return [];
      const entry = map.findEntry(at, column);
      const originalLine = 'originalLine' in entry ? entry.originalLine : -1;
      if (sourceLines[originalLine]?.includes('throw ')) return [];
      return [`${file}:${at + 1} leads to line ${originalLine + 1}: ${sourceLines[originalLine]?.trim()}`];
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
      const map = path.replace(/^src\/(.*)\.ts$/, 'dist/$1.js.map');
      const [source] = files.includes(map) ? JSON.parse(read(map)).sourcesContent : [''];
      const found = source.split('\n')[Number(line) - 1];
      return found?.includes(statement) ? [] : [`no "${statement}" on top of:\n${stderr}`];
    }),
  );
  return faults.flat();
}
