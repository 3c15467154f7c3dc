import { proofKeyPair } from '../../../libs/keycloak/spec-support/proof-keys.js';
import { composeKeycloak, type ComposedKeycloak } from '../../../libs/keycloak/src/module/compose-keycloak.js';
import type { Clock } from '../../../libs/keycloak/src/caching/clock.js';
import { SignalFeed } from '../../../libs/keycloak/src/entry-points/signals/signal-feed.js';
import { SealingKeys, ValkeyClient, valkeyCache, valkeyRevocations } from 'nestjs-keycloak-s2s/valkey';
import { UserSessions } from '../../../apps/service-a/src/login/user-sessions.js';
import { SealedSessions } from '../../../apps/service-a/src/login/valkey/sealed-sessions.js';
import { ValkeySessionStore } from '../../../apps/service-a/src/login/valkey/valkey-session-store.js';
import { CLIENT, type KeycloakModel } from './keycloak-model.js';
import { modelEvents } from './model-events.js';

const BOUNDS = { maxSessions: 1000, maxSessionsPerUser: 100, sessionIdleSeconds: 600, sessionMaxSeconds: 1000 };
const READ_WITHIN_MS = 3000;
const POLL_MS = 50;
/** All replicas share this key pair, because each replica may become the poller. */
const PROOFS = proofKeyPair();

export interface ReplicaSettings {
  readonly keycloak: KeycloakModel;
  readonly valkeyUrl: string;
  readonly keys: readonly string[];
  readonly ttlSeconds: number;
  readonly signalledTtlSeconds?: number | undefined;
  readonly skewSeconds: number;
}

export class ModelReplica {
  #keycloak: ComposedKeycloak | undefined;
  #feed: SignalFeed | undefined;
  #store: ValkeySessionStore | undefined;
  #sessions: UserSessions | undefined;
  startedMs = 0;

  constructor(private readonly settings: ReplicaSettings) {}

  get keycloak(): ComposedKeycloak {
    if (this.#keycloak === undefined) throw new Error('It does not run');
    return this.#keycloak;
  }

  get sessions(): UserSessions {
    if (this.#sessions === undefined) throw new Error('It does not run');
    return this.#sessions;
  }

  async start(): Promise<void> {
    const { keycloak, valkeyUrl, keys, ttlSeconds, signalledTtlSeconds, skewSeconds } = this.settings;
    const clock: Clock = {
      epochSeconds: () => Date.now() / 1000 + skewSeconds,
      monotonicMs: () => performance.now(),
    };
    this.startedMs = performance.now();
    this.#keycloak = composeKeycloak(
      {
        issuer: keycloak.issuer,
        clientId: CLIENT,
        clientSecret: 'a-secret-for-this-test-alone',
        allowInsecureRequests: true,
        introspectionTtlSeconds: ttlSeconds,
        ...(signalledTtlSeconds === undefined ? {} : { introspectionTtlWithEventsSeconds: signalledTtlSeconds }),
        clockToleranceSeconds: 60,
        circuitBreakerFailures: 1000,
        maxRetries: 0,
        revocationChannel: valkeyRevocations({ url: valkeyUrl, keys, proofs: { privateKey: PROOFS.privateKey } }),
        sharedCache: valkeyCache({ url: `${valkeyUrl}/1`, keys }),
      },
      { clock },
    );
    const owner = { issuer: keycloak.issuer, clientId: CLIENT };
    const sealed = new SealedSessions(new SealingKeys(keys), owner.issuer, owner.clientId);
    this.#store = new ValkeySessionStore(new ValkeyClient({ url: valkeyUrl }), sealed, BOUNDS, owner);
    const provider = { ready: async () => undefined, refresh: keycloak.refresh.bind(keycloak) };
    this.#sessions = new UserSessions(this.#store, provider, BOUNDS);
    const { sharing, shared } = this.#keycloak;
    await Promise.all([...sharing.map((each) => each.start(READ_WITHIN_MS)), ...shared.map((each) => each.open())]);
    this.#feed = undefined;
    if (signalledTtlSeconds === undefined) return;
    const { issuers, revocations } = this.#keycloak;
    this.#feed = new SignalFeed(issuers[0], revocations, { sources: [modelEvents(keycloak)], pollMs: POLL_MS });
    this.#feed.start();
  }

  /** If `isKilled` is true, the replica does not release its lease to another poller. */
  async stop(isKilled = false): Promise<void> {
    const { sharing = [], shared = [], issuers } = this.#keycloak ?? {};
    if (isKilled && issuers !== undefined) issuers[0].feed.release = async () => undefined;
    await this.#feed?.stop();
    const ends = [...sharing.map((each) => each.stop()), ...shared.map((each) => each.close())];
    await Promise.all([this.#store?.close(), ...ends]);
  }
}
