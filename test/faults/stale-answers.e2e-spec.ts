import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFaultProxy, type ConnectionFault, type RunningFaultProxy } from 'keycloak-test-servers';
import { KeycloakStatus, RevocationList } from 'nestjs-keycloak-s2s';
import { tokenText } from '../../libs/keycloak/src/testing/token-text.js';
import { claimsOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { exchangeForB, logout } from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { newSession, type Session } from '../support/new-session.js';
import { RunningServices, ttl } from '../support/running-services.js';
import { until } from '../support/until.js';

const TTL_SECONDS = 1;
const WITH_STALE_ANSWERS = { ...ttl(TTL_SECONDS), INTROSPECTION_STALE_IF_ERROR_SECONDS: '120' };

let keycloak: ContractServer;
let proxy: RunningFaultProxy;
let services: RunningServices;
let session: Session;

beforeAll(async () => {
  keycloak = await connectToKeycloak();
  proxy = await startFaultProxy({ target: keycloak.baseUrl });
  services = await start(WITH_STALE_ANSWERS);
});
afterAll(async () => {
  await services.stop();
  await proxy.stop();
  await keycloak.stop();
});
beforeEach(async () => {
  session = await newSession(keycloak);
});
afterEach(() => proxy.fault(undefined));

const start = (variables: Readonly<Record<string, string>>): Promise<RunningServices> =>
  RunningServices.start({
    server: { baseUrl: proxy.baseUrl, issuer: keycloak.issuer },
    direct: true,
    variables: { ...variables, KEYCLOAK_TIMEOUT_MS: '1000' },
  });

const isStale = ({ b }: RunningServices): boolean =>
  b.app.get(KeycloakStatus, { strict: false }).read().staleIntrospections.inUseSeconds !== undefined;

const statusAtB = async (token = session.atB): Promise<number> => (await services.b.whoami(token)).status;

/** Waits until Service B uses an expired result. */
async function outage(fault: ConnectionFault): Promise<void> {
  expect(await statusAtB()).toBe(200);
  await proxy.fault(fault);
  proxy.resetConnections();
  await until(async () => (await statusAtB()) === 200 && isStale(services));
}

describe('a service with introspectionStaleIfErrorSeconds', () => {
  it.each<ConnectionFault>([{ kind: 'refuse' }, { kind: 'hang' }])(
    'accepts only known tokens during an outage, and introspects after it: $kind (RS-13, RS-14)',
    async (fault) => {
      const unknown = await exchangeForB(keycloak, session.atA);
      await outage(fault);
      expect(await statusAtB(unknown)).toBe(503);
      expect(await statusAtB(tokenText('junk'))).toBe(503);
      await proxy.fault(undefined);
      await until(async () => (await statusAtB()) === 200 && !isStale(services));
      await until(async () => (await statusAtB(unknown)) === 200);
    },
  );

  it('runs the chain for a user whose tokens are known', async () => {
    const headers = { Authorization: `Bearer ${session.atA}` };
    const run = async (): Promise<number> => (await fetch(`${services.a.url}/run-service-b`, { headers })).status;
    expect(await run()).toBe(200);
    await outage({ kind: 'refuse' });
    await until(async () => (await run()) === 200 && isStale(services));
  });

  it('refuses a denied token immediately', async () => {
    await outage({ kind: 'refuse' });
    services.b.app.get(RevocationList, { strict: false }).deny({ sid: String(claimsOf(session.atB)['sid']) });
    expect(await services.b.whoami(session.atB)).toMatchObject({ status: 401, reason: 'revoked' });
  });

  it('refuses a token that was revoked during the outage when Keycloak answers again', async () => {
    await outage({ kind: 'refuse' });
    await logout(keycloak, session.refreshToken);
    expect(await statusAtB()).toBe(200);
    await proxy.fault(undefined);
    await until(async () => (await statusAtB()) === 401);
  });
});

describe('a service without introspectionStaleIfErrorSeconds', () => {
  it('answers 503 after the ttl', async () => {
    const without = await start(ttl(TTL_SECONDS));
    try {
      expect((await without.b.whoami(session.atB)).status).toBe(200);
      await proxy.fault({ kind: 'refuse' });
      proxy.resetConnections();
      await until(async () => (await without.b.whoami(session.atB)).status === 503);
      expect(isStale(without)).toBe(false);
    } finally {
      await without.stop();
    }
  });
});
