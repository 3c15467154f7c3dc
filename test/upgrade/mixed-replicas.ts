import { deepEqual } from 'node:assert/strict';
import type { Place } from '../../scripts/start/replicas.mjs';
import type { Valkey } from '../../libs/keycloak/spec-support/valkey.js';
import { startAuthorizationServer, type RunningAuthorizationServer } from 'keycloak-test-servers';
import {
  claimsOf,
  REALM_ENVIRONMENT,
  REALM_FILE,
  publicUrl,
} from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { chainOf, replyFrom, textOf, type Reply } from '../../libs/keycloak-test-servers/contract/requests.js';
import { contractServerAt, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { History } from '../chaos/history.js';
import { ask, type Sent } from '../chaos/requests.js';
import { Stalls } from '../chaos/stalls.js';
import type { Answer } from '../chaos/verdicts.js';
import { KeycloakRecorder } from '../support/keycloak-recorder.js';
import { ReplicatedServices, type Replica, type ReplicaSettings } from '../support/replicated-services.js';
import { SERVICES } from '../support/services.js';

/** The longest time until a service refuses a revoked token without a healthy feed. */
export const TTL_SECONDS = 10;
const TTL_WITH_EVENTS_SECONDS = 300;
/** Longer than a run, so that a denied token is never refused only because it has expired. */
const TOKENS_LIVE_SECONDS = '3600';
const CLIENTS = ['demo-cli', 'service-a', 'service-b'];

interface Kinds {
  readonly first: string;
  readonly changed: Map<string, string>;
}

export interface Subject {
  readonly username: string;
  readonly sid: string;
  readonly refreshToken: string;
  readonly tokens: Readonly<Record<string, string>>;
}

/** Two replicas of each service and a poller. The kind of a process is its version or its keys. */
export class MixedReplicas {
  readonly #history = new History();
  readonly #over = new AbortController();
  readonly #stalls: Stalls;

  private constructor(
    private readonly kinds: Kinds,
    readonly services: ReplicatedServices,
    /** Only the embedded server can sign a logout notice for a session that continues. */
    readonly server: RunningAuthorizationServer,
    readonly keycloak: ContractServer,
    private readonly recorder: KeycloakRecorder,
    private readonly stopServers: () => Promise<void>,
  ) {
    this.#stalls = Stalls.watch(this.#history, services, server.baseUrl, this.#over.signal);
  }

  static async start(
    first: string,
    settingsOf: (kind: string, place: Place, valkey: Valkey) => ReplicaSettings,
  ): Promise<MixedReplicas> {
    const kinds: Kinds = { first, changed: new Map() };
    const environment = { ...REALM_ENVIRONMENT, SIGNALS_EVENTS: 'true' };
    const server = await startAuthorizationServer({ realm: REALM_FILE, environment });
    const keycloak = contractServerAt(server.baseUrl);
    await lengthenTokens(keycloak);
    const recorder = await KeycloakRecorder.start(server.baseUrl);
    const variables = {
      PUBLIC_URL: publicUrl,
      INTROSPECTION_TTL_SECONDS: String(TTL_SECONDS),
      INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS: String(TTL_WITH_EVENTS_SECONDS),
      SIGNALS_POLL_SECONDS: '0.5',
    };
    const stop = async (): Promise<void> => {
      await recorder.stop();
      await keycloak.stop();
      await server.stop();
    };
    const services = await ReplicatedServices.start({
      replicas: 2,
      pollers: 1,
      server: { baseUrl: recorder.baseUrl, issuer: server.issuer },
      variables,
      settingsOf: (place, valkey) => settingsOf(kindIn(kinds, place), place, valkey),
    }).catch(async (error: unknown) => {
      await stop();
      throw error;
    });
    return new MixedReplicas(kinds, services, server, keycloak, recorder, stop);
  }

  kindOf(replica: Replica): string {
    return kindIn(this.kinds, replica);
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.services.stop().finally(this.stopServers);
  }

  /** Replaces one replica of each service, without a lost request. */
  async replaceReplicas(index: 0 | 1, kind: string): Promise<void> {
    const replicas = SERVICES.flatMap(({ name }) => this.services.of(name)[index] ?? []);
    await Promise.all(
      replicas.map(async (replica) => {
        const replaced = this.#history.begin('replica-ended', replica.name, `${replica.name} is replaced`);
        await this.services.end(replica, 'SIGTERM');
        this.kinds.changed.set(replica.name, kind);
        await this.services.startAgain(replica);
        replaced.toMs = performance.now();
      }),
    );
  }

  async replacePollers(kind: string): Promise<void> {
    for (const poller of this.services.pollers) {
      this.kinds.changed.set(poller.name, kind);
      await this.services.killPoller(poller);
    }
  }

  async ask(sent: Sent): Promise<Answer> {
    for (;;) {
      const answer = await ask(sent);
      const { status, startedMs, endedMs } = answer;
      if (status > 0 && status < 500) return answer;
      await this.#stalls.recordedUntil(endedMs);
      const code = answer.code === 'hangs' ? 'no answer' : (answer.code ?? '');
      if (!this.#history.excuses(code, startedMs, endedMs)) return answer;
    }
  }

  async newSubject(username: string): Promise<Subject> {
    const { login: first, atA, atB, atC } = await chainOf(this.keycloak, username);
    const refreshToken = textOf(first, 'refresh_token');
    for (const secret of [atA, atB, atC, refreshToken]) this.services.scanner.addToken(secret);
    const tokens = { 'service-a': atA, 'service-b': atB, 'service-c': atC };
    return { username, sid: String(claimsOf(atA)['sid']), refreshToken, tokens };
  }

  whoami({ url, service }: Replica, { tokens }: Subject): Promise<Reply> {
    return replyFrom(`${url}/api/whoami`, { headers: { authorization: `Bearer ${tokens[service.name]}` } });
  }

  /** Repeats the request while Keycloak answers too late, as it does on a busy machine. */
  async verdict(replica: Replica, subject: Subject): Promise<Reply> {
    for (;;) {
      const answer = await this.whoami(replica, subject);
      if (answer.status !== 503) return answer;
    }
  }

  async admit(replica: Replica, subject: Subject): Promise<void> {
    const { status, members } = await this.verdict(replica, subject);
    deepEqual([replica.name, status, members['username']], [replica.name, 200, subject.username]);
  }

  async accepted(): Promise<Subject> {
    const subject = await this.newSubject(await this.keycloak.newUser('order-manager'));
    for (const replica of this.services.replicas) await this.admit(replica, subject);
    return subject;
  }

  introspections({ tokens }: Subject, service: string): number {
    return this.recorder.calls.filter(
      ({ endpoint, form }) => endpoint === 'token/introspect' && form.get('token') === tokens[service],
    ).length;
  }
}

const kindIn = ({ first, changed }: Kinds, { name }: Pick<Place, 'name'>): string => changed.get(name) ?? first;

async function lengthenTokens({ administrator }: ContractServer): Promise<void> {
  for (const clientId of CLIENTS) {
    const [client] = await administrator.read<{ id: string; attributes: object }[]>(`/clients?clientId=${clientId}`);
    const attributes = { ...client?.attributes, 'access.token.lifespan': TOKENS_LIVE_SECONDS };
    await administrator.change('PUT', `/clients/${client?.id}`, { ...client, attributes });
  }
}
