import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { clientCredentials, login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { answering, startFakeService, type FakeService } from '../support/fake-service.js';
import { RunningServices } from '../support/running-services.js';
import { until } from '../support/until.js';

const PATH = '/health/details';

let keycloak: ContractServer;
beforeAll(async () => {
  keycloak = await connectToKeycloak();
});
afterAll(() => keycloak.stop());

const operator = async (service: string): Promise<string> =>
  textOf(await clientCredentials(keycloak, 'operator', `${service}.health`));

async function details(url: string, token?: string) {
  const answer = await fetch(url + PATH, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, unknown>> };
}

describe('the health details of a service (OP-06)', () => {
  let chain: RunningServices;
  beforeAll(async () => {
    chain = await RunningServices.start();
  });
  afterAll(() => chain.stop());

  it('are refused with missing_token if the request has no token', async () => {
    expect(await details(chain.a.url)).toMatchObject({ status: 401, body: { code: 'missing_token' } });
  });

  it.each(['alice', 'bob'] as const)(
    'are refused to the user %s, whose token has only other permissions',
    async (user) => {
      expect(await details(chain.a.url, textOf(await login(keycloak, user)))).toMatchObject({
        status: 403,
        body: { code: 'insufficient_scope', permission: 'service-a.health' },
      });
    },
  );

  it('are refused to a caller whose token has only the permission for other routes', async () => {
    const ofA = textOf(await clientCredentials(keycloak, 'service-a', 'orders.approve'));
    expect(await details(chain.b.url, ofA)).toMatchObject({ status: 403, body: { permission: 'service-b.health' } });
  });

  it.each(['service-a', 'service-b', 'service-c'])('are returned by %s to the client operator', async (service) => {
    const { status, body } = await details(chain.at(service).url, await operator(service));
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'ok', details: { keycloak: { status: 'up' }, process: { status: 'up' } } });
  });

  it('show circuits, queues, caches and versions', async () => {
    const idle = { circuit: 'closed', running: 0, queued: 0 };
    expect((await details(chain.a.url, await operator('service-a'))).body).toMatchObject({
      details: {
        'service-b': { status: 'up', checkedSecondsAgo: expect.any(Number) as unknown },
        calls: {
          status: 'up',
          authorizationServer: { introspection: { circuit: 'closed', queued: 0 } },
          services: { 'service-b': idle },
        },
        process: {
          versions: {
            service: 'dev',
            library: expect.stringMatching(/^\d+\.\d+\.\d+/) as unknown,
            node: process.versions.node,
          },
          caches: { introspections: expect.any(Number) as unknown, revocations: 0 },
        },
      },
    });
  });

  it('are refused to a token for the health details of another service', async () => {
    expect(await details(chain.b.url, await operator('service-a'))).toMatchObject({ status: 401 });
  });

  it('need a permission that does not give access to orders or to the chain', async () => {
    const headers = { authorization: `Bearer ${await operator('service-a')}` };
    const answers = ['/api/orders/9876', '/run-service-b'].map(async (path) => fetch(chain.a.url + path, { headers }));
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([403, 403]);
  });
});

describe('the health details of a service whose called service has stopped', () => {
  it('have status 503 and name the stopped service', async () => {
    const chain = await RunningServices.start({ only: ['service-a', 'service-b'] });
    try {
      const token = await operator('service-a');
      expect((await details(chain.a.url, token)).status).toBe(200);
      await chain.b.stop();
      await until(async () => (await details(chain.a.url, token)).status === 503, 'the next check fails');
      expect((await details(chain.a.url, token)).body).toMatchObject({
        error: { 'service-b': { status: 'down', code: 'ECONNREFUSED' } },
      });
      expect((await fetch(`${chain.a.url}/health/ready`)).status).toBe(200);
    } finally {
      await chain.stop();
    }
  });
});

describe('many calls for health details', () => {
  let next: FakeService;
  let probes = 0;
  beforeAll(async () => {
    next = await startFakeService((request, response) => {
      if (request.url === '/health/ready') probes += 1;
      answering(200, {})(request, response);
    });
  });
  afterAll(() => next.stop());

  it('cause only a few probes of Keycloak and of the called service (OP-06)', async () => {
    const chain = await RunningServices.start({
      only: ['service-a'],
      own: { 'service-a': { SERVICE_B_URL: next.url } },
    });
    try {
      const token = await operator('service-a');
      const { calls } = await chain.keycloak.during(async () => {
        for (let round = 0; round < 4; round += 1) {
          const answers = Array.from({ length: 25 }, async () => details(chain.a.url, token));
          for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
        }
      });
      // A service repeats a probe after five seconds, so a slow run has several probes.
      expect(probes).toBeLessThan(10);
      expect(calls.filter(({ endpoint }) => endpoint === 'other').length).toBeLessThan(10);
    } finally {
      await chain.stop();
    }
  });
});
