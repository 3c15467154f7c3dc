/** KnownTokens: the tokens of a caller by which Service B and Service C know it. */
import type { TokenExchangeClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { tokenInWords, type AttackTarget, type KnownToken } from 'demo';
import type { AttacksAtBClient } from './attacks-at-b.client.js';

/** What the chain asks for. */
const AT_B = { audience: 'service-b', scope: 'orders.approve' } as const;

/** While they are cached, these are the tokens with which the chain is run for the caller. */
export class KnownTokens {
  constructor(
    private readonly tokens: Pick<TokenExchangeClient, 'exchange'>,
    private readonly target: AttackTarget,
    private readonly serviceB: AttacksAtBClient,
  ) {}

  /** Throws `Refusal`, such as for a user who may not be exchanged for Service B. */
  async atB(caller: VerifiedAccessToken): Promise<KnownToken> {
    const text = (await this.tokens.exchange(caller, AT_B)).reveal();
    const { expiresAt } = tokenInWords(text);
    return { service: 'Service B', expiresAt, present: () => this.target.whoami(text) };
  }

  /** Only Service B has it, and presents it. Throws `Refusal` and `AttackNotRun`. */
  async atC(caller: VerifiedAccessToken): Promise<KnownToken> {
    const sealed = await this.serviceB.sealedToken(caller);
    return { service: 'Service C', expiresAt: sealed.expiresAt, present: () => this.serviceB.showSealed(sealed) };
  }
}
