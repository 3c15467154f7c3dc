/** Runs the pods of the manifests, with other addresses, and with an authorization server without TLS. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { connect } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from '@redis/client';
import { freePort } from 'keycloak-test-servers';
import { valkeyRevocations } from 'nestjs-keycloak-s2s/valkey';
import { systemClock } from '../../libs/keycloak/src/caching/clock.js';
import { HeldDenials } from '../../libs/keycloak/src/revocation/held-denials.js';
import { Rechecks } from '../../libs/keycloak/src/revocation/rechecks.js';
import { RevocationSharing } from '../../libs/keycloak/src/revocation/revocation-sharing.js';
import { Browser, locationOf } from '../../libs/keycloak-test-servers/contract/browser.js';
import { claimsOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { installed } from '../../scripts/common/installed.mjs';
import { containerOf } from '../support/pod-files.js';
import { argumentsOf } from '../support/pod-processes.js';
import { canRunPods, RunningPods, SHUTDOWN_DELAY_SECONDS, type PodAnswer } from '../support/running-pods.js';
import { SERVICES } from '../support/services.js';
import { until } from '../support/until.js';

const valkeyCli = installed('valkey-cli');
const describeWithAll = canRunPods && valkeyCli !== undefined ? describe : describe.skip;

const SHARING_OPTIONS = {
  maxRevocations: 100_000,
  revocationRetentionSeconds: 36_000,
  clockToleranceSeconds: 5,
  introspectionTtlSeconds: 10,
  allowInsecureRequests: false,
};

const PAGE = { accept: 'text/html' };
const bearer = (token: string) => ({ accept: 'application/json', authorization: `Bearer ${token}` });
const cookiesOf = ({ headers }: PodAnswer): string =>
  (headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ');

describeWithAll('the pods of the small overlay', () => {
  let pods: RunningPods;
  const kept = new Agent({ keepAlive: true });

  beforeAll(async () => {
    pods = await RunningPods.start();
  });
  afterAll(async () => {
    kept.destroy();
    await pods.stop();
  });

  const tokenOfAlice = async (): Promise<string> => textOf(await login(pods.server, 'alice'));

  it('pass all probes, and accept callers only over TLS', async () => {
    for (const { name } of SERVICES) {
      expect(await pods.probe(name, 'startupProbe')).toBe(200);
      expect(await pods.probe(name, 'livenessProbe')).toBe(200);
      expect(await pods.probe(name, 'readinessProbe')).toBe(200);
      expect(pods.service(name).printed()).toContain(`${name} listens on 127.0.0.1, port `);
      await expect(fetch(`${pods.urlOf(name).replace('https', 'http')}/health/live`)).rejects.toThrow('fetch failed');
    }
  });

  it('serve metrics over TLS, at a separate port (OP-03)', async () => {
    for (const { name } of SERVICES) {
      const { status, text } = await pods.ask(name, '/metrics', { at: pods.metricsUrlOf(name) });
      expect([status, text]).toEqual([200, expect.stringContaining('keycloak_s2s_signals_state')]);
      expect((await pods.ask(name, '/api/whoami', { at: pods.metricsUrlOf(name) })).status).toBe(404);
      expect((await pods.ask(name, '/metrics')).status).toBe(404);
    }
  });

  it('run the chain for a user, and make each call over TLS', async () => {
    const answer = await pods.ask('service-a', '/run-service-b', { headers: bearer(await tokenOfAlice()) });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({ service_c: { result: 20 } });
    expect((await pods.ask('service-a', '/run-service-b')).status).toBe(401);
  });

  it('store the session of a user in Valkey after a login in a browser', async () => {
    const browser = new Browser();
    const toKeycloak = await pods.ask('service-a', '/auth/login', { headers: PAGE });
    const form = await browser.open(toKeycloak.headers.location ?? '');
    const callback = new URL(locationOf(await browser.submitLogin(form, 'alice')) ?? '');
    const { PUBLIC_URL: publicUrl } = pods.environmentOf('service-a');
    expect(callback.origin).toBe(publicUrl);
    const loggedIn = await pods.ask('service-a', `${callback.pathname}${callback.search}`, {
      headers: { ...PAGE, cookie: cookiesOf(toKeycloak) },
    });
    expect(cookiesOf(loggedIn)).toContain('__Host-session=');
    const chain = await pods.ask('service-a', '/run-service-b', {
      headers: { accept: 'application/json', cookie: cookiesOf(loggedIn) },
    });
    expect([chain.status, chain.text]).toEqual([200, expect.stringContaining('"result":20')]);
  });

  it('have Valkey users with sufficient rights to share a denial', async () => {
    const token = await tokenOfAlice();
    const whoami = async (): Promise<number | undefined> =>
      (await pods.ask('service-a', '/api/whoami', { headers: bearer(token) })).status;
    expect(await whoami()).toBe(200);
    const options = {
      ...SHARING_OPTIONS,
      issuer: pods.server.issuer,
      revocationChannel: valkeyRevocations({
        url: pods.sharedStateUrlOf('service-b'),
        keys: [pods.fileOf('service-a', 'denial-keys').trim()],
        ca: pods.fileOf('service-a', 'ca.crt'),
      }),
    };
    const silent = { log: () => undefined, error: () => undefined };
    const denials = new HeldDenials(options, systemClock, { warn: () => undefined });
    const sharing = new RevocationSharing(denials, new Rechecks(10, systemClock), options, systemClock, silent);
    await sharing.start(5000);
    denials.deny({ sid: String(claimsOf(token)['sid']) });
    while ((await whoami()) !== 401) await sleep(10);
    await sharing.stop();
  });

  it('have only necessary rights in Valkey, and have no rights without a password', async () => {
    const socket = { tls: true, ca: pods.fileOf('service-a', 'ca.crt') } as const;
    const url = pods.sharedStateUrlOf('service-a').replace('valkeys://', 'rediss://');
    const client = createClient({ url, RESP: 2, socket });
    await client.connect();
    for (const command of [['FLUSHALL'], ['CONFIG', 'GET', '*'], ['ACL', 'LIST'], ['KEYS', '*'], ['GET', 'other']]) {
      await expect(client.sendCommand(command)).rejects.toThrow('NOPERM');
    }
    client.destroy();
    const nobody = createClient({ url: `rediss://localhost:${pods.valkeyPort}`, RESP: 2, socket });
    nobody.on('error', () => undefined);
    await expect(nobody.connect().then(() => nobody.ping())).rejects.toThrow('NOAUTH');
    nobody.destroy();
  });

  it('include Valkey, whose probe succeeds only if Valkey answers', async () => {
    const { command = [] } = containerOf(pods.pod('valkey'), 'valkey').livenessProbe?.exec ?? {};
    expect(command[0]).toBe('valkey-cli');
    const probe = async (port: number): Promise<string> => {
      const args = ['-p', String(port), ...argumentsOf(command, pods.rootOf('valkey'))];
      return (await promisify(execFile)(valkeyCli ?? '', args)).stdout.trim();
    };
    expect(await probe(pods.valkeyPort)).toBe('PONG');
    await expect(probe(await freePort())).rejects.toThrow('Command failed');
  });

  it('trust one certificate authority for calls to Keycloak, and another for calls to services', () => {
    for (const { name } of SERVICES) {
      const environment = pods.environmentOf(name);
      expect(environment).not.toHaveProperty('NODE_EXTRA_CA_CERTS');
      expect(environment['KEYCLOAK_CA_FILE']).toMatch(/\/authorities\/keycloak-ca\.crt$/);
      expect(environment['SERVICES_CA_FILE']).toMatch(/\/authorities\/ca\.crt$/);
    }
  });

  it('use at most half of their memory limit', () => {
    for (const { name } of SERVICES) {
      const status = readFileSync(`/proc/${pods.service(name).process.pid}/status`, 'utf8');
      const resident = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
      const limit = Number.parseInt(String(containerOf(pods.pod(name), 'service').resources?.limits?.['memory']), 10);
      expect(resident / 1024).toBeGreaterThan(50);
      expect(resident / 1024).toBeLessThan(limit / 2);
    }
  });

  it('use a new certificate without a restart, and without an effect on open connections', async () => {
    const fingerprint = async (): Promise<string> => {
      const { port } = new URL(pods.urlOf('service-b'));
      const socket = connect({ port: Number(port), host: 'localhost', ca: pods.fileOf('service-b', 'ca.crt') });
      await once(socket, 'secureConnect');
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    const open = new Agent({ keepAlive: true, maxSockets: 1 });
    const live = async (): Promise<unknown> => (await pods.ask('service-b', '/health/live', { agent: open })).status;
    expect(await live()).toBe(200);
    const [socket] = Object.values(open.freeSockets).flat();
    const before = await fingerprint();
    pods.replaceCertificate('service-b');
    await until(async () => (await fingerprint()) !== before, 'the sidecar uses the new certificate');
    expect(await live()).toBe(200);
    expect(Object.values(open.freeSockets).flat()).toEqual([socket]);
    open.destroy();
  });

  it('keep the former certificate while the new certificate does not match the new key', async () => {
    pods.replaceCertificate('service-c', true);
    await until(
      () => pods.sidecar('service-c').printed().includes('Keeps the former certificate'),
      'the log of the sidecar says so',
    );
    expect(pods.sidecar('service-c').printed()).not.toContain('BEGIN');
    expect(await pods.probe('service-c', 'livenessProbe')).toBe(200);
  });

  it('keep open connections while the sidecar refuses the new certificate repeatedly', async () => {
    const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const endMs = performance.now() + 4000;
    const statuses = new Set<unknown>();
    const client = async (agent: Agent): Promise<void> => {
      while (performance.now() < endMs)
        statuses.add(
          await pods.ask('service-c', '/health/live', { agent }).then(
            ({ status }) => status,
            (error: Error) => error.message,
          ),
        );
      agent.destroy();
    };
    await Promise.all(agents.map(client));
    expect([...statuses]).toEqual([200]);
  });

  it("lose no request when they stop, because the sidecar forwards the service's Connection header", async () => {
    const token = await tokenOfAlice();
    const { process, exited } = pods.service('service-c');
    const before = await pods.ask('service-c', '/health/live', { agent: kept });
    const began = performance.now();
    process.kill('SIGTERM');
    while ((await pods.probe('service-c', 'readinessProbe')) !== 503) await sleep(10);
    const meanwhile = await pods.ask('service-c', '/health/live', { agent: kept });
    expect([before, meanwhile].map(({ status, headers }) => [status, headers.connection])).toEqual([
      [200, 'keep-alive'],
      [200, 'close'],
    ]);
    expect((await pods.ask('service-a', '/run-service-b', { headers: bearer(token) })).status).toBe(200);
    expect(await exited).toBe(0);
    const seconds = (performance.now() - began) / 1000 - SHUTDOWN_DELAY_SECONDS;
    const delay = Number(pods.environmentOf('service-c')['SHUTDOWN_DELAY_SECONDS']);
    expect(delay + seconds).toBeLessThan(pods.pod('service-c').terminationGracePeriodSeconds ?? 0);
    await expect(pods.ask('service-c', '/health/live')).rejects.toThrow(/socket|ECONNRESET/);
  });
});
