import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';

interface ResolvedConfig {
  readonly transform: readonly (readonly [pattern: string, path: string, options: object])[];
  readonly transformIgnorePatterns: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const SWC = join(root, 'node_modules/@swc/jest/index.js');
/** The key that `nest new` writes. The value is `@swc/jest`, since this repository has no ts-jest. */
const OWN_TRANSFORM = { '^.+\\.(t|j)s$': '@swc/jest' };

const run = (...args: string[]): Promise<string> =>
  promisify(execFile)(process.execPath, args, { cwd: root }).then(({ stdout }) => stdout);

async function resolved(options: object): Promise<ResolvedConfig> {
  const config = JSON.stringify({ rootDir: root, ...options });
  const text = await run('node_modules/jest/bin/jest.js', '--showConfig', `--config=${config}`);
  const { configs } = JSON.parse(text) as { readonly configs: readonly [ResolvedConfig] };
  return configs[0];
}

async function onWindows(patterns: readonly string[]): Promise<string[]> {
  const script = `require('node:path').sep = '\\\\';
    const { replacePathSepForRegex } = require('jest-regex-util');
    console.log(JSON.stringify(${JSON.stringify(patterns)}.map(replacePathSepForRegex)));`;
  return JSON.parse(await run('--eval', script)) as string[];
}

const MANIFESTS = ['libs/keycloak', 'libs/keycloak-test-servers'].map(
  (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest,
);
const OWN = MANIFESTS.map(({ name }) => name);
const OTHERS = [...new Set(MANIFESTS.flatMap((one) => Object.keys({ ...one.dependencies, ...one.peerDependencies })))]
  // This repository has no Vitest.
  .filter((name) => name !== 'vitest');

async function esModules(): Promise<string[]> {
  const script = `const { isModuleNamespaceObject } = require('node:util').types;
    console.log(JSON.stringify(${JSON.stringify(OTHERS)}.filter((name) => isModuleNamespaceObject(require(name)))));
    process.exit();`;
  return [...OWN, ...(JSON.parse(await run('--eval', script)) as string[])];
}

describe.each([
  ['ts-jest', 'except those of Nest 12', (name: string) => !name.startsWith('@nestjs/')],
  ['swc-jest', 'and those of Nest 12', () => true],
])('the Jest preset %s', (name, nest, isExpected) => {
  let config: ResolvedConfig;
  let patternsOnWindows: readonly string[];
  beforeAll(async () => {
    config = await resolved({ preset: `nestjs-keycloak-s2s/${name}`, transform: OWN_TRANSFORM });
    patternsOnWindows = await onWindows(config.transformIgnorePatterns);
  });

  const isTransformed = (path: string, patterns: readonly string[] = config.transformIgnorePatterns): boolean =>
    !new RegExp(patterns.join('|')).test(path);

  it('prefers a transform that the service configures', () => {
    expect(config.transform[0]).toEqual(['^.+\\.(t|j)s$', SWC, {}]);
  });

  it(`transforms exactly the packages that are ES modules, ${nest}`, async () => {
    const expected = (await esModules()).filter(isExpected);
    expect(expected).toEqual(expect.arrayContaining(['oauth4webapi', 'jose']));
    expect([...OWN, ...OTHERS].filter((one) => isTransformed(`/app/node_modules/${one}/dist/index.js`))).toEqual(
      expected,
    );
  });

  it.each([
    ['transforms', '/app/src/orders/orders.controller.ts'],
    ['transforms', '/app/node_modules/jose/dist/webapi/index.js'],
    ['transforms', '/app/node_modules/keycloak-test-servers/node_modules/jose/dist/webapi/index.js'],
    ['transforms', '/app/node_modules/.pnpm/jose@6.2.18/node_modules/jose/dist/webapi/index.js'],
    ['transforms', '/app/.yarn/cache/jose-npm-6.2.18-0.zip/node_modules/jose/dist/webapi/index.js'],
    ['ignores', '/app/node_modules/.pnpm/nestjs-keycloak-s2s@1.0.0_rxjs@7.8.2/node_modules/rxjs/index.js'],
    ['ignores', '/app/node_modules/nestjs-keycloak-s2s/node_modules/lru-cache/index.js'],
    ['ignores', '/app/node_modules/jose-of-others/index.js'],
    ['ignores', '/app/node_modules/@others/jose/index.js'],
  ])('%s %s', (verb, path) => {
    expect(isTransformed(path)).toBe(verb === 'transforms');
    expect(isTransformed(`C:${path.replaceAll('/', '\\')}`, patternsOnWindows)).toBe(verb === 'transforms');
  });
});

describe('the Jest preset swc-jest', () => {
  it('compiles the decorators of Nest in TypeScript only', async () => {
    const { transform } = await resolved({ preset: 'nestjs-keycloak-s2s/swc-jest' });
    expect(transform).toMatchObject([
      [
        '^.+\\.ts$',
        SWC,
        {
          jsc: {
            parser: { syntax: 'typescript', decorators: true },
            transform: { legacyDecorator: true, decoratorMetadata: true },
          },
        },
      ],
      ['^.+\\.js$', SWC, { swcrc: false, jsc: { keepClassNames: true } }],
    ]);
    expect(JSON.stringify(transform[1])).not.toContain('legacyDecorator');
  });
});
