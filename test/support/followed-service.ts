import { SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { login, logout, textOf, type Asked } from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { systemClock, type Clock } from '../../libs/keycloak/src/caching/clock.js';
import { SILENT } from '../../libs/keycloak/src/resilience/component-log.js';
import { composeKeycloak, type ComposedKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import type { SignalSource } from '../../libs/keycloak/src/entry-points/signals/index.js';
import { SignalFeed } from '../../libs/keycloak/src/entry-points/signals/signal-feed.js';
import { until } from './until.js';
import { outcomeAt } from './verification-outcome.js';

const POLL_MS = 250;

export interface FollowedServiceOptions {
  readonly clientId: 'service-a' | 'service-b';
  readonly source: SignalSource;
  /** The ttl while the feed is not healthy (default: longer than any test). */
  readonly shortSeconds?: number;
  readonly longSeconds?: number;
  readonly clock?: Clock;
}

export class FollowedService {
  private constructor(
    readonly keycloak: ComposedKeycloak,
    private readonly feed: SignalFeed,
    readonly faults: readonly unknown[],
  ) {}

  static async start({ issuer }: Asked, options: FollowedServiceOptions): Promise<FollowedService> {
    const { clientId, source, shortSeconds = 60, longSeconds = 300, clock = systemClock } = options;
    const faults: unknown[] = [];
    const error = (_: string, fields: object): void => void faults.push({ reason: undefined, ...fields }.reason);
    const keycloak = composeKeycloak(
      {
        issuer,
        clientId,
        clientSecret: SECRETS[clientId],
        allowInsecureRequests: true,
        introspectionTtlSeconds: shortSeconds,
        introspectionTtlWithEventsSeconds: longSeconds,
      },
      { clock, loggers: () => ({ ...SILENT, error }) },
    );
    const feed = new SignalFeed(keycloak.issuers[0], keycloak.revocations, { sources: [source], pollMs: POLL_MS });
    feed.start();
    await until(() => keycloak.status.read().signals.state === 'healthy', 'the feed is healthy');
    return new FollowedService(keycloak, feed, faults);
  }

  outcomeOf(token: string): Promise<string> {
    return outcomeAt(this.keycloak, token);
  }

  untilRefused(token: string): Promise<void> {
    return until(async () => (await this.outcomeOf(token)) !== 'accepted', 'the token is refused');
  }

  /** Waits for the event of a new logout, which arrives after all earlier events. */
  async receiveLogout(server: ContractServer): Promise<void> {
    const tokens = await login(server, await server.newUser('order-manager'));
    const token = await this.keycloak.verifier.verify(textOf(tokens));
    await logout(server, textOf(tokens, 'refresh_token'));
    await until(() => this.keycloak.revocations.denies(token), 'the logout is received');
  }

  async untilNextProof(): Promise<void> {
    const { signals } = this.keycloak.issuers[0];
    const latestMs = signals.latestMs;
    await until(() => signals.latestMs > latestMs, 'the feed has a new proof');
  }

  stop(): Promise<void> {
    return this.feed.stop();
  }
}
