import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AccessTokenVerifier, KeycloakStatus, TokenExchangeClient } from 'nestjs-keycloak-s2s';
import {
  AttackersKeycloak,
  AttackTarget,
  Helpdesk,
  ownAddress,
  TokenSeal,
  type AttackingClient,
  type Attempt,
} from 'demo';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { AttacksAtBClient } from './attacks-at-b.client.js';
import { KnownTokens } from './known-tokens.js';

export type Attacker = (tools: AttackTools) => Promise<Attempt>;

const DEFAULT_CLOCK_TOLERANCE_SECONDS = 5;
const DEFAULT_INTROSPECTION_TTL_SECONDS = 10;

@Injectable()
export class AttackTools {
  readonly keycloak: AttackersKeycloak;
  readonly serviceA: AttackTarget;
  readonly serviceB: AttackTarget;
  readonly serviceC: AttackTarget;
  readonly shortLivedClient: AttackingClient;
  /** The seconds for which a service still accepts an expired token, since clocks differ. */
  readonly graceSeconds: number;
  readonly oneForAllClient: AttackingClient;
  readonly helpdesk: Helpdesk;
  readonly knownTokens: KnownTokens;
  /**
   * How long Service A reuses an introspection result without a feed. Services B and C should cache introspection
   * results for the same time.
   */
  readonly windowSeconds: number;
  readonly asksKeycloak: boolean;
  readonly seal: TokenSeal;

  constructor(
    @Inject(serviceAConfig.KEY) { keycloak, urls, demo }: ServiceAConfig,
    host: HttpAdapterHost,
    tokens: TokenExchangeClient,
    atB: AttacksAtBClient,
    readonly verifier: AccessTokenVerifier,
    private readonly status: KeycloakStatus,
  ) {
    if (demo === undefined) throw new Error('Attacks are available in demo mode only');
    this.keycloak = new AttackersKeycloak(keycloak, demo.clientSecret);
    this.seal = new TokenSeal(demo.clientSecret);
    this.serviceA = new AttackTarget('Service A', () => ownAddress(host));
    this.serviceB = new AttackTarget('Service B', () => urls['service-b']);
    this.serviceC = new AttackTarget('Service C', () => demo.urls['SERVICE_C_URL'] ?? '');
    const client = (clientId: string, variable: string): AttackingClient => ({
      clientId,
      clientSecret: demo.secrets[variable] ?? '',
    });
    this.asksKeycloak = keycloak.verification !== 'jwt';
    this.graceSeconds = this.asksKeycloak ? 0 : DEFAULT_CLOCK_TOLERANCE_SECONDS;
    this.windowSeconds = keycloak.introspectionTtlSeconds ?? DEFAULT_INTROSPECTION_TTL_SECONDS;
    this.shortLivedClient = client('short-lived', 'SHORT_LIVED_CLIENT_SECRET');
    this.oneForAllClient = client('one-for-all', 'ONE_FOR_ALL_CLIENT_SECRET');
    this.helpdesk = new Helpdesk(this.keycloak, client('demo-helpdesk', 'DEMO_HELPDESK_CLIENT_SECRET'));
    this.knownTokens = new KnownTokens(tokens, this.serviceB, atB);
  }

  get receivesRevocations(): boolean {
    return this.status.read().signals.state === 'healthy';
  }
}
