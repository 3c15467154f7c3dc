import type { TokenExchangeClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { tokenInWords, type AttackTarget, type KnownToken } from 'demo';
import type { AttacksAtBClient } from './attacks-at-b.client.js';

/** The chain never uses a token for `attacks.replay`, so such a token does not change the chain's calls to Keycloak. */
export type KnownFor = 'orders.approve' | 'attacks.replay';

export class KnownTokens {
  constructor(
    private readonly tokens: Pick<TokenExchangeClient, 'exchange'>,
    private readonly target: AttackTarget,
    private readonly serviceB: AttacksAtBClient,
  ) {}

  async atB(caller: VerifiedAccessToken, scope: KnownFor): Promise<KnownToken> {
    const text = (await this.tokens.exchange(caller, { audience: 'service-b', scope })).reveal();
    const { expiresAt } = tokenInWords(text);
    return { service: 'Service B', expiresAt, present: () => this.target.whoami(text) };
  }

  /** Returns a token that only Service B holds and never uses in the chain. */
  async atC(caller: VerifiedAccessToken): Promise<KnownToken> {
    const sealed = await this.serviceB.sealedToken(caller);
    return { service: 'Service C', expiresAt: sealed.expiresAt, present: () => this.serviceB.showSealed(sealed) };
  }
}
