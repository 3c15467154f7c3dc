/** The matrix of stolen tokens: nine real requests, of which three open; and what the services log of the six others. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MatrixRow } from '../../apps/service-a/src/attacks/token-matrix.js';
import { login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { describeOnBothServers, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { RunningServices, ttl, WITHOUT_DEMO_MODE } from '../support/running-services.js';

const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin', accept: 'application/json' };

const post = (url: string, headers: Readonly<Record<string, string>> = SAME_ORIGIN): Promise<Response> =>
  fetch(`${url}/matrix`, { method: 'POST', headers });

describeOnBothServers((connect) => {
  describe('stolen tokens', () => {
    let server: ContractServer;
    let services: RunningServices;
    beforeAll(async () => {
      server = await connect();
      services = await RunningServices.start({ server, variables: ttl(10) });
    }, 60_000);
    afterAll(async () => {
      await services.stop();
      await server.stop();
    });

    it('open the one service that they were made for, each for a reason that the log of the service has, too', async () => {
      const response = await post(services.a.url);
      expect(response.status).toBe(200);
      const text = await response.text();
      expect(text).not.toContain('eyJ');
      const { rows } = JSON.parse(text) as { rows: MatrixRow[] };
      expect(rows.map(({ holder, token: { aud, azp } }) => [holder, aud, azp])).toEqual([
        ['service-a', 'service-a', 'service-a'],
        ['service-a', 'service-b', 'service-a'],
        ['service-b', 'service-c', 'service-b'],
      ]);
      expect(rows.map(({ cells }) => cells.map(({ verdict }) => verdict))).toEqual([
        ['opens', 'closed', 'closed'],
        ['closed', 'opens', 'closed'],
        ['closed', 'closed', 'opens'],
      ]);
      expect(rows[1]?.cells[2]?.why).toBe('Made for Service B, and this is Service C: Keycloak told Service C so.');
      const logged = services
        .printed()
        .split('\n')
        .filter((line) => line.includes('"reason":"inactive"'))
        .map((line) => JSON.parse(line) as { hint: string; unverified: { azp: string } });
      for (const [audience, client] of [
        ['service-a', 'service-a'],
        ['service-b', 'service-a'],
        ['service-c', 'service-b'],
      ]) {
        const ofToken = logged.filter(({ hint }) => hint.includes(`It says that it is for ${audience}`));
        expect(ofToken.map(({ unverified }) => unverified.azp)).toEqual([client, client]);
      }
    });

    it('are tried for nobody from elsewhere, and for no token without the permission', async () => {
      expect((await post(services.a.url, { ...SAME_ORIGIN, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
      const token = textOf(await login(server, 'alice'));
      expect((await post(services.a.url, { ...SAME_ORIGIN, authorization: `Bearer ${token}` })).status).toBe(403);
    });
  });
});

describe('outside of demo mode', () => {
  it('there is no matrix', async () => {
    const services = await RunningServices.start({ only: ['service-a'], variables: WITHOUT_DEMO_MODE });
    try {
      expect((await post(services.a.url)).status).toBe(404);
      expect(await (await fetch(services.a.url)).text()).not.toContain('matrix');
    } finally {
      await services.stop();
    }
  });
});
