import { freePort } from 'keycloak-test-servers';
import { TokenLeakScanner } from 'nestjs-keycloak-s2s/testing';
import { sharingEnvironment } from '../../scripts/start/replicas.mjs';
import { poller, prefixOf, serviceEnvironment, services } from '../../scripts/start/services.mjs';
import { pollerEnvironment } from '../../scripts/start/signals.mjs';
import { Valkey, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { SECRETS, realmOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { Chain } from '../../libs/keycloak-test-servers/contract/requests.js';
import { endService, spawnService, untilReady, type BuiltService } from './built-service.js';
import { KeycloakRecorder } from './keycloak-recorder.js';
import type { Variables } from './running-service.js';
import type { ServerAddress } from './running-services.js';
import { SERVICES } from './services.js';

export interface Verdict {
  readonly status: number;
  readonly reason: unknown;
}

export class ServicesWithPoller {
  readonly scanner = TokenLeakScanner.start();
  readonly #started: { readonly name: string; readonly process: BuiltService }[] = [];
  readonly #urls = new Map<string, string>();
  #recorder: KeycloakRecorder | undefined;
  #valkey: Valkey | undefined;
  #ofPoller: NodeJS.ProcessEnv = {};

  private constructor() {}

  static async start(server: ServerAddress, variables: Variables): Promise<ServicesWithPoller> {
    const all = new ServicesWithPoller();
    try {
      await all.#start(server, variables);
      return all;
    } catch (error) {
      await all.stop().catch(() => undefined);
      throw error;
    }
  }

  async #start({ baseUrl, issuer }: ServerAddress, variables: Variables): Promise<void> {
    for (const secret of Object.values(SECRETS)) this.scanner.addToken(secret);
    this.#recorder = await KeycloakRecorder.start(baseUrl, this.scanner);
    this.#valkey = await Valkey.start(valkeyPath ?? '');
    const ports: Record<string, string> = {};
    for (const { name } of SERVICES) ports[`${prefixOf(name)}_PORT`] = String(await freePort());
    const described = services(ports);
    const given = { PATH: process.env['PATH'], ...variables };
    // The services share no cache, because the spec counts the introspections of each service.
    const noAnswers = described.map(({ prefix }) => [`${prefix}_SHARED_ANSWERS_URL`, '']);
    const sharing = sharingEnvironment(described, given, this.#valkey.urls);
    const environment = { ...sharing, ...Object.fromEntries(noAnswers) };
    const keycloak = { baseUrl: this.#recorder.baseUrl, issuer, realm: realmOf(issuer) };
    this.#ofPoller = pollerEnvironment(poller({}), { keycloak, environment });
    for (const service of described) {
      const its = serviceEnvironment(service, { all: described, keycloak, environment });
      this.#urls.set(service.name, `http://127.0.0.1:${service.port}`);
      this.#spawn(service.name, its);
    }
    await Promise.all(this.#started.map(({ name, process: one }) => untilReady(this.#urls.get(name) ?? '', one)));
  }

  get keycloak(): KeycloakRecorder {
    if (this.#recorder === undefined) throw new Error('Nothing is recorded');
    return this.#recorder;
  }

  get valkey(): Valkey {
    if (this.#valkey === undefined) throw new Error('Valkey was not started');
    return this.#valkey;
  }

  async startPoller(): Promise<BuiltService> {
    const port = await freePort();
    const started = this.#spawn('signal-poller', { ...this.#ofPoller, PORT: String(port) });
    await untilReady(`http://127.0.0.1:${port}`, started);
    return started;
  }

  async ask({ atA, atB, atC }: Chain): Promise<readonly Verdict[]> {
    return Promise.all([this.#ask('service-a', atA), this.#ask('service-b', atB), this.#ask('service-c', atC)]);
  }

  questions({ atA, atB, atC }: Chain): number {
    const tokens = new Set([atA, atB, atC]);
    return this.keycloak.calls.filter(
      ({ endpoint, form }) => endpoint === 'token/introspect' && tokens.has(form.get('token') ?? ''),
    ).length;
  }

  /** @throws TokenLeakError if a process printed a token or a secret. */
  async stop(): Promise<void> {
    for (const { process: one } of this.#started) await endService(one);
    for (const { name, process: one } of this.#started)
      this.scanner.inspect(`what ${name} printed`, one.printed(), { isPrinted: true });
    await this.#valkey?.remove();
    await this.#recorder?.stop();
    this.scanner.stop();
    this.scanner.assertNone();
  }

  async #ask(name: string, token: string): Promise<Verdict> {
    const headers = { Authorization: `Bearer ${token}` };
    const answer = await fetch(`${this.#urls.get(name)}/api/whoami`, { headers });
    const { reason } = (await answer.json()) as { readonly reason?: unknown };
    return { status: answer.status, reason };
  }

  #spawn(name: string, environment: NodeJS.ProcessEnv): BuiltService {
    const started = spawnService(name, environment as Variables);
    this.#started.push({ name, process: started });
    return started;
  }
}
