/** AttackTools: the tools of Service A's attacks: its own credentials, and the addresses of the services. */
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AttackersKeycloak, AttackTarget, ownAddress, type AttackingClient, type Attempt } from 'demo';
import { serviceAConfig, type ServiceAConfig } from '../config.js';

/** One way to attack. Throws `AttackNotRun`. */
export type Attacker = (tools: AttackTools) => Promise<Attempt>;

/** That of the library, which no service changes. */
const DEFAULT_CLOCK_TOLERANCE_SECONDS = 5;

@Injectable()
export class AttackTools {
  readonly keycloak: AttackersKeycloak;
  readonly serviceA: AttackTarget;
  readonly serviceB: AttackTarget;
  readonly serviceC: AttackTarget;
  /** Its tokens live one second. */
  readonly shortLivedClient: AttackingClient;
  /** How long a token passes after it has expired, since clocks may differ: Keycloak, where it is asked, gives it no time. */
  readonly graceSeconds: number;
  /** Its tokens name all three services. */
  readonly oneForAllClient: AttackingClient;

  constructor(@Inject(serviceAConfig.KEY) { keycloak, urls, demo }: ServiceAConfig, host: HttpAdapterHost) {
    if (demo === undefined) throw new Error('Attacks are available in demo mode only');
    this.keycloak = new AttackersKeycloak(keycloak, demo.clientSecret);
    this.serviceA = new AttackTarget('Service A', () => ownAddress(host));
    this.serviceB = new AttackTarget('Service B', () => urls['service-b']);
    this.serviceC = new AttackTarget('Service C', () => demo.urls['SERVICE_C_URL'] ?? '');
    const client = (clientId: string, variable: string): AttackingClient => ({
      clientId,
      clientSecret: demo.secrets[variable] ?? '',
    });
    this.graceSeconds = keycloak.verification === 'jwt' ? DEFAULT_CLOCK_TOLERANCE_SECONDS : 0;
    this.shortLivedClient = client('short-lived', 'SHORT_LIVED_CLIENT_SECRET');
    this.oneForAllClient = client('one-for-all', 'ONE_FOR_ALL_CLIENT_SECRET');
  }
}
