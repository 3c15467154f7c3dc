import { beforeAll, describe, expect, it } from '@jest/globals';

interface Manifest {
  readonly exports: Record<string, string | Record<string, string>>;
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly peerDependenciesMeta?: Record<string, { readonly optional: boolean }>;
}

interface Script {
  readonly faultsOfDependencies: (contents: object) => string[];
  readonly filesInUse: (contents: object) => Set<string>;
}

let script: Script;
beforeAll(async () => {
  const path = new URL('../../scripts/checks/package-dependencies.mjs', import.meta.url).href;
  script = (await import(path)) as Script;
});

const FILES: Readonly<Record<string, string>> = {
  'dist/index.js': [
    "import { createHash } from 'node:crypto';",
    "import { channel } from 'diagnostics_channel';",
    "export { cached } from './cache.js';",
  ].join('\n'),
  'dist/index.d.ts': "import type { Module } from '@nestjs/common';",
  'dist/cache.js':
    "import { LRUCache } from 'lru-cache/raw';\nexport const open = () => import('an-engine');\nexport const line = Buffer.from('no-package');",
  'dist/testing/index.js':
    "/** Use: import { x } from 'an-example'; */\nexport * from '../cache.js';\nimport 'for-tests';",
  'dist/testing/index.d.ts': '',
};

const exportOf = (folder: string): Record<string, string> => ({
  types: `./dist/${folder}index.d.ts`,
  default: `./dist/${folder}index.js`,
});

const SOUND = {
  exports: { '.': exportOf(''), './testing': exportOf('testing/'), './package.json': './package.json' },
  dependencies: { 'lru-cache': '1' },
  peerDependencies: { '@nestjs/common': '1', 'for-tests': '1', 'an-engine': '1' },
  peerDependenciesMeta: { 'for-tests': { optional: true }, 'an-engine': { optional: true } },
} satisfies Manifest;

const faults = (manifest: Manifest, files = FILES): string[] =>
  script.faultsOfDependencies({ files: Object.keys(files), read: (file: string) => files[file], manifest });

describe('the dependencies of a package', () => {
  it('pass the check if the main entry point directly or indirectly imports each dependency', () => {
    expect(faults(SOUND)).toEqual([]);
  });

  it.each<[string, Partial<Manifest>, string]>([
    [
      'a dependency that only the entry point for tests imports',
      {
        dependencies: { 'lru-cache': '1', 'for-tests': '1' },
        peerDependencies: { '@nestjs/common': '1', 'an-engine': '1' },
      },
      'for-tests is installed for everybody, but the entry point "." does not lead to it',
    ],
    [
      'a required peer that only the entry point for tests imports',
      { peerDependenciesMeta: { 'an-engine': { optional: true } } },
      'for-tests is installed for everybody, but the entry point "." does not lead to it',
    ],
    [
      'a dependency that no entry point imports',
      { dependencies: { 'lru-cache': '1', 'left-over': '1' } },
      'left-over is installed for everybody, but the entry point "." does not lead to it',
    ],
    [
      'an optional peer that no entry point imports',
      {
        peerDependencies: { ...SOUND.peerDependencies, 'left-over': '1' },
        peerDependenciesMeta: { ...SOUND.peerDependenciesMeta, 'left-over': { optional: true } },
      },
      'left-over is an optional peer, but no entry point leads to it',
    ],
    [
      'an optional peer that the main entry point always imports',
      { peerDependenciesMeta: { ...SOUND.peerDependenciesMeta, '@nestjs/common': { optional: true } } },
      'the entry point "." always imports @nestjs/common, which is an optional peer',
    ],
    [
      'a second copy of Nest',
      { dependencies: { 'lru-cache': '1', '@nestjs/common': '1' } },
      '@nestjs/common is a dependency, but must only be a peer',
    ],
  ])('fail the check with %s', (_, change, fault) => {
    expect(faults({ ...SOUND, ...change })).toContain(fault);
  });

  describe('of a package with two entry points and one optional peer', () => {
    const manifest = { ...SOUND, exports: { ...SOUND.exports, './further': exportOf('further/') } };

    it('pass the check if only a shared module imports the optional peer', () => {
      const files = {
        ...FILES,
        'dist/testing/index.js': "export { made } from '../shared/made.js';",
        'dist/further/index.js': "export { made } from '../shared/made.js';",
        'dist/shared/made.js': "import 'for-tests';",
      };
      expect(faults(manifest, files)).toEqual([]);
    });

    it('fail the check if every entry point imports a peer that is declared as optional', () => {
      const exports = {
        ...SOUND.exports,
        './testing': exportOf('entry-points/one/'),
        './further': exportOf('entry-points/other/'),
      };
      const files = {
        ...FILES,
        'dist/entry-points/one/index.js': "import 'for-tests';",
        'dist/entry-points/other/index.js': "import 'for-tests';",
      };
      expect(faults({ ...SOUND, exports }, files)).toContain(
        'for-tests is an optional peer, but more than one entry point always imports it by itself',
      );
    });

    it.each([
      ['both entry points import the optional peer', "import 'for-tests';"],
      ['one entry point imports the other entry point', "export { x } from '../testing/index.js';"],
    ])('fail the check when %s', (_, text) => {
      expect(faults(manifest, { ...FILES, 'dist/further/index.js': text })).toContain(
        'for-tests is an optional peer, but more than one entry point always imports it by itself',
      );
    });
  });

  it('fail the check if the manifest lacks a dependency of an entry point', () => {
    expect(faults({ ...SOUND, dependencies: {} })).toEqual([
      'the entry point "." leads to lru-cache, which the manifest does not name',
      'the entry point "./testing" leads to lru-cache, which the manifest does not name',
    ]);
    const { 'for-tests': _, ...peers } = SOUND.peerDependencies;
    expect(faults({ ...SOUND, peerDependencies: peers })).toEqual([
      'the entry point "./testing" leads to for-tests, which the manifest does not name',
    ]);
  });

  it('fail the check if type declarations import a package that the manifest does not name', () => {
    const peerDependencies = { 'for-tests': '1', 'an-engine': '1' };
    expect(faults({ ...SOUND, peerDependencies })).toEqual([
      'the entry point "." leads to @nestjs/common, which the manifest does not name',
    ]);
  });

  it('fail the check if type declarations extend a package that the manifest does not name', () => {
    const files = { ...FILES, 'dist/testing/index.d.ts': "declare module 'a-runner' {}" };
    expect(faults(SOUND, files)).toEqual([
      'the entry point "./testing" leads to a-runner, which the manifest does not name',
    ]);
  });
});

describe('the files that a package uses', () => {
  it('include files that package.json exports without conditions', () => {
    const manifest = { ...SOUND, exports: { ...SOUND.exports, './preset': './preset.json' } };
    const files = { ...FILES, 'preset.json': '{}', 'left-over.json': '{}' };
    const used = script.filesInUse({
      files: Object.keys(files),
      read: (file: string) => Object(files)[file],
      manifest,
    });
    expect([...used].filter((file) => file.endsWith('.json'))).toEqual(['preset.json']);
  });
});
