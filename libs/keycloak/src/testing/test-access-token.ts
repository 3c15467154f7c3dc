/** testAccessToken(): a judged token out of nothing, so that handlers can be tested as plain functions. */
import { KEYCLOAK_ACCESS_TOKEN_TYP } from '../protocol/identifiers.js';
import type { AccessTokenClaims } from '../protocol/claims.js';
import { tokenFacts, VerifiedAccessToken } from '../protocol/verified-access-token.js';

export interface TestAccessTokenOptions {
  /** The token itself: one that a server knows, where it is to be exchanged. Default: a made-up one. */
  readonly text?: string;
  /** `sub`. Default `test-subject`. */
  readonly subject?: string;
  /** What the caller may do. Default: nothing. */
  readonly permissions?: readonly string[];
  /** `azp`: the client the token was issued to. Default `test-client`. */
  readonly client?: string;
  /** `aud`: the service called. Default `test-service`. */
  readonly audience?: string;
  /** `iss`. Default `https://keycloak.test/realms/test`. */
  readonly issuer?: string;
  /** Seconds until `exp`. Default 300. */
  readonly expiresInSeconds?: number;
  /** Further claims, such as `sid`, `email` or `realm_access`. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/**
 * A `VerifiedAccessToken` as the guard would have made it. Unless it is given a `text`, no server knows it: it can't be
 * exchanged, and a running guard refuses it.
 */
export function testAccessToken(options: TestAccessTokenOptions = {}): VerifiedAccessToken {
  const now = Math.floor(Date.now() / 1000);
  const { client = 'test-client', permissions = [] } = options;
  const claims: AccessTokenClaims = {
    ...structuredClone(options.claims),
    iss: options.issuer ?? 'https://keycloak.test/realms/test',
    sub: options.subject ?? 'test-subject',
    aud: options.audience ?? 'test-service',
    azp: client,
    typ: KEYCLOAK_ACCESS_TOKEN_TYP,
    scope: permissions.join(' '),
    iat: now,
    exp: now + (options.expiresInSeconds ?? 300),
  };
  return new VerifiedAccessToken(
    options.text ?? `test-token-of-${claims.sub}`,
    tokenFacts(claims, client, permissions),
  );
}
