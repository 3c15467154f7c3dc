import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtServer, cacheFolder, findDistribution } from './keycloak-distribution.js';
import { resolveSettings } from './keycloak-settings.js';

describe('findDistribution', () => {
  it('reports a cache folder that can not be written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cache-'));
    const { XDG_CACHE_HOME } = process.env;
    process.env['XDG_CACHE_HOME'] = join(folder, 'a-file');
    try {
      writeFileSync(join(folder, 'a-file'), '');
      writeFileSync(join(folder, 'realm.json'), '{"realm":"shop"}');
      const found = await findDistribution(await resolveSettings({ realm: join(folder, 'realm.json') }));
      expect(found).toEqual({ missing: [expect.stringMatching(/the cache folder .*a-file.* can't be written \(/)] });
    } finally {
      process.env['XDG_CACHE_HOME'] = XDG_CACHE_HOME;
      if (XDG_CACHE_HOME === undefined) delete process.env['XDG_CACHE_HOME'];
      rmSync(folder, { recursive: true });
    }
  });
});

describe('builtServer', () => {
  it('returns a different path for different features', () => {
    expect([builtServer('/cache/keycloak-26.7.4', []), builtServer('/cache/keycloak-26.7.4', ['dpop', 'ssf'])]).toEqual(
      ['/cache/keycloak-26.7.4-built', '/cache/keycloak-26.7.4-built+dpop+ssf'],
    );
  });
});

describe('cacheFolder', () => {
  it('is in XDG_CACHE_HOME if this variable is set', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/var/cache/me' })).toBe('/var/cache/me/nestjs-keycloak-s2s');
  });

  it.each([{}, { XDG_CACHE_HOME: '' }])('is in the home folder if XDG_CACHE_HOME is not set (%j)', (environment) => {
    expect(cacheFolder(environment)).toBe(`${homedir()}/.cache/nestjs-keycloak-s2s`);
  });
});
