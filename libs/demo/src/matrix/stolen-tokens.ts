import type { AttackAnswer } from '../attacks/attempt.js';
import type { TokenSeal } from '../token-seal.js';
import { answerOf, tryToken, type Targets, type TokenRow } from './token-row.js';

/** The id of a row is its sealed token, so every replica of the service can show the token again. */
export class StolenTokens {
  constructor(
    private readonly targets: Targets,
    private readonly seal: TokenSeal,
  ) {}

  async show(token: string): Promise<TokenRow> {
    return { id: this.seal.seal(token), ...(await tryToken(token, this.targets)) };
  }

  async showAgain(id: string, service: string): Promise<AttackAnswer | undefined> {
    const token = this.seal.open(id);
    const target = Object.hasOwn(this.targets, service) ? this.targets[service] : undefined;
    return token === undefined || target === undefined ? undefined : answerOf(target, token);
  }
}
