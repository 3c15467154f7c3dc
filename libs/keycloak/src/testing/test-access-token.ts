/** testAccessToken(): a judged token out of nothing, so that handlers and guarded routes can be tested without a server. */
import { randomBytes } from 'node:crypto';
import { KEYCLOAK_ACCESS_TOKEN_TYP } from '../protocol/identifiers.js';
import type { AccessTokenClaims } from '../protocol/claims.js';
import { parseScope } from '../protocol/scope.js';
import { makeVerifiedAccessToken, tokenFacts, type VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { refuseInProduction } from './refuse-in-production.js';
import { tokenText } from './token-text.js';

export interface TestAccessTokenOptions {
  /** The token itself: one that a server knows, where it is to be exchanged. Default: a made-up one. */
  readonly text?: string;
  /** `sub`. Default `test-subject`. */
  readonly subject?: string;
  /** What the caller may do: the members of `scope`. Default: nothing. */
  readonly permissions?: readonly string[];
  /** `azp`: the client the token was issued to. Default `test-client`. */
  readonly client?: string;
  /** `aud`: the services it is for. Default: the client id of the application where it is signed in, else `test-service`. */
  readonly audience?: string | readonly string[];
  /** `iss`. Default: the issuer of the application where it is signed in, else `https://keycloak.test/realms/test`. */
  readonly issuer?: string;
  /** Seconds until `exp`; one that is over is below 0. Default 300. */
  readonly expiresInSeconds?: number;
  /**
   * Further claims, such as `sid`, `email` or `realm_access`. They win over all of the above, and one that is undefined is
   * left out: a token can be bent in any way.
   */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Where it is signed in: the scopes that it can be exchanged for. Default: all that are asked for. */
  readonly grantableScopes?: readonly string[];
}

/** The names that a token bears when neither it nor an application says others. */
export const TEST_ISSUER = 'https://keycloak.test/realms/test';
export const TEST_AUDIENCE = 'test-service';

/**
 * A `VerifiedAccessToken` as the guard would have made it, to call a handler with. A running guard refuses it, and no server
 * exchanges it, unless it is given the `text` of a token that a server knows. `signIn(app, testAccessToken(…))` makes it known
 * to an application under test.
 *
 * Throws `Error` unless `NODE_ENV` is `test` or `development`.
 */
export function testAccessToken(options: TestAccessTokenOptions = {}): VerifiedAccessToken {
  refuseInProduction('testAccessToken()');
  const claims = claimsOf(options, { issuer: TEST_ISSUER, audience: TEST_AUDIENCE }) as AccessTokenClaims;
  const text = options.text ?? tokenText(randomBytes(16).toString('base64url'));
  const permissions =
    'scope' in (options.claims ?? {}) ? parseScope(String(claims['scope'] ?? '')) : (options.permissions ?? []);
  const facts = tokenFacts(claims, claims.azp ?? claims.client_id ?? '', permissions);
  const token = makeVerifiedAccessToken(text, facts);
  descriptions.set(token, { text, options: { ...options, claims: structuredClone(options.claims ?? {}) } });
  return token;
}

/** What a token of `testAccessToken()` is, and what that was told. */
interface Description {
  readonly text: string;
  readonly options: TestAccessTokenOptions;
}

const descriptions = new WeakMap<VerifiedAccessToken, Description>();

/** Undefined for a token of another origin. */
export const descriptionOf = (token: VerifiedAccessToken): Description | undefined => descriptions.get(token);

/** The claims that Keycloak would give such a token. */
export function claimsOf(
  options: TestAccessTokenOptions,
  defaults: { readonly issuer: string; readonly audience: string },
): Readonly<Record<string, unknown>> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: options.issuer ?? defaults.issuer,
    sub: options.subject ?? 'test-subject',
    aud: options.audience ?? defaults.audience,
    azp: options.client ?? 'test-client',
    typ: KEYCLOAK_ACCESS_TOKEN_TYP,
    scope: (options.permissions ?? []).join(' '),
    iat: now,
    exp: now + (options.expiresInSeconds ?? 300),
    ...structuredClone(options.claims),
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}
