import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { AccessTokenVerifier } from './access-token-verifier.js';
import type { BearerRequest } from './bearer-token.js';

interface Verification {
  readonly maxStaleness: number;
  readonly token: Promise<VerifiedAccessToken>;
}

export class SharedVerifications {
  readonly #verifications = new WeakMap<object, Verification>();

  constructor(private readonly verifier: Pick<AccessTokenVerifier, 'tokens' | 'stillHolds'>) {}

  has(request: object): boolean {
    return this.#verifications.has(request);
  }

  async verify(text: string, maxStaleness: number, kind: string, request: BearerRequest): Promise<VerifiedAccessToken> {
    const earlier = this.#verifications.get(request);
    if (earlier !== undefined && earlier.maxStaleness <= maxStaleness) {
      const token = await earlier.token;
      if (this.verifier.stillHolds(token)) return token;
    }
    const token = Promise.resolve(this.verifier.tokens.verify(text, maxStaleness, kind, request));
    this.#verifications.set(request, { maxStaleness, token });
    return token;
  }
}
