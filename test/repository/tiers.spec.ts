import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const LIBRARY = 'libs/keycloak';
const read = (path: string): string => readFileSync(path, 'utf8');

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
}
const { name, exports } = JSON.parse(read(`${LIBRARY}/package.json`)) as Manifest;
const entries = Object.keys(exports).filter((entry) => entry !== './package.json');
const nameOf = (entry: string): string => (entry === '.' ? name : entry.slice(1));

const tiersIn = (text: string, paragraph: RegExp, item: RegExp): [name: string, tier: string][] =>
  [...text.matchAll(paragraph)].flatMap(([, tier = '', names = '']) =>
    [...names.matchAll(item)].map(([, each = '']): [string, string] => [each, tier.toLowerCase()]),
  );

/** Matches a doc comment with the tag at its end, and the name of the declaration that follows. */
const TAGGED = /@experimental\s*\*\/\s+(?:export )?(?:class|const|function|interface|readonly|type) (\w+)/g;

const page = read('docs/stability.md');
const documented = tiersIn(page, /^- \*\*(core|supported)\*\*: (`[^]*?)\n(?=-|\n)/gm, /`([^`]+)`/g);
const tiers = new Map(documented);

describe('the tiers of docs/stability.md', () => {
  it('name each entry point exactly once', () => {
    expect(documented.map(([each]) => each).toSorted()).toEqual(entries.map(nameOf).toSorted());
  });

  it('are in the doc comment of each entry point', () => {
    const typed = Object.entries(exports).flatMap(([entry, target]) =>
      typeof target === 'string' ? [] : [[nameOf(entry), target.types] as const],
    );
    const commented = typed.map(([entry, types]) => {
      const source = read(`${LIBRARY}/${types.replace('./dist/', 'src/').replace(/\.d\.ts$/, '.ts')}`);
      const [comment = ''] = /^\/\*\*[^]*?\*\//.exec(source) ?? [];
      expect([entry, comment]).toEqual([entry, expect.stringContaining('@packageDocumentation')]);
      return [entry, /@category (\w+)/.exec(comment)?.[1]?.toLowerCase()];
    });
    expect(commented).toEqual(typed.map(([entry]) => [entry, tiers.get(entry)]));
  });

  it('are in the README, which lists each entry point exactly once', () => {
    const [, section = ''] = read(`${LIBRARY}/README.md`).split('\n## Entry points\n');
    const [list = ''] = section.split('\n## ');
    const rows = tiersIn(list, /^(Core|Supported):\n\n((?:[- ] .*\n)+)/gm, /^- (`[^:]+`):/gm);
    const names = rows.flatMap(([row, tier]) =>
      [...row.matchAll(/`([^`]+)`/g)].map(([, each = '']): [string, string] => [each, tier]),
    );
    expect(names.toSorted()).toEqual(documented.toSorted());
  });

  it('list as experimental exactly the symbols and options whose doc comments have the tag', () => {
    const [, paragraph = ''] = /\*\*experimental\*\*: only parts([^]*?)\n\n/.exec(page) ?? [];
    const listed = [...paragraph.matchAll(/`(\w+)`/g)].map(([, each]) => each).filter((each) => each !== 'keycloak');
    const sources = readdirSync(`${LIBRARY}/src`, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    const tagged = sources.flatMap((file) =>
      [...read(`${LIBRARY}/src/${file}`).matchAll(TAGGED)].map(([, each]) => each),
    );
    expect(tagged.toSorted()).toEqual(listed.toSorted());
  });
});
