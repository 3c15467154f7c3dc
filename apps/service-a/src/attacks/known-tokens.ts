/** KnownTokens: the tokens of a caller by which Service B and Service C know it. */
import type { TokenExchangeClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { tokenInWords, type AttackTarget, type KnownToken } from 'demo';
import type { AttacksAtBClient } from './attacks-at-b.client.js';

/**
 * For which permission of Service B: the first one is that of the chain, whose token it is as long as that is cached. With the other one it is a token of its own,
 * and what the chain asks Keycloak is as if nobody had looked on.
 */
export type KnownFor = 'orders.approve' | 'attacks.replay';

export class KnownTokens {
  constructor(
    private readonly tokens: Pick<TokenExchangeClient, 'exchange'>,
    private readonly target: AttackTarget,
    private readonly serviceB: AttacksAtBClient,
  ) {}

  /** Throws `KeycloakException`, such as for a user who may not be exchanged for Service B. */
  async atB(caller: VerifiedAccessToken, scope: KnownFor): Promise<KnownToken> {
    const text = (await this.tokens.exchange(caller, { audience: 'service-b', scope })).reveal();
    const { expiresAt } = tokenInWords(text);
    return { service: 'Service B', expiresAt, present: () => this.target.whoami(text) };
  }

  /** Not that of the chain. Only Service B has it, and presents it. Throws `KeycloakException` and `AttackNotRun`. */
  async atC(caller: VerifiedAccessToken): Promise<KnownToken> {
    const sealed = await this.serviceB.sealedToken(caller);
    return { service: 'Service C', expiresAt: sealed.expiresAt, present: () => this.serviceB.showSealed(sealed) };
  }
}
