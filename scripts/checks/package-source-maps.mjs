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
      const sources = sourcesOf(named, read);
      if (Object.values(sources).some((source) => typeof source !== 'string')) return [`${named} lacks a source`];
      return misledThrows(file, new SourceMap(JSON.parse(read(named))), sources, read);
    });
}

/** @param {string} map @param {Contents['read']} read @returns {Record<string, string | undefined>} by path in the package */
function sourcesOf(map, read) {
  /** @type {{ sources: string[], sourcesContent?: string[] }} */
  const { sources, sourcesContent = [] } = JSON.parse(read(map));
  return Object.fromEntries(sources.map((source, at) => [join(dirname(map), source), sourcesContent[at]]));
}

/** @param {string} file @param {SourceMap} map @param {Record<string, string | undefined>} sources @param {Contents['read']} read */
function misledThrows(file, map, sources, read) {
  return read(file)
    .split('\n')
    .flatMap((line, at) => {
      const column = /^\s*(\*|\/\/)/.test(line) ? -1 : line.search(/\bthrow /);
      if (column < 0) return [];
      const entry = map.findEntry(at, column);
      const { originalSource, originalLine } =
        'originalLine' in entry ? entry : { originalSource: '', originalLine: -1 };
      const path = join(dirname(file), originalSource);
      const original = sources[path]?.split('\n')[originalLine];
      return original?.includes('throw ')
        ? []
        : [`${file}:${at + 1} leads to ${path}:${originalLine + 1}: ${original}`];
    });
}

/** @param {import('../release/packed-library.mjs').Packed} packed */
export async function faultsOfStackTraces({ folder, files, manifest, read }) {
  const provoked = PROVOKED[manifest.name];
  if (provoked === undefined) return ['no call that throws is listed in PROVOKED'];
  const maps = files.filter((file) => file.endsWith('.js.map'));
  const sources = Object.assign({}, ...maps.map((map) => sourcesOf(map, read)));
  const faults = await Promise.all(
    provoked.map(async ([entryPoint, names, call, statement]) => {
      const { stderr } = await runInside(
        folder,
        `const ${names} = await import('${manifest.name}${entryPoint}'); ${call};`,
      );
      const [, place = '', line] = /^ {4}at [^(\n]*\(?(\S+?):(\d+):\d+\)?$/m.exec(stderr) ?? [];
      const path = relative(folder, place.startsWith('file:') ? fileURLToPath(place) : place);
      const found = sources[path]?.split('\n')[Number(line) - 1];
      return found?.includes(statement) ? [] : [`no "${statement}" on top of:\n${stderr}`];
    }),
  );
  return faults.flat();
}
