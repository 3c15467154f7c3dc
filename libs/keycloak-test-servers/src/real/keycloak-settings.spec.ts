import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRealmExport, unfilledPlaceholders } from '../realm-export.js';
import { keycloakVariables, resolveSettings } from './keycloak-settings.js';

const folder = await mkdtemp(join(tmpdir(), 'keycloak-settings-'));
afterAll(() => rm(folder, { recursive: true }));

const realm = JSON.stringify({
  realm: 'shop',
  clients: [
    {
      secret: '${SHOP_SECRET}',
      baseUrl: '${SHOP_URL:http://localhost:3000}',
      attributes: { text: '${profileScopeConsentText}' },
    },
  ],
});

describe('the settings of a started Keycloak', () => {
  it('name the placeholders that have no value and no default', () => {
    expect(unfilledPlaceholders(realm, {})).toEqual(['SHOP_SECRET']);
    expect(unfilledPlaceholders(realm, { SHOP_SECRET: 's' })).toEqual([]);
  });

  it('contain the realm name from the realm file', async () => {
    const path = join(folder, 'shop.json');
    await writeFile(path, realm);
    await expect(readRealmExport(path, { SHOP_SECRET: 's' })).resolves.toEqual({ realm: 'shop', json: realm });
    await writeFile(path, '[]');
    await expect(readRealmExport(path, {})).rejects.toThrow('shop.json is not a realm export');
  });

  it('enable the requested features, and set no KC_HOSTNAME if requests determine the host name', async () => {
    const path = join(folder, 'shop.json');
    await writeFile(path, '{"realm":"shop"}');
    const variables = async (options: object = {}) => {
      const settings = await resolveSettings({ realm: path, ...options });
      return keycloakVariables('http://localhost:1', { http: 1, management: 2 }, '127.0.0.1', settings);
    };
    expect(await variables({ features: ['ssf', 'dpop'] })).toMatchObject({ KC_FEATURES: 'dpop,ssf' });
    expect(await variables()).not.toHaveProperty('KC_FEATURES');
    expect(await variables()).toHaveProperty('KC_HOSTNAME', 'http://localhost:1');
    const asAsked = Object.keys(await variables({ hostname: 'of each request' }));
    expect(asAsked.filter((name) => name.startsWith('KC_HOSTNAME'))).toEqual([]);
  });

  it('refuse a realm file with unfilled placeholders', async () => {
    const path = join(folder, 'shop.json');
    await writeFile(path, realm);
    await expect(resolveSettings({ realm: path })).rejects.toThrow('SHOP_SECRET');
    await expect(resolveSettings({ realm: path, environment: () => ({ SHOP_SECRET: 's' }) })).resolves.toMatchObject({
      realm: 'shop',
      version: '26.7.5',
      fetchTimeoutSeconds: 900,
      startupTimeoutSeconds: 300,
    });
  });
});
