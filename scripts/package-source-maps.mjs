// Whether the packed library's source maps lead to its sources: each function gives what is wrong, a text each.
import { SourceMap } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInside } from './packed-library.mjs';

export function faultsOfSourceMaps({ files, read }) {
  return files
    .filter((file) => /^dist\/.*(\.js|\.d\.ts)$/.test(file))
    .flatMap((file) => {
      const named = join(dirname(file), /^\/\/# sourceMappingURL=(.+)$/m.exec(read(file))?.[1] ?? 'none');
      if (!files.includes(named)) return [`${file} has no map`];
      const map = JSON.parse(read(named));
      const sources = map.sources.map((source) => join(dirname(file), map.sourceRoot ?? '', source));
      const outside = sources.filter((source) => !files.includes(source));
      if (outside.length > 0) return [`${file}: ${outside.join(', ')} is not in the package`];
      return file.endsWith('.js') ? misledThrows(file, new SourceMap(map), sources[0], read) : [];
    });
}

/** Each `throw` must come from one. */
function misledThrows(file, map, source, read) {
  const sourceLines = read(source).split('\n');
  return read(file)
    .split('\n')
    .flatMap((line, at) => {
      const column = /^\s*(\*|\/\/)/.test(line) ? -1 : line.search(/\bthrow /);
      if (column < 0) return [];
      const { originalLine } = map.findEntry(at, column);
      if (sourceLines[originalLine]?.includes('throw ')) return [];
      return [`${file}:${at + 1} leads to ${source}:${originalLine + 1}: ${sourceLines[originalLine]?.trim()}`];
    });
}

/** One error from behind each door, as Node prints it with --enable-source-maps. */
export async function faultsOfStackTraces({ folder, files, manifest, read }) {
  const provoked = [
    ['', '{ KeycloakModule }', 'KeycloakModule.forFeature([{}])', 'throw new KeycloakOptionsError'],
    ['/testing', '{ TokenLeakScanner }', "TokenLeakScanner.start().issued('x')", 'throw new RangeError'],
  ];
  const faults = await Promise.all(
    provoked.map(async ([door, names, call, statement]) => {
      const { stderr } = await runInside(folder, `const ${names} = await import('${manifest.name}${door}'); ${call};`);
      const [, place = '', line] = /^ {4}at [^(\n]*\(?(\S+?):(\d+):\d+\)?$/m.exec(stderr) ?? [];
      const path = relative(folder, place.startsWith('file:') ? fileURLToPath(place) : place);
      const found = files.includes(path) ? read(path).split('\n')[line - 1] : undefined;
      return path.startsWith('src/') && found?.includes(statement) ? [] : [`no "${statement}" on top of:\n${stderr}`];
    }),
  );
  return faults.flat();
}
