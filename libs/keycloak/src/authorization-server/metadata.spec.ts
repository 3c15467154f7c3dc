import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../caching/clock.js';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { connectionTo } from '../../spec-support/test-realm.js';
import { startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { createAuthorizationServer } from './create-authorization-server.js';
import type { ServerMetadata } from './metadata.js';

let realm: RunningAuthorizationServer;
let document: Readonly<Record<string, unknown>>;
beforeAll(async () => {
  realm = await startTestRealm();
  const response = await fetch(`${realm.issuer}/.well-known/openid-configuration`);
  document = (await response.json()) as Record<string, unknown>;
});
beforeEach(() => {
  realm.control.fault('discovery', undefined);
  realm.control.calls.reset();
});
afterAll(() => realm.stop());

const says = (bend: Readonly<Record<string, unknown>>): void =>
  realm.control.fault('discovery', { kind: 'answer', body: { ...document, ...bend } });

const metadataOf = (bend: Partial<ReturnType<typeof connectionTo>> = {}): ServerMetadata =>
  createAuthorizationServer({ ...connectionTo(realm), ...bend }, systemClock).metadata;

describe('ServerMetadata', () => {
  it('is fetched once for concurrent callers, and then cached', async () => {
    const metadata = metadataOf();
    expect(realm.control.calls.discovery).toBe(0);
    const all = await Promise.all(Array.from({ length: 100 }, () => metadata.get()));
    expect(new Set(all).size).toBe(1);
    await metadata.get();
    expect(realm.control.calls.discovery).toBe(1);
  });

  it('is kept when a refresh fails', async () => {
    const metadata = metadataOf();
    const known = await metadata.get();
    realm.control.fault('discovery', { kind: 'status', status: 500 });
    await expect(metadata.refresh()).rejects.toMatchObject({ code: 'authorization_server_unavailable' });
    expect(await metadata.get()).toBe(known);
  });

  it('can be fetched from a URL that differs from the issuer', async () => {
    const issuer = 'https://keycloak.example.com/realms/test';
    says({ issuer });
    await expect(metadataOf({ issuer }).get()).resolves.toMatchObject({ issuer });
  });

  it.each<[string, (issuer: string) => unknown]>([
    ['another realm', (issuer) => `${issuer}2`],
    ['a final slash', (issuer) => `${issuer}/`],
    ['the scheme in capitals, an equal URL', (issuer) => issuer.replace('http', 'HTTP')],
    ['a dot segment, an equal URL', (issuer) => issuer.replace('/realms', '/./realms')],
    ['another host', () => 'http://keycloak.example.com/realms/test'],
  ])('is refused when the metadata names another issuer: %s (CC-07)', async (_, bend) => {
    says({ issuer: bend(realm.issuer) });
    await expect(metadataOf().get()).rejects.toMatchObject({
      code: 'authorization_server_refused',
      reason: 'issuer_mismatch',
    });
  });

  it('is rejected when the issuer is missing (CC-07)', async () => {
    says({ issuer: undefined });
    await expect(metadataOf().get()).rejects.toMatchObject({ code: 'authorization_server_unavailable' });
  });

  it.each(['token_endpoint', 'introspection_endpoint'])(
    'is refused when its %s is missing or at a foreign origin (CC-07)',
    async (endpoint) => {
      for (const [url, reason] of [
        ['http://evil.example.com/token', 'endpoint_on_foreign_origin'],
        [`${realm.baseUrl}@evil.example.com/token`, 'endpoint_on_foreign_origin'],
        ['javascript:alert(1)', 'endpoint_on_foreign_origin'],
        ['/realms/test/token', 'endpoint_missing'],
        [undefined, 'endpoint_missing'],
      ]) {
        says({ [endpoint]: url });
        await expect(metadataOf().get()).rejects.toMatchObject({ code: 'authorization_server_refused', reason });
      }
    },
  );

  it('fails with realm_not_found when the realm does not exist', async () => {
    await expect(metadataOf({ realmUrl: `${realm.issuer}-not` }).get()).rejects.toMatchObject({
      code: 'authorization_server_refused',
      reason: 'realm_not_found',
    });
  });

  it('reports the error description of Keycloak when Keycloak refuses the request', async () => {
    const body = { error: 'invalid_request', error_description: 'HTTPS required' };
    realm.control.fault('discovery', { kind: 'answer', status: 403, body });
    await expect(metadataOf().get()).rejects.toMatchObject({
      code: 'authorization_server_refused',
      reason: 'answered_403_invalid_request',
      fields: { description: 'HTTPS required', endpoint: realm.issuer },
    });
  });

  it('is not fetched over http unless allowInsecureRequests is set (RS-04)', async () => {
    await expect(metadataOf({ allowInsecureRequests: false }).get()).rejects.toMatchObject({
      name: 'AuthorizationServerError',
    });
    expect(realm.control.calls.discovery).toBe(0);
  });
});
