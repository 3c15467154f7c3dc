import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MatrixRow } from '../../apps/service-a/src/matrix/token-matrix.js';
import description from '../../services.json' with { type: 'json' };
import { clientCredentials, login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { describeOnBothServers } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import { startEmbedded, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { addDemoClient as addByScript } from '../../scripts/start/demo-client.mjs';
import { findsActiveWhoeverAsks } from '../support/keycloak-version.js';
import { addDemoClient, withShortTokens } from '../support/demo-client.js';
import { RunningServices, ttl, WITHOUT_DEMO_MODE } from '../support/running-services.js';

const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin', accept: 'application/json' };

const post = (
  url: string,
  headers: Readonly<Record<string, string>> = SAME_ORIGIN,
  form?: Readonly<Record<string, string>>,
): Promise<Response> =>
  fetch(url, { method: 'POST', headers, ...(form === undefined ? {} : { body: new URLSearchParams(form) }) });

const rowsOf = async (answer: Response): Promise<readonly MatrixRow[]> =>
  ((await answer.json()) as { readonly rows: readonly MatrixRow[] }).rows;

describeOnBothServers((connect, which) => {
  describe('stolen tokens', () => {
    let server: ContractServer;
    let services: RunningServices;
    beforeAll(async () => {
      server = await connect();
      services = await RunningServices.start({ server, variables: ttl(10) });
    });
    afterAll(async () => {
      await services.stop();
      await server.stop();
    });

    it('are accepted only by the service in their audience', async () => {
      const response = await post(`${services.a.url}/matrix`);
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
      const isSeenHere = which === 'keycloak' && findsActiveWhoeverAsks();
      expect(rows[1]?.cells[2]?.why).toBe(
        `Made for Service B, and this is Service C: ${isSeenHere ? 'Service C saw that by itself' : 'Keycloak called it inactive'}.`,
      );
      const logged = services
        .printed()
        .split('\n')
        .filter((line) => line.includes(`"reason":"${isSeenHere ? 'other_audience' : 'inactive'}"`))
        .map((line) => JSON.parse(line) as { hint: string; unverified?: { azp: string } });
      for (const [audience, client] of [
        ['service-a', 'service-a'],
        ['service-b', 'service-a'],
        ['service-c', 'service-b'],
      ]) {
        const ofToken = logged.filter(({ hint }) => hint.includes(`is for ${audience}`));
        expect(ofToken.map(({ unverified }) => unverified?.azp)).toEqual(
          isSeenHere ? [undefined, undefined] : [client, client],
        );
      }
    });

    it("include alice's token for Service A if alice runs the matrix", async () => {
      const token = textOf(await login(server, 'alice', 'openid attacks.run'));
      const rows = await rowsOf(
        await post(`${services.a.url}/matrix`, { ...SAME_ORIGIN, authorization: `Bearer ${token}` }),
      );
      expect(rows[0]?.token).toMatchObject({ aud: 'service-a', azp: 'demo-cli' });
      expect(rows[0]?.cells.map(({ verdict }) => verdict)).toEqual(['opens', 'closed', 'closed']);
    });

    it('are accepted by all three services if the services share one token', async () => {
      await addDemoClient(server.administrator);
      const rows = await rowsOf(await post(`${services.a.url}/matrix`, SAME_ORIGIN, { pass_on: 'true' }));
      expect(
        rows.map(({ holder, token: { aud, azp } }) => [holder, aud?.split(' ').toSorted().join(' '), azp]),
      ).toEqual(
        ['service-a', 'service-b', 'service-c'].map((holder) => [
          holder,
          'service-a service-b service-c',
          'one-for-all',
        ]),
      );
      expect(rows.flatMap(({ cells }) => cells.map(({ verdict }) => verdict))).toEqual(Array(9).fill('exposed'));
    });

    it('are refused with 403 on ordinary routes if the client `one-for-all` requested them', async () => {
      await addDemoClient(server.administrator);
      const { demoSecret } = description.addedClients['one-for-all'];
      const token = textOf(await clientCredentials(server, `one-for-all:${demoSecret}`, undefined));
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const routes = [`${services.b.url}/api/process`, `${services.c.url}/api/compute`, `${services.a.url}/attacks`];
      const answers = await Promise.all(routes.map((url) => fetch(url, { method: 'POST', headers, body: '{}' })));
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    });

    it('are sent again only if the request names a known token and a known service', async () => {
      const rows = await rowsOf(await post(`${services.a.url}/matrix`));
      const ask = (form: Readonly<Record<string, string>>, headers = SAME_ORIGIN) =>
        post(`${services.a.url}/matrix/again`, headers, form);
      for (const {
        id = '',
        meantFor: [service = ''],
      } of rows) {
        const answer = (await (await ask({ id, service })).json()) as { readonly cell: object };
        expect(answer.cell).toMatchObject({ service, verdict: 'opens' });
      }
      const [{ id = '' } = {}] = rows;
      expect((await ask({ id, service: 'service-x' })).status).toBe(404);
      expect((await ask({ id: 'no id', service: 'service-a' })).status).toBe(404);
      expect((await ask({ id: `${id.slice(0, -4)}AAAA`, service: 'service-a' })).status).toBe(404);
      expect((await ask({ id: id.repeat(10), service: 'service-a' })).status).toBe(400);
      const page = await ask({ id, service: 'service-x' }, { ...SAME_ORIGIN, accept: 'text/html' });
      expect([page.status, await page.text()]).toEqual([404, expect.stringContaining('The token was not shown again')]);
      expect((await ask({ id, service: 'service-a' }, { ...SAME_ORIGIN, 'sec-fetch-site': 'cross-site' })).status).toBe(
        403,
      );
    });

    it('are not sent if the request comes from another site or the caller lacks the permission', async () => {
      expect((await post(`${services.a.url}/matrix`, { ...SAME_ORIGIN, 'sec-fetch-site': 'cross-site' })).status).toBe(
        403,
      );
      const token = textOf(await login(server, 'alice'));
      expect(
        (await post(`${services.a.url}/matrix`, { ...SAME_ORIGIN, authorization: `Bearer ${token}` })).status,
      ).toBe(403);
    });
  });
});

describe('a stolen token', () => {
  it('is refused after it has expired', async () => {
    await withShortTokens(3, async (server) => {
      const services = await RunningServices.start({ server, variables: ttl(10) });
      try {
        const { id = '', expiresAt = 0, cells = [] } = (await rowsOf(await post(`${services.a.url}/matrix`)))[2] ?? {};
        expect(cells[2]?.verdict).toBe('opens');
        // The token is still valid in the second that `exp` names.
        await sleep(expiresAt * 1000 + 1500 - Date.now());
        const answer = await post(`${services.a.url}/matrix/again`, SAME_ORIGIN, { id, service: 'service-c' });
        expect(((await answer.json()) as { readonly cell: object }).cell).toMatchObject({
          verdict: 'ended',
          why: 'It was made for Service C, and it has expired: Keycloak called it inactive.',
          answer: { status: 401, code: 'invalid_token', reason: 'inactive' },
        });
      } finally {
        await services.stop();
      }
    });
  });
});

describe('a realm without the client one-for-all', () => {
  it('makes the matrix report a script that adds the client or changes its secret', async () => {
    const server = await startEmbedded();
    const services = await RunningServices.start({ server });
    const add = (secret: string) =>
      addByScript({ AUTHORIZATION_SERVER: server.issuer, ONE_FOR_ALL_CLIENT_SECRET: secret });
    const firstRow = async () =>
      (await rowsOf(await post(`${services.a.url}/matrix`, SAME_ORIGIN, { pass_on: 'true' })))[0];
    try {
      expect((await firstRow())?.notRun).toMatch(
        /^Keycloak gave one-for-all no token .*npm start and docker compose add .* node scripts\/start\/demo-client\.mjs adds/,
      );
      await add(description.addedClients['one-for-all'].demoSecret);
      expect((await firstRow())?.cells[2]?.verdict).toBe('exposed');
      await add('another-secret');
      expect((await firstRow())?.notRun).toMatch(/unauthorized_client/);
    } finally {
      await services.stop();
      await server.stop();
    }
  });
});

describe('Service A outside of demo mode', () => {
  it('has no matrix', async () => {
    const services = await RunningServices.start({ only: ['service-a'], variables: WITHOUT_DEMO_MODE });
    try {
      expect((await post(`${services.a.url}/matrix`)).status).toBe(404);
      expect(await (await fetch(services.a.url)).text()).not.toContain('matrix');
    } finally {
      await services.stop();
    }
  });
});
