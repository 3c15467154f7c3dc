import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import { login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { canMakeCertificates, TestAuthority } from '../../libs/keycloak/spec-support/certificates.js';
import type { Variables } from '../support/running-service.js';
import { RunningServices } from '../support/running-services.js';
import { TlsTerminator } from '../support/tls-terminator.js';
import { Tinyproxy, tinyproxyPath } from '../support/tinyproxy.js';

const installed = tinyproxyPath !== undefined && canMakeCertificates ? describe : describe.skip;

installed('services behind a forward proxy', () => {
  let house: TestAuthority;
  let keycloak: TlsTerminator;
  let behind: RunningServices;
  let serviceB: TlsTerminator;
  let token: string;
  const stopped: (() => Promise<void>)[] = [];
  const issuer = (): string => `${keycloak.url}/realms/${testServer().realm}`;

  beforeAll(async () => {
    house = new TestAuthority();
    keycloak = await TlsTerminator.start(testServer().baseUrl, house.issue(), true);
    behind = await RunningServices.start({
      only: ['service-b', 'service-c'],
      direct: true,
      server: { baseUrl: keycloak.url, issuer: issuer() },
      variables: { KEYCLOAK_CA_FILE: house.caFile() },
    });
    serviceB = await TlsTerminator.start(behind.b.url, house.issue());
    token = textOf(await login(testServer(), 'alice'));
  });
  afterAll(async () => {
    await serviceB.stop();
    await behind.stop();
    await keycloak.stop();
    house.remove();
  });
  afterEach(async () => {
    for (const stop of stopped.splice(0).toReversed()) await stop();
  });

  async function proxy(...settings: string[]): Promise<Tinyproxy> {
    const started = await Tinyproxy.start(tinyproxyPath ?? '', ...settings);
    stopped.push(() => started.stop());
    return started;
  }

  async function serviceA(variables: Variables, urls: Variables = {}): Promise<RunningServices> {
    const authorities = { KEYCLOAK_CA_FILE: house.caFile(), SERVICES_CA_FILE: house.caFile() };
    const services = await RunningServices.start({
      only: ['service-a'],
      direct: true,
      server: { baseUrl: keycloak.url, issuer: issuer() },
      own: { 'service-a': { SERVICE_B_URL: serviceB.url, ...authorities, ...urls, ...variables } },
    });
    stopped.push(() => services.stop());
    return services;
  }

  const ask = (services: RunningServices, path: string): Promise<Response> =>
    fetch(services.a.url + path, { headers: { authorization: `Bearer ${token}` } });
  const linesIn = (services: RunningServices): string[] => services.printed().split('\n');
  const linesOf = (services: RunningServices, { port }: Tinyproxy): string[] =>
    linesIn(services).filter((line) => line.includes(`"proxy":"127.0.0.1:${port}"`));
  const failureIn = (services: RunningServices): unknown =>
    JSON.parse(linesIn(services).findLast((line) => line.includes('"Request failed"')) ?? '{}');
  const hostOf = (terminator: TlsTerminator): string => new URL(terminator.url).host;

  it('reach Keycloak and other services through tunnels of the proxy', async () => {
    const used = await proxy();
    const services = await serviceA(used.variables());
    expect((await ask(services, '/run-service-b')).status).toBe(200);
    expect((await ask(services, '/api/orders/9876/receipt')).status).toBe(200);
    const asked = new Set(used.requests);
    expect(asked).toEqual(new Set([`CONNECT ${hostOf(keycloak)}`, `CONNECT ${hostOf(serviceB)}`]));
    expect(linesOf(services, used)).toEqual(
      ['Keycloak', 'service-b'].map(
        (server) => expect.stringContaining(`Calls to ${server} go through a proxy`) as unknown,
      ),
    );
    expect(services.printed()).not.toContain('pass-4711');
  });

  it('reach the hosts of NO_PROXY directly', async () => {
    const used = await proxy();
    const services = await serviceA({ ...used.variables(), NO_PROXY: hostOf(serviceB) });
    expect((await ask(services, '/run-service-b')).status).toBe(200);
    expect(new Set(used.requests)).toEqual(new Set([`CONNECT ${hostOf(keycloak)}`]));
    expect(linesOf(services, used)).toEqual([expect.stringContaining('Calls to Keycloak go through a proxy')]);
  });

  it('do not use the proxy without NODE_USE_ENV_PROXY', async () => {
    const used = await proxy();
    const { NODE_USE_ENV_PROXY: _, ...addresses } = used.variables();
    const services = await serviceA(addresses);
    expect((await ask(services, '/run-service-b')).status).toBe(200);
    expect(used.requests).toEqual([]);
  });

  it('send requests to servers without TLS through the proxy in development', async () => {
    const used = await proxy();
    const services = await serviceA(used.variables(), { SERVICE_B_URL: behind.b.url });
    expect((await ask(services, '/run-service-b')).status).toBe(200);
    expect(used.requests).toContain(`POST ${behind.b.url}/api/process`);
  });

  it.each<[string, (used: Tinyproxy) => Variables, string, string[]]>([
    ['requires credentials (407)', (used) => used.variables(''), 'answered_407', []],
    ['refuses tunnels to the port (403)', (used) => used.variables(), 'answered_403', ['ConnectPort 443']],
  ])('name the proxy as the cause if the proxy %s', async (_, variables, detail, settings) => {
    const used = await proxy(...settings);
    const services = await serviceA(variables(used));
    const answer = await ask(services, '/run-service-b');
    expect([answer.status, await answer.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'authorization_server_unavailable' }),
    ]);
    expect(failureIn(services)).toMatchObject({
      reason: 'proxy_refused',
      detail,
      hint: expect.stringContaining('The proxy refused the connection') as unknown,
    });
    expect(used.requests.length).toBeGreaterThan(0);
  });

  it('wait for a hanging proxy only until the call timeout', async () => {
    const used = await proxy();
    const services = await serviceA(used.variables());
    used.freeze();
    try {
      const answer = await ask(services, '/run-service-b');
      expect([answer.status, await answer.json()]).toEqual([
        503,
        expect.objectContaining({ code: 'authorization_server_unavailable' }),
      ]);
      expect(failureIn(services)).toMatchObject({ reason: 'proxy_timeout' });
    } finally {
      used.thaw();
    }
  });

  it('name the called service in the error if the proxy refuses a connection to this service', async () => {
    const used = await proxy('ConnectPort 443');
    const services = await serviceA({ ...used.variables(), NO_PROXY: hostOf(keycloak) });
    const answer = await ask(services, '/run-service-b');
    expect([answer.status, await answer.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'service_unavailable' }),
    ]);
    expect(failureIn(services)).toMatchObject({ called: 'service-b', reason: 'proxy_refused', detail: 'answered_403' });
  });
});
