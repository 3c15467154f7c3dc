import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { TokenExchangeClient, VerifiedAccessToken, type IssuedToken } from 'nestjs-keycloak-s2s';
import {
  AttackRuns,
  AttackTarget,
  ownAddress,
  StolenTokens,
  tokenInWords,
  TokenSeal,
  type AttackAnswer,
  type Attempt,
  type SealedToken,
  type TokenRow,
} from 'demo';
import { serviceBConfig, type ServiceBConfig } from '../config.js';
import { AttacksAtCClient } from './attacks-at-c.client.js';
import { replay, type Replay } from './replayed-tokens.js';

@Injectable()
export class AttackLab {
  readonly #runs = new AttackRuns();
  /** Calls that show a token have a separate limit, since a watched page sends a token several times a second. */
  readonly #shows = new AttackRuns();
  readonly #seal: TokenSeal;
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
    this.#seal = new TokenSeal(demo.clientSecret);
    this.#serviceC = new AttackTarget('Service C', () => urls['service-c']);
    const serviceA = new AttackTarget('Service A', () => demo.urls['SERVICE_A_URL'] ?? '');
    const serviceB = new AttackTarget('Service B', () => ownAddress(host));
    const targets = { 'service-a': serviceA, 'service-b': serviceB, 'service-c': this.#serviceC };
    this.#stolen = new StolenTokens(targets, this.#seal);
    this.#replays = {
      'exchanged-token-at-a': { name: 'Service A', target: serviceA },
      'exchanged-token-at-b': { name: 'Service B', target: serviceB },
    };
  }

  async run(id: string, caller: VerifiedAccessToken): Promise<Attempt | undefined> {
    if (id === 'exchange-by-c') return this.#runs.run(id, () => this.attacksAtC.exchange(caller));
    const found = Object.hasOwn(this.#replays, id) ? this.#replays[id] : undefined;
    return found === undefined ? undefined : this.#runs.run(id, () => this.#replay(found, caller));
  }

  async tokenRow(caller: VerifiedAccessToken): Promise<TokenRow | { readonly notRun: string }> {
    return this.#runs.run('token-row', async () => this.#stolen.show((await this.#exchanged(caller)).reveal()));
  }

  async showAgain(id: string, service: string): Promise<AttackAnswer | { readonly notRun: string } | undefined> {
    return this.#runs.run('token-row', async () => this.#stolen.showAgain(id, service));
  }

  async sealedToken(caller: VerifiedAccessToken): Promise<SealedToken> {
    const token = (await this.#exchanged(caller)).reveal();
    return { sealed: this.#seal.seal(token), expiresAt: tokenInWords(token).expiresAt };
  }

  async showSealed(sealed: string): Promise<AttackAnswer | { readonly notRun: string } | undefined> {
    const token = this.#seal.open(sealed);
    return token === undefined ? undefined : this.#shows.run('sealed-token', async () => this.#serviceC.whoami(token));
  }

  async #replay(found: Replay, caller: VerifiedAccessToken): Promise<Attempt> {
    return replay(await this.#exchanged(caller), found, this.#serviceC);
  }

  async #exchanged(caller: VerifiedAccessToken): Promise<IssuedToken> {
    return this.tokens.exchange(caller, { audience: 'service-c', scope: 'analytics.run' });
  }
}
