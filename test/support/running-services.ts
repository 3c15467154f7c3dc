import { freePort, testServer } from 'keycloak-test-servers';
import type { TokenLeakScanner } from 'nestjs-keycloak-s2s/testing';
import { prefixOf, realmOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { KeycloakRecorder } from './keycloak-recorder.js';
import { RunningService, type ListenAt, type Variables } from './running-service.js';
import { ServiceOutput } from './service-output.js';
import { moduleOf, SERVICES } from './services.js';

export interface ServerAddress {
  readonly baseUrl: string;
  readonly issuer: string;
}

export interface RunningServicesOptions {
  readonly only?: readonly string[];
  /** Default: the server that `npm test` shares between specs. */
  readonly server?: ServerAddress;
  /** No recorder runs between services and server, so the server's faults arrive unchanged. */
  readonly direct?: boolean;
  /** Default: demo mode, and an introspection at every request. */
  readonly variables?: Variables;
  readonly own?: Readonly<Record<string, Variables>>;
  readonly publicUrl?: string;
}

export const ttl = (seconds: number): Variables => ({ INTROSPECTION_TTL_SECONDS: String(seconds) });

export const NOWHERE = 'http://127.0.0.1:9';

export const WITHOUT_DEMO_MODE: Variables = {
  DEMO_MODE: 'false',
  ...Object.fromEntries(
    SERVICES.flatMap(({ name }) => [
      [`${prefixOf(name)}_CLIENT_SECRET`, 'not-a-demo-secret'],
      [`${prefixOf(name)}_SESSION_SECRET`, 'not-the-demo-secret-of-the-sessions'],
    ]),
  ),
};

const DEFAULTS: Variables = { DEMO_MODE: 'true', ...ttl(0) };
/** Lets a login succeed although browsers and other suites use the same cores. */
const BESIDE_BROWSERS: Variables = { KEYCLOAK_TIMEOUT_MS: '30000' };
const ANYWHERE: ListenAt = { port: 0, host: '127.0.0.1' };

export class RunningServices {
  readonly #services = new Map<string, RunningService>();
  readonly #output = ServiceOutput.acquire();
  #recorder: KeycloakRecorder | undefined;

  private constructor() {}

  static async start(options: RunningServicesOptions = {}): Promise<RunningServices> {
    const services = new RunningServices();
    try {
      await services.#start(options);
      return services;
    } catch (error) {
      await services.stop();
      throw error;
    }
  }

  async #start({ only, server, direct = false, variables = {}, own = {}, publicUrl }: RunningServicesOptions) {
    const { baseUrl, issuer } = server ?? testServer();
    if (!direct) this.#recorder = await KeycloakRecorder.start(baseUrl, this.scanner);
    const common = {
      ...DEFAULTS,
      ...(publicUrl === undefined ? {} : BESIDE_BROWSERS),
      KEYCLOAK_BASE_URL: this.#recorder?.baseUrl ?? baseUrl,
      KEYCLOAK_ISSUER: issuer,
      KEYCLOAK_REALM: realmOf(issuer),
    };
    const urls = new Map<string, string>();
    const unknown = only?.find((name) => !SERVICES.some((service) => service.name === name));
    if (unknown !== undefined) throw new Error(`services.json has no ${unknown}`);
    const started = SERVICES.filter(({ name }) => only?.includes(name) !== false);
    const login = started.find((service) => service.login === true);
    if (login !== undefined) urls.set(login.name, publicUrl ?? `http://127.0.0.1:${await freePort()}`);
    for (const { name, demoSecret, calls, attacks = [] } of started) {
      const url = urls.get(name);
      const secret = { [`${prefixOf(name)}_CLIENT_SECRET`]: demoSecret };
      const called = [...calls, ...attacks].map((other) => [`${prefixOf(other)}_URL`, urls.get(other) ?? NOWHERE]);
      const its = { ...secret, ...Object.fromEntries(called), ...(url === undefined ? {} : { PUBLIC_URL: url }) };
      const environment = { ...common, ...its, ...variables, ...own[name] };
      const service = await RunningService.start(await moduleOf(name), environment, listenAt(url), this.scanner);
      urls.set(name, service.url);
      this.#services.set(name, service);
    }
  }

  /** @throws Error if the spec did not select the service. */
  at(name: string): RunningService {
    const service = this.#services.get(name);
    if (service === undefined) throw new Error(`${name} was not started`);
    return service;
  }

  get a(): RunningService {
    return this.at('service-a');
  }

  get b(): RunningService {
    return this.at('service-b');
  }

  get c(): RunningService {
    return this.at('service-c');
  }

  get keycloak(): KeycloakRecorder {
    if (this.#recorder === undefined) throw new Error('Nothing is recorded between these services and the server');
    return this.#recorder;
  }

  printed(): string {
    return this.#output.lines.join('');
  }

  get scanner(): TokenLeakScanner {
    return this.#output.scanner;
  }

  /** @throws TokenLeakError if an answer or a log line contained a token. */
  async stop(): Promise<void> {
    for (const service of [...this.#services.values()].toReversed()) await service.stop();
    await this.#recorder?.stop();
    this.#output.release();
  }
}

/** Listens on all addresses instead of localhost, because a Keycloak in a container sends logout notices. */
function listenAt(url: string | undefined): ListenAt {
  if (url === undefined) return ANYWHERE;
  const { port, hostname } = new URL(url);
  return { url, port: Number(port), host: hostname === 'localhost' ? '0.0.0.0' : hostname };
}
