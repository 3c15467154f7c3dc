/** The tables of the README come from the doc comments. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { resolveKeycloakOptions } from './keycloak.options.js';
import { resolveServiceOptions } from './service.options.js';
import { KeycloakOptionsError } from './option-kinds.js';

const SOURCE = ['issuer.options.ts', 'keycloak.options.ts', 'service.options.ts']
  .map((file) => readFileSync(new URL(file, import.meta.url), 'utf8'))
  .join('\n');

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

interface Member {
  readonly comment: string;
  readonly isRequired: boolean;
}

describe.each([
  ['KeycloakModuleOptions', 'forRoot', GIVEN],
  ['ServiceOptions', 'forFeature', SERVICE],
] as const)('the documented options %s of %s', (type, _, given) => {
  const body = INTERFACES[type]
    .map((name) => new RegExp(`export interface ${name} (?:extends \\w+ )?\\{\n([^]*?)\n\\}`).exec(SOURCE)?.[1])
    .join('\n');
  const members = new Map<string, Member>(
    [...body.matchAll(/\/\*\*([^]*?)\*\/\s*readonly (\w+)(\??):/g)].map(([, words = '', name = '', optional]) => [
      name,
      { comment: words.replaceAll(/\s*\*?\s+/g, ' ').trim(), isRequired: optional === '' },
    ]),
  );
  const names = [...members.keys()];
  const commentOf = (name: string): string => members.get(name)?.comment ?? '';
  const resolve = (bend: object) => resolveAny[type]({ ...given, ...bend });
  const resolved = resolve({}) as Readonly<Record<string, unknown>>;
  const rangeOf = (name: string): readonly string[] =>
    faultsOf(() => resolve({ [name]: Symbol('none') })).flatMap(
      (fault) => / from (\d+) to (\d+)$/.exec(fault)?.slice(1) ?? [],
    );
  const numbers = names.filter((name) => rangeOf(name).length > 0);

  it('have a doc comment, and are known to the code', () => {
    expect(faultsOf(() => resolve(Object.fromEntries(names.map((name) => [name, undefined]))))).not.toContainEqual(
      expect.stringContaining('unknown option'),
    );
    expect(names.length).toBeGreaterThan(10);
    expect(names.toSorted()).toEqual(
      [...new Set([...body.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name))].toSorted(),
    );
  });

  it('are marked as required in the type or the doc comment if the code requires the option', () => {
    const due = faultsOf(() => resolveAny[type]({})).flatMap((fault) =>
      fault.replace(' must be given', '').split(' or '),
    );
    const said = names.filter(
      (name) => name !== 'issuers' && (members.get(name)?.isRequired || commentOf(name).includes(' is required.')),
    );
    expect(said.toSorted()).toEqual(due.toSorted());
  });

  it.each(numbers)('document %s with default and range', (name) => {
    const [, fallback, range = ''] = /Default (\d+|unset), ([^.:]*)/.exec(commentOf(name)) ?? [];
    expect(fallback).toBe(String(resolved[name] ?? 'unset'));
    expect(/(\d+)(?: \([^)]*\))? to (\d+)/.exec(range)?.slice(1)).toEqual(rangeOf(name));
  });

  it('document the default false of boolean options, and mark dangerous options as DANGER', () => {
    const switches = names.filter((name) => typeof resolved[name] === 'boolean');
    expect(switches).toEqual(
      given === GIVEN ? ['verifyAtStart', 'allowInsecureRequests', 'exposeRefusalReasons'] : ['gzip'],
    );
    for (const name of switches.filter((each) => each !== 'verifyAtStart')) {
      expect([name, resolved[name]]).toEqual([name, false]);
      expect(commentOf(name)).toMatch(/Default false\.$/);
      expect(commentOf(name)).toMatch(name === 'gzip' ? /^Whether / : /^DANGER: /);
    }
  });
});

it('the doc comment of expectedDefaultScopes names the same default as the code', () => {
  const scopes = resolveKeycloakOptions(GIVEN).expectedDefaultScopes.map((scope) => `\`${scope}\``);
  expect(SOURCE).toContain(`Default: ${scopes.join(' and ')}. */\n  readonly expectedDefaultScopes`);
});
