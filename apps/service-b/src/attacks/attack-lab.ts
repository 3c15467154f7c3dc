/** AttackLab: makes the attacks that use Service B's tokens, and has Service C make its own attack. */
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { TokenExchangeClient, VerifiedAccessToken, type IssuedToken } from 'nestjs-keycloak-s2s';
import {
  AttackRuns,
  AttackTarget,
  ownAddress,
  StolenTokens,
  type AttackAnswer,
  type Attempt,
  type TokenRow,
} from 'demo';
import { serviceBConfig, type ServiceBConfig } from '../config.js';
import { AttacksAtCClient } from './attacks-at-c.client.js';
import { replay, type Replay } from './replayed-tokens.js';

@Injectable()
export class AttackLab {
  readonly #runs = new AttackRuns();
  readonly #serviceC: AttackTarget;
  readonly #stolen: StolenTokens;
  readonly #replays: Readonly<Record<string, Replay>>;

  constructor(
    @Inject(serviceBConfig.KEY) { urls, demo }: ServiceBConfig,
    host: HttpAdapterHost,
    private readonly tokens: TokenExchangeClient,
    private readonly attacksAtC: AttacksAtCClient,
  ) {
    if (demo === undefined) throw new Error('Attacks are available in demo mode only');
    this.#serviceC = new AttackTarget('Service C', () => urls['service-c']);
    const serviceA = new AttackTarget('Service A', () => demo.urls['SERVICE_A_URL'] ?? '');
    const serviceB = new AttackTarget('Service B', () => ownAddress(host));
    this.#stolen = new StolenTokens({ 'service-a': serviceA, 'service-b': serviceB, 'service-c': this.#serviceC });
    this.#replays = {
      'exchanged-token-at-a': { name: 'Service A', target: serviceA },
      'exchanged-token-at-b': { name: 'Service B', target: serviceB },
    };
  }

  /** Returns undefined when Service B has no attack with this id. */
  async run(id: string, caller: VerifiedAccessToken): Promise<Attempt | undefined> {
    if (id === 'exchange-by-c') return this.#runs.run(id, () => this.attacksAtC.exchange(caller));
    const found = Object.hasOwn(this.#replays, id) ? this.#replays[id] : undefined;
    return found === undefined ? undefined : this.#runs.run(id, () => this.#replay(found, caller));
  }

  /** Shows the token that Service B exchanged to all three services. */
  async tokenRow(caller: VerifiedAccessToken): Promise<TokenRow | { readonly notRun: string }> {
    return this.#runs.run('token-row', async () => this.#stolen.show((await this.#exchanged(caller)).reveal()));
  }

  /** Shows it to one of them once more. Returns undefined when it is not kept any more. */
  async showAgain(id: string, service: string): Promise<AttackAnswer | { readonly notRun: string } | undefined> {
    return this.#runs.run('token-row', async () => this.#stolen.showAgain(id, service));
  }

  async #replay(found: Replay, caller: VerifiedAccessToken): Promise<Attempt> {
    return replay(await this.#exchanged(caller), found, this.#serviceC);
  }

  /** The token is the one that Service B rightfully exchanges on the chain. */
  async #exchanged(caller: VerifiedAccessToken): Promise<IssuedToken> {
    return this.tokens.exchange(caller, { audience: 'service-c', scope: 'analytics.run' });
  }
}
