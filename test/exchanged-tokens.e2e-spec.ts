/** What revoking a token and ending a session do to the tokens that were exchanged: at Keycloak, and at a service. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tokensFor } from './contract-code-cases.js';
import { claims } from './contract-observations.js';
import { chainOf, exchange, introspect, login, logout, revoke, textOf, exchangeForB } from './contract-requests.js';
import { describeOnBothServers, NEW_CLIENT_SECRET, type ContractServer } from './contract-server.js';
import { GuardedService } from './guarded-service.js';
import { ServiceOutput } from './running-chain.js';

const EXCHANGED_LIVES_SECONDS = 3;

let output: ServiceOutput;
beforeAll(() => {
  output = new ServiceOutput();
});
afterAll(() => output.restore());

describeOnBothServers((connect) => {
  let server: ContractServer;
  /** Asks for every request. */
  let b: GuardedService;
  beforeAll(async () => {
    server = await connect();
    b = await GuardedService.start(server, 0);
  }, 30_000);
  afterAll(async () => {
    await b.stop();
    await server.stop();
  });

  const isActive = async (service: 'service-a' | 'service-b' | 'service-c', token: string): Promise<unknown> =>
    (await introspect(server, service, token)).members['active'];

  describe('the token that others were exchanged from', () => {
    it('when it is revoked leaves them active until their own end, here and down the chain (TX-09)', async () => {
      const client = await server.newClient('web', { 'access.token.lifespan': String(EXCHANGED_LIVES_SECONDS) });
      const first = textOf(await tokensFor(server, client));
      const caller = `${client}:${NEW_CLIENT_SECRET}` as const;
      const reply = await exchange(server, caller, first, { scope: 'orders.approve', audience: 'service-b' });
      const second = textOf(reply);
      await revoke(server, caller, first);
      await expect(isActive('service-a', first)).resolves.toBe(false);
      // Nor is it exchanged once more.
      const again = await exchange(server, caller, first, { scope: 'orders.approve', audience: 'service-b' });
      expect(again.members['error']).toBe('invalid_request');
      const end = Number(claims(reply)['exp']) * 1000;
      const seen = new Set<string>();
      for (; Date.now() < end; await sleep(100)) {
        const states = `${String(await isActive('service-b', second))} ${(await b.whoami(second)).status}`;
        // What was asked before the end and answered after it tells nothing.
        if (Date.now() < end) seen.add(states);
      }
      expect([...seen]).toEqual(['true 200']);
      // The second that `exp` names counts still.
      await sleep(end + 2000 - Date.now());
      await expect(isActive('service-b', second)).resolves.toBe(false);
      expect((await b.whoami(second)).status).toBe(401);
    }, 20_000);

    it('of a chain takes neither the next nor the one after it along when it is revoked (TX-09)', async () => {
      const chain = await chainOf(server, await server.newUser('order-manager'));
      await revoke(server, 'service-a', chain.atB);
      await expect(isActive('service-b', chain.atB)).resolves.toBe(false);
      await expect(isActive('service-c', chain.atC)).resolves.toBe(true);
      expect((await b.whoami(chain.atB)).status).toBe(401);
    });
  });

  describe('the session that all of them are of', () => {
    type End = (username: string, chain: Awaited<ReturnType<typeof chainOf>>) => Promise<unknown>;
    it.each<[string, End]>([
      ['by its user', (_, chain) => logout(server, textOf(chain.login, 'refresh_token'))],
      ['by an administrator', (_, chain) => server.endSession(String(claims(chain.login)['sid']))],
      ['with all others of the user', (username) => server.logOutUser(username)],
    ])('when it is ended %s takes them all along (TX-09)', async (_, end) => {
      const username = await server.newUser('order-manager');
      const chain = await chainOf(server, username);
      const states = () =>
        Promise.all([
          isActive('service-a', chain.atA),
          isActive('service-b', chain.atB),
          isActive('service-c', chain.atC),
        ]);
      await expect(states()).resolves.toEqual([true, true, true]);
      expect((await b.whoami(chain.atB)).status).toBe(200);
      await end(username, chain);
      await expect(states()).resolves.toEqual([false, false, false]);
      expect((await b.whoami(chain.atB)).status).toBe(401);
      // A login of the same user afterwards is another session.
      const after = textOf(await login(server, username));
      await expect(isActive('service-b', await exchangeForB(server, after))).resolves.toBe(true);
    });
  });
});
