import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import {
  clientCredentials,
  exchangeForB,
  login,
  textOf,
  type Asked,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import { describeOnBothServers } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import { callerOf, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { startEmbeddedServer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { claimsOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { NOWHERE, RunningServices, ttl, type ServerAddress } from '../support/running-services.js';

const TTL_SECONDS = 1;
const BUSY_SECONDS = 5;

const startB = (server: ServerAddress, ttlSeconds = TTL_SECONDS): Promise<RunningServices> =>
  RunningServices.start({ only: ['service-b'], server, direct: true, variables: ttl(ttlSeconds) });

type Status = () => Promise<number>;

/** The requirement is a refusal within the ttl plus one second. */
async function untilRefused(status: Status): Promise<{ status: number; afterMs: number }> {
  const startMs = performance.now();
  let last = await status();
  while (last === 200 && performance.now() - startMs < 10_000) {
    await sleep(50);
    last = await status();
  }
  return { status: last, afterMs: performance.now() - startMs };
}

describeOnBothServers((connect) => {
  let keycloak: ContractServer;
  let services: RunningServices;

  beforeAll(async () => {
    keycloak = await connect();
    services = await RunningServices.start({
      only: ['service-a', 'service-b'],
      server: keycloak,
      direct: true,
      variables: ttl(TTL_SECONDS),
      own: { 'service-a': { SERVICE_B_URL: NOWHERE } },
    });
  });
  afterAll(async () => {
    await services.stop();
    await keycloak.stop();
  });

  const atA =
    (token: string): Status =>
    async () =>
      (await services.a.whoami(token)).status;
  const atB =
    (token: string): Status =>
    async () =>
      (await services.b.whoami(token)).status;

  const ENDINGS: readonly (readonly [what: string, end: (username: string, token: string) => Promise<void>])[] = [
    ['the user is disabled', (username) => keycloak.disableUser(username)],
    ['the session is ended', (_, token) => keycloak.endSession(String(claimsOf(token)['sid']))],
    ['every session of the user is ended', (username) => keycloak.logOutUser(username)],
  ];

  it.each(ENDINGS)(
    "%s: services refuse the user's token and exchanged tokens within the ttl (RS-13)",
    async (_, end) => {
      const username = await keycloak.newUser('order-manager');
      const own = textOf(await login(keycloak, username));
      const [ownAtA, exchangedAtB] = [atA(own), atB(await exchangeForB(keycloak, own))];
      expect([await ownAtA(), await exchangedAtB()]).toEqual([200, 200]);
      await end(username, own);
      for (const refused of await Promise.all([untilRefused(ownAtA), untilRefused(exchangedAtB)])) {
        expect(refused.status).toBe(401);
        expect(refused.afterMs).toBeLessThan((TTL_SECONDS + BUSY_SECONDS) * 1000);
      }
    },
  );

  it('the client is disabled: services refuse its token within the ttl (RS-13)', async () => {
    const client = await keycloak.newClient('service');
    const token = textOf(await clientCredentials(keycloak, callerOf(client), 'orders.approve'));
    const status = atB(token);
    expect(await status()).toBe(200);
    await keycloak.disableClient(client);
    const refused = await untilRefused(status);
    expect(refused.status).toBe(401);
    expect(refused.afterMs).toBeLessThan((TTL_SECONDS + BUSY_SECONDS) * 1000);
  });
});

describe('a service whose own client is disabled', () => {
  it('answers 502 to an unknown token, and sends no challenge (RS-14)', async () => {
    const server = await startEmbeddedServer();
    const services = await startB(server, 10);
    try {
      const token = await tokenForB(server);
      server.control.disableClient('service-b');
      expect(await services.b.whoami(token)).toMatchObject({
        status: 502,
        code: 'authorization_server_refused',
        challenge: null,
      });
    } finally {
      await services.stop();
      await server.stop();
    }
  });
});

const tokenForB = async (server: Asked): Promise<string> =>
  textOf(await clientCredentials(server, 'service-a', 'orders.approve'));

describe('the clock', () => {
  let server: RunningAuthorizationServer;
  let services: RunningServices;

  beforeAll(async () => {
    server = await startEmbeddedServer();
    services = await startB(server);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    server.control.clock.setAhead(0);
  });
  afterAll(async () => {
    await services.stop();
    await server.stop();
  });

  /** Moves the clock of this process, which the service and the embedded server share. */
  function ourDateJumps(seconds: number): void {
    const now = Date.now;
    jest.spyOn(Date, 'now').mockImplementation(() => now() + seconds * 1000);
  }

  // The default tolerance is 5 s, and tokens of service-a live for 300 s.
  it.each([
    [3, 200, undefined],
    [30, 401, 'issued_in_the_future'],
    [600, 401, 'issued_in_the_future'],
    [-30, 200, undefined],
    [-600, 401, 'expired'],
  ])("of the server is %i s ahead of the service's clock: the status is %i (RS-07)", async (ahead, status, reason) => {
    server.control.clock.setAhead(ahead);
    const token = await tokenForB(server);
    expect(await services.b.whoami(token)).toMatchObject({ status, reason });
  });

  it('does not prolong cached results if the clock of the service is set back by a minute (RS-12, RS-13)', async () => {
    // Issues the token 100 s earlier, so its issue time is still in the past after the setback.
    server.control.clock.setAhead(-100);
    const token = await tokenForB(server);
    server.control.clock.setAhead(0);
    expect(await services.b.whoami(token)).toMatchObject({ status: 200 });
    server.control.revokeToken(token);
    ourDateJumps(-60);
    const status: Status = async () => (await services.b.whoami(token)).status;
    expect(await status()).toBe(200);
    const refused = await untilRefused(status);
    expect(refused.status).toBe(401);
    expect(refused.afterMs).toBeLessThan((TTL_SECONDS + BUSY_SECONDS) * 1000);
  });

  it('makes a cached token expire if the clock of the service jumps an hour ahead (RS-07)', async () => {
    const token = await tokenForB(server);
    expect(await services.b.whoami(token)).toMatchObject({ status: 200 });
    ourDateJumps(3600);
    server.control.clock.setAhead(-3600);
    expect(await services.b.whoami(token)).toMatchObject({ status: 401, reason: 'expired' });
  });
});
