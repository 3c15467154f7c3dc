import type { IssuedToken } from '../protocol/issued-token.js';
import { TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import type { TokenRequest } from './token-request.js';
import type { TokenSource } from './token-source.js';

/** Exchanges a token only at the issuer of the token, because other issuers do not know the token. */
export class TokenSources {
  readonly #own: TokenSource;

  constructor(private readonly sources: ReadonlyMap<string, TokenSource>) {
    const [own] = sources.values();
    if (own === undefined) throw new TypeError('TokenSources needs at least one issuer');
    this.#own = own;
  }

  get(request: TokenRequest): IssuedToken | Promise<IssuedToken> {
    // With one issuer, every verified token belongs to that issuer.
    const isOwn = request.grant === TOKEN_EXCHANGE_GRANT && this.sources.size === 1;
    return (isOwn ? this.#own : this.#at(request)).get(request);
  }

  dropRefused(request: TokenRequest, token: IssuedToken): boolean {
    return this.#at(request).dropRefused(request, token);
  }

  #at(request: TokenRequest): TokenSource {
    const isExchange = request.grant === TOKEN_EXCHANGE_GRANT;
    if (isExchange && this.sources.size === 1) return this.#own;
    const issuer = isExchange ? request.subject.issuer : request.issuer;
    const source = issuer === undefined ? this.#own : this.sources.get(issuer);
    if (source !== undefined) return source;
    throw new TypeError(`This module has no issuer ${JSON.stringify(issuer)}, so it can't get its tokens`);
  }
}
