import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AttackReport } from '../../apps/service-a/src/attacks/attack-lab.js';
import { startEmbedded, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { pathOf } from '../../libs/keycloak-test-servers/contract/token-sets.js';
import { answering, startFakeService } from '../support/fake-service.js';
import { receiveRevocations } from '../support/receive-revocations.js';
import { RunningServices, ttl } from '../support/running-services.js';
import { startSignalsRealm } from '../support/signals-realm.js';

async function run(services: RunningServices): Promise<AttackReport> {
  const headers = { accept: 'application/json', 'sec-fetch-site': 'same-origin' };
  const response = await fetch(`${services.a.url}/attacks/disabled-user`, { method: 'POST', headers });
  return (await response.json()) as AttackReport;
}

const throwAway = ({ administrator }: ContractServer): Promise<object[]> =>
  administrator.read<object[]>('/users?username=throw-away-');

const latenessIn = ({ attempt }: AttackReport) =>
  'notRun' in attempt ? undefined : attempt.refusedAfter?.map(({ service }) => service);

const ALL = ['Service A', 'Service B', 'Service C'];

describe('the tokens of a user who was disabled', () => {
  let server: ContractServer;
  beforeAll(async () => {
    server = await startSignalsRealm();
  });
  afterAll(() => server.stop());

  const start = (seconds: number): Promise<RunningServices> => {
    return RunningServices.start({ server, variables: ttl(seconds) });
  };

  it('are refused at Service A before the end of the revocation window if the event of Keycloak arrives', async () => {
    // The ttl is 18 s, but the attack waits only 3 s at Service A, so the event causes the refusal.
    const services = await start(18);
    const feeds = await receiveRevocations(services, server);
    try {
      const report = await run(services);
      expect([report.verdict, report.why]).toEqual(['refused', 'Refused as expected: 401 invalid_token, inactive.']);
      expect(latenessIn(report)).toEqual(ALL);
      expect(await throwAway(server)).toEqual([]);
    } finally {
      await feeds.stop();
      await services.stop();
    }
  });

  it('are refused at the end of the revocation window if no event of Keycloak arrives', async () => {
    const services = await start(1);
    try {
      const report = await run(services);
      expect([report.verdict, latenessIn(report)]).toEqual(['refused', ALL]);
      expect(await throwAway(server)).toEqual([]);
    } finally {
      await services.stop();
    }
  });

  it('are not tested if the revocation window is longer than the wait of the attack', async () => {
    const services = await start(19);
    try {
      expect(await run(services)).toMatchObject({
        verdict: 'not_run',
        why: 'A service may accept it for 19 s (INTROSPECTION_TTL_SECONDS), and this attack does not wait that long.',
      });
    } finally {
      await services.stop();
    }
  });
});

describe('a user who was created for the attack', () => {
  it('is deleted when the attack fails', async () => {
    const [server, away] = [await startEmbedded(), await startFakeService(answering(503, {}))];
    const own = { 'service-a': { SERVICE_B_URL: away.url } };
    const services = await RunningServices.start({ server, only: ['service-a'], own, variables: ttl(1) });
    try {
      expect(await run(services)).toMatchObject({
        verdict: 'not_run',
        why: expect.stringContaining('The chain did not run for the new user'),
      });
      expect(await throwAway(server)).toEqual([]);
    } finally {
      await services.stop();
      await away.stop();
      await server.stop();
    }
  });

  it('is not created if the client that may create users is disabled', async () => {
    const server = await startEmbedded();
    const services = await RunningServices.start({ server, only: ['service-a'], variables: ttl(1) });
    try {
      await server.administrator.change('PUT', await pathOf(server, 'demo-helpdesk'), { enabled: false });
      expect(await run(services)).toMatchObject({
        verdict: 'not_run',
        why: 'Keycloak gave demo-helpdesk no token to attack with (invalid_client). npm start and docker compose enable this client in a realm that they start.',
      });
    } finally {
      await services.stop();
      await server.stop();
    }
  });
});
