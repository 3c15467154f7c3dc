import { testServer, type TestServer } from 'keycloak-test-servers';
import { expect, inject, it } from 'vitest';

it('injects the server, and the options of the server', async () => {
  // #region inject
  const { issuer, realm } = inject('testServer');
  const { environment } = inject('authorizationServer');
  // #endregion inject
  expect((await fetch(issuer)).status).toBe(200);
  expect({ realm, secret: environment?.['ORDERS_CLIENT_SECRET'] }).toEqual({ realm: 'shop', secret: 'orders-secret' });
});

it('injects the value that testServer() returns', () => {
  const server: TestServer = inject('testServer');
  expect(server).toEqual(testServer());
});

it('checks the types of injected values', () => {
  // @ts-expect-error A server has no such property.
  expect(inject('testServer').unknown).toBeUndefined();
  // @ts-expect-error No value has this key.
  expect(inject('unknown')).toBeUndefined();
});
