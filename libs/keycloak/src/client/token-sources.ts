/** TokenSources: has each token asked for at the issuer that it is to be of. */
import type { IssuedToken } from '../protocol/issued-token.js';
import { TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import type { TokenRequest } from './token-request.js';
import type { TokenSource } from './token-source.js';

/** A token is exchanged where it was issued, and nowhere else: another issuer would not know it. */
export class TokenSources {
  readonly #own: TokenSource;

  /** By issuer; the first is that of this service. Throws `TypeError` for none. */
  constructor(private readonly sources: ReadonlyMap<string, TokenSource>) {
    const [own] = sources.values();
    if (own === undefined) throw new TypeError('There is no issuer to get tokens of');
    this.#own = own;
  }

  /** As `TokenSource.get`. Throws `TypeError` for an issuer that is not in the list. */
  get(request: TokenRequest): IssuedToken | Promise<IssuedToken> {
    // With one issuer every verified token is its own.
    const isOwn = request.grant === TOKEN_EXCHANGE_GRANT && this.sources.size === 1;
    return (isOwn ? this.#own : this.#at(request)).get(request);
  }

  /** As `TokenSource.dropRefused`. */
  dropRefused(request: TokenRequest, token: IssuedToken): boolean {
    return this.#at(request).dropRefused(request, token);
  }

  #at(request: TokenRequest): TokenSource {
    const isExchange = request.grant === TOKEN_EXCHANGE_GRANT;
    // Of one issuer every judged token is its own.
    if (isExchange && this.sources.size === 1) return this.#own;
    const issuer = isExchange ? request.subject.issuer : request.issuer;
    const source = issuer === undefined ? this.#own : this.sources.get(issuer);
    if (source !== undefined) return source;
    throw new TypeError(`A token of ${JSON.stringify(issuer)} was wanted, which is none of the issuers of this module`);
  }
}
