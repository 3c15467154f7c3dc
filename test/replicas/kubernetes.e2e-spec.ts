/**
 * The pods of deploy/kubernetes as processes of this machine: services, sidecars and Valkey, with the settings, files and commands of the manifests.
 * What differs is where they listen, and that their authorization server speaks plain http.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from '@redis/client';
import type { IPodSpec } from 'kubernetes-models/v1';
import { freePort, startAuthorizationServer, type RunningAuthorizationServer } from 'keycloak-test-servers';
import { valkeyRevocations } from 'nestjs-keycloak-s2s/valkey';
import { openssl, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { systemClock } from '../../libs/keycloak/src/caching/clock.js';
import { HeldDenials } from '../../libs/keycloak/src/revocation/held-denials.js';
import { Rechecks } from '../../libs/keycloak/src/revocation/rechecks.js';
import { RevocationSharing } from '../../libs/keycloak/src/revocation/revocation-sharing.js';
import {
  claimsOf,
  prefixOf,
  REALM_ENVIRONMENT,
  REALM_FILE,
} from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { endService, spawnService, type BuiltService } from '../support/built-service.js';
import { haproxyPath } from '../support/haproxy.js';
import { installed } from '../support/installed.js';
import {
  filesOf,
  kubectlPath,
  ManifestFolder,
  podOf,
  referencesOf,
  workloadsOf,
  type KubernetesObject,
} from '../support/manifests.js';
import { containerOf, environmentOf, mountFiles } from '../support/pod-files.js';
import { argumentsOf, startContainer, type PodProcess } from '../support/pod-processes.js';
import { SERVICES } from '../support/services.js';

const valkeyCli = installed('valkey-cli');
const isAllHere = ![kubectlPath, openssl, haproxyPath, valkeyPath, valkeyCli].includes(undefined);
const describeWithAll = isAllHere ? describe : describe.skip;

/** That of the manifests is for load balancers, of which there is none. */
const SHUTDOWN_DELAY_SECONDS = 1;

describeWithAll('the pods of the small overlay', () => {
  let folder: ManifestFolder;
  let objects: KubernetesObject[];
  let server: RunningAuthorizationServer;
  let valkey: PodProcess;
  const sidecars = new Map<string, PodProcess>();
  const services = new Map<string, BuiltService>();
  const kept = new Agent({ keepAlive: true });

  const pod = (name: string): IPodSpec => {
    const workload = workloadsOf(objects).find(({ metadata }) => metadata.name === name);
    if (workload === undefined) throw new Error(`There is no ${name}`);
    return podOf(workload);
  };
  const rootOf = (name: string): string => join(folder.path, 'pods', name);
  const secretOf = (name: string, file: string): string => {
    const found = referencesOf(pod(name)).find((one) => file in filesOf(objects, one));
    return filesOf(objects, found ?? '')[file] ?? '';
  };
  const addressHere = (url: string): string => url.replace('valkey:6379', `localhost:${valkey.port}`);

  /** A request as a caller in the cluster makes it: it trusts the authority of the manifests alone. */
  async function ask(
    name: string,
    path: string,
    { token, agent = false, method = 'GET' }: { token?: string; agent?: Agent | false; method?: string } = {},
  ): Promise<{ status: number | undefined; connection: string | undefined; body: unknown }> {
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      accept: 'application/json',
    };
    const ca = secretOf('service-a', 'ca.crt');
    const url = `https://localhost:${sidecars.get(name)?.port}${path}`;
    const [answer] = (await once(request(url, { ca, headers, agent, method }).end(), 'response')) as [IncomingMessage];
    return { status: answer.statusCode, connection: answer.headers.connection, body: await json(answer) };
  }

  /** As kubelet does, which checks no certificate: by the path of the manifest. */
  const probe = async (name: string, which: 'startupProbe' | 'livenessProbe' | 'readinessProbe') =>
    (await ask(name, containerOf(pod(name), 'service')[which]?.httpGet?.path ?? '')).status;

  /** The sidecar; the service is to listen on the second port. */
  async function startSidecar(name: string, plain: number): Promise<void> {
    const [port, root] = [await freePort(), rootOf(name)];
    const changes = [
      ['/etc/certificate', join(root, '/etc/certificate')],
      ['bind :8443', `bind 127.0.0.1:${port}`],
      ['127.0.0.1:3000', `127.0.0.1:${plain}`],
    ] as const;
    const here = { folder: root, port, executable: haproxyPath ?? '', changes };
    sidecars.set(name, await startContainer(objects, pod(name), 'tls', here));
  }

  async function startService(name: string, plain: number, calls: readonly string[]): Promise<void> {
    const root = rootOf(name);
    mountFiles(objects, pod(name), 'service', root);
    const environment = environmentOf(objects, pod(name), 'service', root);
    writeFileSync(environment['SHARED_STATE_URL_FILE'] ?? '', addressHere(secretOf(name, 'url')));
    const service = spawnService(name, {
      ...environment,
      DEMO_MODE: 'false',
      PORT: String(plain),
      KEYCLOAK_BASE_URL: server.baseUrl,
      KEYCLOAK_ISSUER: server.issuer,
      KEYCLOAK_ALLOW_INSECURE_REQUESTS: 'true',
      SHUTDOWN_DELAY_SECONDS: String(SHUTDOWN_DELAY_SECONDS),
      ...Object.fromEntries(calls.map((to) => [`${prefixOf(to)}_URL`, `https://localhost:${sidecars.get(to)?.port}`])),
    });
    services.set(name, service);
    for (let tries = 0; tries < 400 && service.process.exitCode === null; tries += 1) {
      if ((await probe(name, 'readinessProbe').catch(() => 0)) === 200) return;
      await sleep(50);
    }
    throw new Error(`${name} is not ready: ${service.printed()}`);
  }

  async function startValkey(): Promise<PodProcess> {
    const [port, root] = [await freePort(), rootOf('valkey')];
    const changes = [
      ['tls-port 6379', `tls-port ${port}\nbind 127.0.0.1`],
      ['/etc/', `${root}/etc/`],
      ['dir /data', `dir ${root}/data`],
    ] as const;
    return startContainer(objects, pod('valkey'), 'valkey', {
      folder: root,
      port,
      executable: valkeyPath ?? '',
      changes,
    });
  }

  beforeAll(async () => {
    folder = new ManifestFolder();
    objects = folder.build('small');
    const secrets = SERVICES.map(({ name }) => [
      `${prefixOf(name)}_CLIENT_SECRET`,
      secretOf(name, 'client-secret').trim(),
    ]);
    server = await startAuthorizationServer({
      realm: REALM_FILE,
      environment: { ...REALM_ENVIRONMENT, ...Object.fromEntries(secrets) },
    });
    valkey = await startValkey();
    const ports = new Map<string, number>();
    for (const { name } of SERVICES) ports.set(name, await freePort());
    for (const [name, port] of ports) await startSidecar(name, port);
    await Promise.all(SERVICES.map(({ name, calls }) => startService(name, ports.get(name) ?? 0, calls)));
  }, 60_000);

  afterAll(async () => {
    kept.destroy();
    for (const service of services.values()) await endService(service);
    for (const process of [...sidecars.values(), valkey]) await process?.stop();
    await server.stop();
    folder.remove();
  });

  const tokenOfAlice = async (): Promise<string> => textOf(await login(server, 'alice'));

  it('are alive and ready by their probes, and listen for callers with TLS alone', async () => {
    for (const { name } of SERVICES) {
      expect(await probe(name, 'startupProbe')).toBe(200);
      expect(await probe(name, 'livenessProbe')).toBe(200);
      expect(services.get(name)?.printed()).toContain(`${name} listens on 127.0.0.1, port `);
      await expect(fetch(`http://localhost:${sidecars.get(name)?.port}/health/live`)).rejects.toThrow('fetch failed');
    }
  });

  it('run the chain for a user, each call over TLS', async () => {
    const answer = await ask('service-a', '/run-service-b', { token: await tokenOfAlice() });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ service_c: { result: 20 } });
    expect((await ask('service-a', '/run-service-b')).status).toBe(401);
  });

  it('share a denial by the user of Valkey that they have, who may do nothing else there', async () => {
    const token = await tokenOfAlice();
    expect((await ask('service-a', '/api/whoami', { token })).status).toBe(200);
    const url = addressHere(secretOf('service-a', 'url')).replace('valkeys://', 'rediss://');
    const [ca, keys] = [secretOf('service-a', 'ca.crt'), [secretOf('service-a', 'denial-keys').trim()]];
    const denials = new HeldDenials(
      { maxRevocations: 10, revocationMemorySeconds: 600, clockToleranceSeconds: 5 },
      systemClock,
      { warn: () => undefined },
    );
    const options = {
      issuer: server.issuer,
      maxRevocations: 100_000,
      revocationMemorySeconds: 36_000,
      clockToleranceSeconds: 5,
      introspectionTtlSeconds: 10,
      allowInsecureRequests: false,
      revocationChannel: valkeyRevocations({ url, keys, ca }),
    };
    const silent = { log: () => undefined, error: () => undefined };
    const sharing = new RevocationSharing(denials, new Rechecks(10, systemClock), options, systemClock, silent);
    await sharing.start(5000);
    denials.deny({ sid: String(claimsOf(token)['sid']) });
    while ((await ask('service-a', '/api/whoami', { token })).status !== 401) await sleep(10);
    await sharing.stop();

    const client = createClient({ url, RESP: 2, socket: { tls: true, ca } });
    await client.connect();
    for (const command of [['FLUSHALL'], ['CONFIG', 'GET', '*'], ['ACL', 'LIST'], ['KEYS', '*'], ['GET', 'other']]) {
      await expect(client.sendCommand(command)).rejects.toThrow('NOPERM');
    }
    client.destroy();
    const nobody = createClient({
      url: `rediss://localhost:${valkey.port}`,
      RESP: 2,
      socket: { tls: true, ca },
    });
    nobody.on('error', () => undefined);
    await expect(nobody.connect().then(() => nobody.ping())).rejects.toThrow('NOAUTH');
    nobody.destroy();
  });

  it('find Valkey alive by its probe, which fails for another server', async () => {
    const ping = async (port: number): Promise<string> => {
      const [command, ...args] = argumentsOf(
        ['sh', ...(containerOf(pod('valkey'), 'valkey').livenessProbe?.exec?.command ?? [])],
        rootOf('valkey'),
      );
      expect(command).toBe('valkey-cli');
      return (await promisify(execFile)(valkeyCli ?? '', ['-p', String(port), ...args])).stdout.trim();
    };
    expect(await ping(valkey.port)).toBe('PONG');
    await expect(ping(await freePort())).rejects.toThrow('Command failed');
  });

  it('end without losing a request: the sidecar passes on what the service says of the connection', async () => {
    const token = await tokenOfAlice();
    const service = services.get('service-c');
    const began = performance.now();
    const before = await ask('service-c', '/health/live', { agent: kept });
    service?.process.kill('SIGTERM');
    while ((await ask('service-c', '/health/ready')).status !== 503) await sleep(10);
    const meanwhile = await ask('service-c', '/health/live', { agent: kept });
    expect([before, meanwhile].map(({ status, connection }) => [status, connection])).toEqual([
      [200, 'keep-alive'],
      [200, 'close'],
    ]);
    expect((await ask('service-a', '/run-service-b', { token })).status).toBe(200);
    expect(await service?.exited).toBe(0);
    const seconds = (performance.now() - began) / 1000;
    const delay = Number(
      environmentOf(objects, pod('service-c'), 'service', rootOf('service-c'))['SHUTDOWN_DELAY_SECONDS'],
    );
    expect(seconds - SHUTDOWN_DELAY_SECONDS + delay).toBeLessThan(pod('service-c').terminationGracePeriodSeconds ?? 0);
    await expect(ask('service-c', '/health/live')).rejects.toThrow(/socket|ECONNRESET/);
  });
});
