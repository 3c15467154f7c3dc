import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, testServer } from 'keycloak-test-servers';
import { TokenLeakScanner, type TokenProxy } from 'nestjs-keycloak-s2s/testing';
import { placesOf, sharingEnvironment, type Place } from '../../scripts/start/replicas.mjs';
import { poller, prefixOf, serviceEnvironment, services } from '../../scripts/start/services.mjs';
import { pollerEnvironment } from '../../scripts/start/signals.mjs';
import { Valkey, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { SECRETS, realmOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { endService, spawnService, untilReady, type BuiltService } from './built-service.js';
import { Haproxy, haproxyPath } from './haproxy.js';
import { PUBLIC_URL_WITHIN_MS, type Variables } from './running-service.js';
import type { ServerAddress } from './running-services.js';
import { SERVICES } from './services.js';

export const canReplicate = haproxyPath !== undefined && valkeyPath !== undefined;

export interface ReplicatedServicesOptions {
  readonly replicas?: number;
  readonly pollers?: number;
  readonly server?: ServerAddress;
  readonly variables?: Variables;
  /** The URL of Service A, by default at a free port. A login needs a URL to which the realm redirects browsers. */
  readonly publicUrl?: string;
  readonly settingsOf?: (place: Place, valkey: Valkey) => ReplicaSettings;
}

export interface ReplicaSettings {
  /** The checkout whose built services run, by default this checkout. */
  readonly checkout?: string;
  readonly variables?: Variables;
}

export interface Replica extends Place {
  readonly url: string;
  process: BuiltService;
}

export class ReplicatedServices {
  readonly replicas: Replica[] = [];
  readonly pollers: Replica[] = [];
  readonly scanner = TokenLeakScanner.start();
  readonly #printedBefore: string[] = [];
  #proxy: TokenProxy | undefined;
  #environments: Readonly<Record<string, NodeJS.ProcessEnv>> = {};
  #variables: Variables = {};
  #settingsOf: NonNullable<ReplicatedServicesOptions['settingsOf']> = () => ({});
  #haproxy: Haproxy | undefined;
  #valkey: Valkey | undefined;

  private constructor() {}

  static async start(options: ReplicatedServicesOptions = {}): Promise<ReplicatedServices> {
    const all = new ReplicatedServices();
    try {
      await all.#start(options);
      return all;
    } catch (error) {
      await all.stop().catch(() => undefined);
      throw error;
    }
  }

  async #start({
    replicas = 3,
    pollers = 0,
    server = testServer(),
    variables = {},
    publicUrl,
    settingsOf = () => ({}),
  }: ReplicatedServicesOptions) {
    for (const secret of Object.values(SECRETS)) this.scanner.addToken(secret);
    // The services run in separate processes, so the scanner learns the tokens only from this proxy.
    this.#proxy = await this.scanner.proxyTo(server.baseUrl);
    this.#valkey = await Valkey.start(valkeyPath ?? '');
    this.#variables = variables;
    this.#settingsOf = settingsOf;
    const ports: Record<string, string> = {};
    for (const { name, login } of SERVICES) {
      const given = login === true && publicUrl !== undefined ? new URL(publicUrl).port : undefined;
      ports[`${prefixOf(name)}_PORT`] = given ?? String(await freePort());
    }
    const described = services({ ...ports });
    const environment = sharingEnvironment(described, { PATH: process.env['PATH'] }, this.#valkey.urls);
    const keycloak = { baseUrl: this.#proxy.baseUrl, issuer: server.issuer, realm: realmOf(server.issuer) };
    this.#environments = Object.fromEntries(
      described.map((service) => [
        service.name,
        serviceEnvironment(service, { all: described, keycloak, environment }),
      ]),
    );
    const listener = poller({});
    this.#environments = {
      ...this.#environments,
      [listener.name]: pollerEnvironment(listener, { keycloak, environment }),
    };
    const places = await placesOf(described, replicas, freePort);
    const balanced = described.map((service) => ({
      name: service.name,
      port: service.port,
      replicas: places.filter((place) => place.service === service).map(({ port }) => port),
      ...(service.login === true && publicUrl !== undefined ? { host: '*' } : {}),
    }));
    this.#haproxy = await startWhenFree(balanced);
    for (const place of places) {
      this.replicas.push({ ...place, url: `http://127.0.0.1:${place.port}`, process: this.#spawn(place) });
    }
    for (let number = 1; number <= pollers; number += 1) {
      const place = { service: listener, name: `${listener.name} ${number}`, port: await freePort() };
      this.pollers.push({ ...place, url: `http://127.0.0.1:${place.port}`, process: this.#spawn(place) });
    }
    for (const { url, process: started } of [...this.replicas, ...this.pollers]) await untilReady(url, started);
    await this.#haproxy.untilAllAreUp();
  }

  get haproxy(): Haproxy {
    if (this.#haproxy === undefined) throw new Error('HAProxy was not started');
    return this.#haproxy;
  }

  get valkey(): Valkey {
    if (this.#valkey === undefined) throw new Error('Valkey was not started');
    return this.#valkey;
  }

  of(service: string): Replica[] {
    return this.replicas.filter((replica) => replica.service.name === service);
  }

  urlOf(service: string): string {
    return this.haproxy.urlOf(service);
  }

  async end(replica: Replica, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    replica.process.process.kill(signal);
    await this.#untilIs('DOWN', replica);
    return replica.process.exited;
  }

  async startAgain(replica: Replica): Promise<void> {
    this.respawn(replica);
    await untilReady(replica.url, replica.process);
    await this.#untilIs('UP', replica);
  }

  async killPoller(one: Replica): Promise<void> {
    one.process.process.kill('SIGKILL');
    await one.process.exited;
    this.respawn(one);
    await untilReady(one.url, one.process);
  }

  /** The warnings and errors of all replicas, including the replaced ones, to explain a failed test. */
  warnings(): string[] {
    const ofRunning = this.replicas.map(({ name, process: { printed } }) => labelled(name, printed()));
    return [...this.#printedBefore, ...ofRunning].flatMap((text) =>
      text.split('\n').filter((line) => IS_WARNING.test(line)),
    );
  }

  respawn(replica: Replica, variables: Variables = {}): void {
    this.#inspect(replica);
    this.#printedBefore.push(labelled(replica.name, replica.process.printed()));
    replica.process = this.#spawn(replica, variables);
  }

  /** @throws TokenLeakError if a process printed a token or a secret. */
  async stop(): Promise<void> {
    const all = [...this.replicas, ...this.pollers];
    await Promise.all(all.map((replica) => endService(replica.process)));
    for (const replica of all) this.#inspect(replica);
    await this.#haproxy?.stop();
    await this.#valkey?.remove();
    await this.#proxy?.stop();
    this.scanner.stop();
    this.scanner.assertNone();
  }

  #untilIs(state: 'UP' | 'DOWN', replica: Replica): Promise<void> {
    const { name } = replica.service;
    return this.haproxy.untilReplicaIs(state, name, this.of(name).indexOf(replica));
  }

  #spawn(place: Place, variables: Variables = {}): BuiltService {
    const { service, port } = place;
    const { checkout, variables: own } = this.#settingsOf(place, this.valkey);
    const common = { ...this.#environments[service.name], ...this.#variables };
    return spawnService(service.name, { ...common, ...own, ...variables, PORT: String(port) }, checkout);
  }

  #inspect({ name, process: { printed } }: Replica): void {
    this.scanner.inspect(`what ${name} printed`, printed(), { isPrinted: true });
  }
}

const IS_WARNING = / (WARN|ERROR) |"level":"(warn|error)"/;

const labelled = (name: string, printed: string): string => printed.replace(/^/gm, `${name}: `);

async function startWhenFree(balanced: Parameters<typeof Haproxy.start>[1]): Promise<Haproxy> {
  for (const began = performance.now(); ; await sleep(500)) {
    try {
      return await Haproxy.start(haproxyPath ?? '', balanced);
    } catch (error) {
      const isTaken = String(error).includes('Address already in use');
      if (!isTaken || performance.now() - began > PUBLIC_URL_WITHIN_MS) throw error;
    }
  }
}
