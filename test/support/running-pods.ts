import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request, type Agent } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IPodSpec } from 'kubernetes-models/v1';
import { freePort, startAuthorizationServer, type RunningAuthorizationServer } from 'keycloak-test-servers';
import { valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { prefixOf, REALM_ENVIRONMENT, REALM_FILE } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { endService, spawnService, type BuiltService } from './built-service.js';
import { haproxyPath } from './haproxy.js';
import { canBuildManifests, filesOf, ManifestFolder, podOf, referencesOf, workloadsOf } from './manifests.js';
import { containerOf, environmentOf, mountFiles } from './pod-files.js';
import { startContainer, type PodProcess } from './pod-processes.js';
import { POLLER, SERVICES } from './services.js';

export const canRunPods = canBuildManifests && haproxyPath !== undefined && valkeyPath !== undefined;

/** Shorter than in the manifests, but long enough for an answer of the chain on a slow machine. */
export const SHUTDOWN_DELAY_SECONDS = 5;

const RUN = [...SERVICES, { name: POLLER, calls: [] }];

export interface PodAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface AskOptions {
  readonly headers?: OutgoingHttpHeaders;
  readonly agent?: Agent | false;
  readonly at?: string;
}

export class RunningPods {
  readonly #folder = new ManifestFolder();
  readonly #objects = this.#folder.build('small');
  readonly #sidecars = new Map<string, PodProcess>();
  readonly #services = new Map<string, BuiltService>();
  readonly #metrics = new Map<string, { readonly port: number; readonly plain: number }>();
  #server: RunningAuthorizationServer | undefined;
  #valkey: PodProcess | undefined;

  private constructor() {}

  static async start(): Promise<RunningPods> {
    const pods = new RunningPods();
    try {
      await pods.#start();
      return pods;
    } catch (error) {
      await pods.stop();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const secrets = RUN.map(({ name }) => [
      `${prefixOf(name)}_CLIENT_SECRET`,
      this.fileOf(name, 'client-secret').trim(),
    ]);
    const environment = {
      ...REALM_ENVIRONMENT,
      ...Object.fromEntries(secrets),
      SIGNALS_EVENTS: 'true',
      SERVICE_A_PUBLIC_URL: this.environmentOf('service-a')['PUBLIC_URL'] ?? '',
    };
    this.#server = await startAuthorizationServer({ realm: REALM_FILE, environment });
    await this.#startValkey();
    const ports = new Map<string, number>();
    for (const { name } of RUN) {
      ports.set(name, await freePort());
      this.#metrics.set(name, { port: await freePort(), plain: await freePort() });
    }
    for (const [name, port] of ports) await this.#startSidecar(name, port);
    await Promise.all(RUN.map(({ name, calls }) => this.#startService(name, ports.get(name) ?? 0, calls)));
  }

  async stop(): Promise<void> {
    for (const service of this.#services.values()) await endService(service);
    for (const sidecar of this.#sidecars.values()) await sidecar.stop();
    await this.#valkey?.stop();
    await this.#server?.stop();
    this.#folder.remove();
  }

  get server(): RunningAuthorizationServer {
    if (this.#server === undefined) throw new Error('No server runs');
    return this.#server;
  }

  get valkeyPort(): number {
    return this.#valkey?.port ?? 0;
  }

  pod(name: string): IPodSpec {
    const workload = workloadsOf(this.#objects).find(({ metadata }) => metadata.name === name);
    if (workload === undefined) throw new Error(`There is no ${name}`);
    return podOf(workload);
  }

  service(name: string): BuiltService {
    const found = this.#services.get(name);
    if (found === undefined) throw new Error(`There is no ${name}`);
    return found;
  }

  urlOf = (name: string): string => `https://localhost:${this.#sidecars.get(name)?.port}`;

  rootOf = (name: string): string => join(this.#folder.path, 'pods', name);

  fileOf(name: string, file: string): string {
    const found = referencesOf(this.pod(name)).find((one) => file in filesOf(this.#objects, one));
    return filesOf(this.#objects, found ?? '')[file] ?? '';
  }

  environmentOf = (name: string): Record<string, string> =>
    environmentOf(this.#objects, this.pod(name), 'service', this.rootOf(name));

  sharedStateUrlOf(name: string): string {
    return this.fileOf(name, 'shared-state-url').replace('valkey:6379', `localhost:${this.valkeyPort}`);
  }

  replaceCertificate(name: string, half = false): void {
    const { certificate, key } = this.#folder.newCertificate(name);
    const folder = join(this.rootOf(name), '/etc/certificate');
    writeFileSync(join(folder, 'tls.crt'), certificate);
    if (!half) writeFileSync(join(folder, 'tls.key'), key);
  }

  sidecar(name: string): PodProcess {
    const found = this.#sidecars.get(name);
    if (found === undefined) throw new Error(`The pods have no sidecar of ${name}`);
    return found;
  }

  metricsUrlOf = (name: string): string => `https://localhost:${this.#metrics.get(name)?.port}`;

  async ask(name: string, path: string, options: AskOptions = {}): Promise<PodAnswer> {
    const { headers = {}, agent = false, at = this.urlOf(name) } = options;
    const ca = this.fileOf(name, 'ca.crt');
    const asked = request(at + path, { ca, headers, agent }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: answer.statusCode, headers: answer.headers, text: await text(answer) };
  }

  async probe(name: string, which: 'startupProbe' | 'livenessProbe' | 'readinessProbe'): Promise<number | undefined> {
    const { httpGet } = containerOf(this.pod(name), 'service')[which] ?? {};
    return (await this.ask(name, httpGet?.path ?? '')).status;
  }

  async #startValkey(): Promise<void> {
    const [port, folder] = [await freePort(), this.rootOf('valkey')];
    const changes = [
      ['tls-port 6379', `tls-port ${port}\nbind 127.0.0.1`],
      ['/etc/', `${folder}/etc/`],
      ['dir /data', `dir ${folder}/data`],
    ] as const;
    const here = { folder, port, executable: valkeyPath ?? '', changes };
    this.#valkey = await startContainer(this.#objects, this.pod('valkey'), 'valkey', here);
  }

  async #startSidecar(name: string, plain: number): Promise<void> {
    const [port, folder] = [await freePort(), this.rootOf(name)];
    const changes = [
      ['/etc/haproxy/', join(folder, '/etc/haproxy/')],
      ['/etc/certificate/', join(folder, '/etc/certificate/')],
      ['/run/haproxy/', join(folder, '/run/haproxy/')],
      ['admin.sock 10', 'admin.sock 1'],
      ['bind :8443', `bind 127.0.0.1:${port}`],
      ['127.0.0.1:3000', `127.0.0.1:${plain}`],
      ['bind :8444', `bind 127.0.0.1:${this.#metrics.get(name)?.port}`],
      ['127.0.0.1:9464', `127.0.0.1:${this.#metrics.get(name)?.plain}`],
    ] as const;
    const here = { folder, port, executable: haproxyPath ?? '', changes };
    this.#sidecars.set(name, await startContainer(this.#objects, this.pod(name), 'tls', here));
  }

  async #startService(name: string, plain: number, calls: readonly string[]): Promise<void> {
    mountFiles(this.#objects, this.pod(name), 'service', this.rootOf(name));
    const environment = this.environmentOf(name);
    writeFileSync(environment['SHARED_STATE_URL_FILE'] ?? '', this.sharedStateUrlOf(name));
    const service = spawnService(name, {
      ...environment,
      DEMO_MODE: 'false',
      PORT: String(plain),
      MANAGEMENT_PORT: String(this.#metrics.get(name)?.plain),
      KEYCLOAK_BASE_URL: this.server.baseUrl,
      KEYCLOAK_ISSUER: this.server.issuer,
      KEYCLOAK_ALLOW_INSECURE_REQUESTS: 'true',
      SHUTDOWN_DELAY_SECONDS: String(SHUTDOWN_DELAY_SECONDS),
      ...Object.fromEntries(calls.map((to) => [`${prefixOf(to)}_URL`, this.urlOf(to)])),
    });
    this.#services.set(name, service);
    for (let tries = 0; tries < 3600 && service.process.exitCode === null; tries += 1) {
      if ((await this.probe(name, 'readinessProbe').catch(() => 0)) === 200) return;
      await sleep(50);
    }
    throw new Error(`${name} is not ready: ${service.printed()}`);
  }
}
