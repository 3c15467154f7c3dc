import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { claims } from '../../libs/keycloak-test-servers/contract/observations.js';
import {
  chainOf,
  exchange,
  introspect,
  login,
  logout,
  revoke,
  textOf,
  exchangeForB,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import { describeOnBothServers } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { startEmbeddedServer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { RunningServices } from '../support/running-services.js';

describeOnBothServers((connect) => {
  let server: ContractServer;
  let services: RunningServices;
  beforeAll(async () => {
    server = await connect();
    services = await RunningServices.start({ only: ['service-b'], server });
  });
  afterAll(async () => {
    await services.stop();
    await server.stop();
  });

  const isActive = async (service: 'service-a' | 'service-b' | 'service-c', token: string): Promise<unknown> =>
    (await introspect(server, service, token)).members['active'];

  describe('the revocation of a subject token', () => {
    it('leaves all exchanged tokens active until their expiry (TX-09)', async () => {
      const chain = await chainOf(server, await server.newUser('order-manager'));
      const untilBefore = (await introspect(server, 'service-b', chain.atB)).members['exp'];
      await revoke(server, undefined, chain.atA, { client_id: 'demo-cli' });
      await expect(isActive('service-a', chain.atA)).resolves.toBe(false);
      const wanted = { scope: 'orders.approve', audience: 'service-b' };
      expect((await exchange(server, 'service-a', chain.atA, wanted)).members['error']).toBe('invalid_request');
      expect((await introspect(server, 'service-b', chain.atB)).members).toMatchObject({
        active: true,
        exp: untilBefore,
      });
      await expect(isActive('service-c', chain.atC)).resolves.toBe(true);
      expect((await services.b.whoami(chain.atB)).status).toBe(200);
    });

    it('leaves the exchanged token for Service C active if the subject token was for Service B (TX-09)', async () => {
      const chain = await chainOf(server, await server.newUser('order-manager'));
      await revoke(server, 'service-a', chain.atB);
      await expect(isActive('service-b', chain.atB)).resolves.toBe(false);
      await expect(isActive('service-c', chain.atC)).resolves.toBe(true);
      expect((await services.b.whoami(chain.atB)).status).toBe(401);
    });
  });

  describe('the end of a session', () => {
    type End = (username: string, chain: Awaited<ReturnType<typeof chainOf>>) => Promise<unknown>;
    it.each<[string, End]>([
      ['the user logs out', (_, chain) => logout(server, textOf(chain.login, 'refresh_token'))],
      ['an administrator ends the session', (_, chain) => server.endSession(String(claims(chain.login)['sid']))],
      ['an administrator ends all sessions of the user', (username) => server.logOutUser(username)],
    ])('makes all tokens of the chain inactive: %s (TX-09)', async (_, end) => {
      const username = await server.newUser('order-manager');
      const chain = await chainOf(server, username);
      const states = () =>
        Promise.all([
          isActive('service-a', chain.atA),
          isActive('service-b', chain.atB),
          isActive('service-c', chain.atC),
        ]);
      await expect(states()).resolves.toEqual([true, true, true]);
      expect((await services.b.whoami(chain.atB)).status).toBe(200);
      await end(username, chain);
      await expect(states()).resolves.toEqual([false, false, false]);
      expect((await services.b.whoami(chain.atB)).status).toBe(401);
      const after = textOf(await login(server, username));
      await expect(isActive('service-b', await exchangeForB(server, after))).resolves.toBe(true);
    });
  });
});

describe('exchanged tokens of a revoked subject token', () => {
  it('stay active until they expire (TX-09)', async () => {
    const server = await startEmbeddedServer();
    try {
      const chain = await chainOf(server, 'alice');
      await revoke(server, undefined, chain.atA, { client_id: 'demo-cli' });
      const atC = async () => (await introspect(server, 'service-c', chain.atC)).members['active'];
      // A token that Service B requested expires after one minute.
      server.control.clock.advance(30);
      await expect(atC()).resolves.toBe(true);
      server.control.clock.advance(40);
      await expect(atC()).resolves.toBe(false);
    } finally {
      await server.stop();
    }
  });
});
