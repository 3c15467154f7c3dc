/** AttackTools: the tools of Service A's attacks: its own credentials, and the addresses of the services. */
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AttackersKeycloak, AttackTarget, ownAddress, type AttackingClient, type Attempt } from 'demo';
import { serviceAConfig, type ServiceAConfig } from '../config.js';

/** One way to attack. Throws `AttackNotRun`. */
export type Attacker = (tools: AttackTools) => Promise<Attempt>;

@Injectable()
export class AttackTools {
  readonly keycloak: AttackersKeycloak;
  readonly serviceA: AttackTarget;
  readonly serviceB: AttackTarget;
  readonly serviceC: AttackTarget;
  /** Its tokens live one second. */
  readonly shortLivedClient: AttackingClient;

  constructor(@Inject(serviceAConfig.KEY) { keycloak, urls, demo }: ServiceAConfig, host: HttpAdapterHost) {
    if (demo === undefined) throw new Error('Attacks are available in demo mode only');
    this.keycloak = new AttackersKeycloak(keycloak);
    this.serviceA = new AttackTarget('Service A', () => ownAddress(host));
    this.serviceB = new AttackTarget('Service B', () => urls['service-b']);
    this.serviceC = new AttackTarget('Service C', () => demo.urls['SERVICE_C_URL'] ?? '');
    this.shortLivedClient = {
      clientId: 'short-lived',
      clientSecret: demo.secrets['SHORT_LIVED_CLIENT_SECRET'] ?? '',
    };
  }
}
