import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AttackersKeycloak, AttackRuns, AttackTarget, attempt, ownAddress, type Attempt } from 'demo';
import { serviceCConfig, type ServiceCConfig } from '../config.js';

const EXCHANGE = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  audience: 'service-b',
  scope: 'orders.approve',
};

@Injectable()
export class AttackLab {
  readonly #runs = new AttackRuns();
  readonly #keycloak: AttackersKeycloak;
  readonly #self: AttackTarget;

  constructor(@Inject(serviceCConfig.KEY) { keycloak, demo }: ServiceCConfig, host: HttpAdapterHost) {
    if (demo === undefined) throw new Error('Attacks are available in demo mode only');
    this.#keycloak = new AttackersKeycloak(keycloak, demo.clientSecret);
    this.#self = new AttackTarget('Service C', () => ownAddress(host));
  }

  exchange(token: string): Promise<Attempt> {
    return this.#runs.run('exchange-by-c', () =>
      attempt({
        attack: [
          'Service C to Keycloak: exchange the token I was called with for one that opens Service B',
          this.#keycloak.askForToken({ ...EXCHANGE, subject_token: token }),
        ],
        control: ['The same token, to Service C', this.#self.whoami(token)],
        token,
      }),
    );
  }
}
