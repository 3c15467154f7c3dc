import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, startAuthorizationServer, type RunningAuthorizationServer } from 'keycloak-test-servers';
import { endService, spawnService, untilReady, type BuiltService } from '../support/built-service.js';
import { clientCredentials, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { REALM_ENVIRONMENT, REALM_FILE } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { Haproxy, haproxyPath } from '../support/haproxy.js';
import { REALM } from '../../libs/keycloak-test-servers/contract/demo-realm.js';

const SERVICE = 'service-b';
const REQUESTS = 5000;
const MOST_REQUESTS = 30_000;
const CALLERS = 20;
const PAUSE_MS = 40;
/** This secret is not a published demo secret, because a service refuses demo secrets in production. */
const SECRET = 'a-secret-for-this-test-alone';

const describeWithHaproxy = haproxyPath === undefined ? describe.skip : describe;

describeWithHaproxy('a rolling restart of two replicas behind HAProxy', () => {
  let server: RunningAuthorizationServer;
  let haproxy: Haproxy;
  let token: string;
  const replicas = new Map<number, BuiltService>();

  function spawnReplica(port: number, secret = SECRET): BuiltService {
    const replica = spawnService(SERVICE, {
      NODE_ENV: 'production',
      DEMO_MODE: 'false',
      KEYCLOAK_ALLOW_INSECURE_REQUESTS: 'true',
      KEYCLOAK_BASE_URL: server.baseUrl,
      KEYCLOAK_REALM: REALM,
      SERVICE_B_CLIENT_SECRET: secret,
      SERVICE_C_URL: 'http://127.0.0.1:9',
      PORT: String(port),
    });
    replicas.set(port, replica);
    return replica;
  }

  async function startReplica(port: number): Promise<void> {
    const replica = spawnReplica(port);
    await untilReady(`http://127.0.0.1:${port}`, replica);
  }

  beforeAll(async () => {
    const environment = { ...REALM_ENVIRONMENT, SERVICE_B_CLIENT_SECRET: SECRET };
    server = await startAuthorizationServer({ realm: REALM_FILE, environment });
    token = textOf(await clientCredentials(server, 'service-a', 'orders.approve'));
    const ports = [await freePort(), await freePort()];
    for (const port of ports) await startReplica(port);
    const settings = ['retries 0'];
    haproxy = await Haproxy.start(haproxyPath ?? '', [
      { name: SERVICE, port: await freePort(), replicas: ports, settings },
    ]);
    await haproxy.untilAllAreUp();
  });

  afterAll(async () => {
    for (const replica of replicas.values()) await endService(replica);
    await haproxy.stop();
    await server.stop();
  });

  const outcomes = new Map<string, number>();
  let sent = 0;

  async function caller(agent: Agent | false, isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      sent += 1;
      const outcome = await call(agent).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      await sleep(PAUSE_MS);
    }
  }

  async function call(agent: Agent | false): Promise<string> {
    const headers = { Authorization: `Bearer ${token}` };
    const [response] = (await once(
      request(`${haproxy.urlOf(SERVICE)}/api/whoami`, { agent, headers }).end(),
      'response',
    )) as [IncomingMessage];
    await once(response.resume(), 'end');
    return String(response.statusCode);
  }

  it("loses none of 5,000 requests on new and kept-alive connections, even without HAProxy's retries", async () => {
    const kept = new Agent({ keepAlive: true, maxSockets: CALLERS / 2 });
    let isRolled = false;
    const isDone = (): boolean => (isRolled && sent >= REQUESTS) || sent >= MOST_REQUESTS;
    const callers = Promise.all(
      Array.from({ length: CALLERS }, (_, number) => caller(number % 2 === 0 && kept, isDone)),
    );
    try {
      for (const [place, [port, replica]] of [...replicas].entries()) {
        replica.process.kill('SIGTERM');
        await haproxy.untilReplicaIs('DOWN', SERVICE, place);
        expect(await replica.exited).toBe(0);
        await startReplica(port);
        await haproxy.untilReplicaIs('UP', SERVICE, place);
      }
    } finally {
      isRolled = true;
      await callers;
      kept.destroy();
    }
    expect(Object.fromEntries(outcomes)).toEqual({ 200: sent });
    expect(sent).toBeGreaterThanOrEqual(REQUESTS);
    expect(sent).toBeLessThan(MOST_REQUESTS);
  });

  it('sends no request to a replica with a wrong secret, which is never ready', async () => {
    const [[port, replica] = []] = replicas;
    if (port === undefined || replica === undefined) throw new Error('no replica');
    replica.process.kill('SIGTERM');
    await haproxy.untilReplicaIs('DOWN', SERVICE, 0);
    await replica.exited;
    spawnReplica(port, 'a-secret-that-is-another-one');
    const health = (what: string): Promise<Response | undefined> =>
      fetch(`http://127.0.0.1:${port}/health/${what}`).catch(() => undefined);
    while ((await health('live'))?.status !== 200) await sleep(100);
    const ready = await health('ready');
    expect(ready?.status).toBe(503);
    expect(await ready?.json()).toMatchObject({ error: { keycloak: { code: 'authorization_server_refused' } } });
    const answers = await Promise.all(Array.from({ length: 200 }, () => call(false)));
    expect(new Set(answers)).toEqual(new Set(['200']));
    expect((await health('ready'))?.status).toBe(503);
  });
});
