import { describe, expect, it } from '@jest/globals';
import { homedir } from 'node:os';
import { cacheFolder } from './keycloak-distribution.js';

describe('cacheFolder', () => {
  it('follows XDG_CACHE_HOME', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/var/cache/me' })).toBe('/var/cache/me/nestjs-keycloak-s2s');
  });

  it.each([{}, { XDG_CACHE_HOME: '' }])('is in the home folder otherwise (%j)', (environment) => {
    expect(cacheFolder(environment)).toBe(`${homedir()}/.cache/nestjs-keycloak-s2s`);
  });
});
