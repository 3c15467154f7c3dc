/** The README and the doc comments describe each option with the name, default, unit and range of the code. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { resolveKeycloakOptions } from './keycloak.options.js';
import { resolveServiceOptions } from './service.options.js';
import { KeycloakOptionsError } from './option-kinds.js';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const SOURCE = ['issuer.options.ts', 'keycloak.options.ts', 'service.options.ts']
  .map((file) => readFileSync(new URL(file, import.meta.url), 'utf8'))
  .join('\n');

interface Row {
  readonly fallback: string;
  readonly unit: string;
}

/** Each table whose first column is `option`, by the names in it. */
const tables = [...README.matchAll(/^\| option .*\n\| -.*\n((?:\|.*\n)+)/gm)].map(([, rows = '']) => {
  const cells = rows
    .trimEnd()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim()));
  return new Map(
    cells.flatMap(([, names = '', fallback = '', unit = '']) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => [name, { fallback, unit }] as const),
    ),
  );
});

const faultsOf = (resolve: () => unknown): readonly string[] => {
  try {
    resolve();
  } catch (error) {
    if (error instanceof KeycloakOptionsError) return error.faults;
    throw error;
  }
  return [];
};

const GIVEN = { issuer: 'https://sso.example.com/realms/shop', clientId: 'service-b', clientSecret: 'hush-hush' };
const SERVICE = { baseUrl: 'https://service-c.example.com', audience: 'service-c' };

const resolveAny = {
  KeycloakModuleOptions: (options: object) => resolveKeycloakOptions(options as never),
  ServiceOptions: (options: object) =>
    resolveServiceOptions('service-c', options as never, resolveKeycloakOptions(GIVEN)),
};

const INTERFACES = {
  KeycloakModuleOptions: ['IssuerOptions', 'CommonModuleOptions', 'MultiIssuerModuleOptions'],
  ServiceOptions: ['ServiceOptions'],
};

describe.each([
  ['KeycloakModuleOptions', 'forRoot', tables[0], GIVEN],
  ['ServiceOptions', 'forFeature', tables[1], SERVICE],
] as const)('%s of %s', (type, _, table = new Map<string, Row>(), given) => {
  const body = INTERFACES[type]
    .map((name) => new RegExp(`export interface ${name} (?:extends \\w+ )?\\{\n([^]*?)\n\\}`).exec(SOURCE)?.[1])
    .join('\n');
  const members = new Map(
    [...body.matchAll(/\/\*\*([^]*?)\*\/\s*readonly (\w+)\??:/g)].map(([, words = '', name = '']) => [
      name,
      words.replaceAll(/\s*\*?\s+/g, ' '),
    ]),
  );
  const names = [...members.keys()];
  const resolve = (bend: object) => resolveAny[type]({ ...given, ...bend });
  const resolved = resolve({}) as Readonly<Record<string, unknown>>;
  const [least, most] = [1, 2].map(
    (group) => (name: string) =>
      faultsOf(() => resolve({ [name]: Symbol('none') })).map(
        (fault) => / from (\d+) to (\d+)$/.exec(fault)?.[group],
      )[0],
  ) as [(name: string) => string | undefined, (name: string) => string | undefined];
  const numbers = names.filter((name) => least(name) !== undefined);

  it('are all in the README table, which has no others', () => {
    expect([...table.keys()].filter((name) => name !== 'name').toSorted()).toEqual(names.toSorted());
    expect(faultsOf(() => resolve(Object.fromEntries(names.map((name) => [name, undefined]))))).not.toContainEqual(
      expect.stringContaining('unknown option'),
    );
    expect(names.length).toBeGreaterThan(3);
  });

  it('are required where the README table says so', () => {
    const due = faultsOf(() => resolveAny[type]({})).flatMap((fault) =>
      fault.replace(' must be given', '').split(' or '),
    );
    const said = names.filter((name) => table.get(name)?.fallback === 'must be given');
    expect(said.toSorted()).toEqual(due.toSorted());
  });

  it.each(numbers)('document %s with default, unit and range in the table and in the doc comment', (name) => {
    const { fallback, unit } = table.get(name) ?? { fallback: '', unit: '' };
    const range = (text: string): unknown => /(\d+)(?: \([^)]*\))? to (\d+)/.exec(text)?.slice(1);
    expect([fallback, range(unit)]).toEqual([String(resolved[name] ?? 'unset'), [least(name), most(name)]]);
    const documented = /Default (\d+|unset), ([^.:]*)/.exec(members.get(name) ?? '');
    expect([documented?.[1], range(documented?.[2] ?? '')]).toEqual([fallback, range(unit)]);
    const unitOfName = { Ms: 'milliseconds', Seconds: 'seconds', Bytes: 'bytes' }[
      /(Ms|Seconds|Bytes)$/.exec(name)?.[1] ?? ''
    ];
    expect(unit).toMatch(unitOfName === undefined ? /^\w/ : new RegExp(`^${unitOfName}, `));
  });

  it('document each switch with the default false, and each dangerous switch as DANGER', () => {
    const switches = names.filter((name) => typeof resolved[name] === 'boolean');
    expect(switches).toEqual(
      given === GIVEN ? ['verifyAtStart', 'allowInsecureRequests', 'exposeRefusalReasons'] : ['gzip'],
    );
    for (const name of switches) {
      expect(members.get(name)).toMatch(/Default false\. ?$/);
      expect([name, table.get(name)?.fallback]).toEqual([name, String(resolved[name])]);
      expect(members.get(name)).toMatch(['verifyAtStart', 'gzip'].includes(name) ? /^ ?Whether / : /^ ?DANGER: /);
    }
  });
});

describe('the other defaults of forRoot', () => {
  const { expectedDefaultScopes, mapPermissions, realmUrl } = resolveKeycloakOptions(GIVEN);

  it('match the README table', () => {
    expect(tables[0]?.get('expectedDefaultScopes')?.fallback).toBe(
      expectedDefaultScopes.map((scope) => `\`${scope}\``).join(', '),
    );
    expect([tables[0]?.get('mapPermissions')?.fallback, mapPermissions]).toEqual(['the members of `scope`', undefined]);
    expect(tables[0]?.get('internalServerUrl')?.fallback).toBe('the part of `issuer` before `/realms/`');
    expect(realmUrl).toBe(GIVEN.issuer);
  });
});
