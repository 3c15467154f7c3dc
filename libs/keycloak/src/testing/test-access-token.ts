import { randomBytes } from 'node:crypto';
import { KEYCLOAK_ACCESS_TOKEN_TYP } from '../protocol/identifiers.js';
import type { AccessTokenClaims } from '../protocol/claims.js';
import type { ProfileName } from '../protocol/token-profile.js';
import { parseScope } from '../protocol/scope.js';
import { makeVerifiedAccessToken, tokenFacts, type VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { refuseInProduction } from './refuse-in-production.js';
import { tokenText } from './token-text.js';

export interface TestAccessTokenOptions {
  /** The text of the token, by default a random text. For an exchange, use the text of a token that a server issued. */
  readonly text?: string;
  /** The claim `sub`, by default `test-subject`. */
  readonly subject?: string;
  /** The members of the claim `scope`, by default none. */
  readonly permissions?: readonly string[];
  /** The claim `azp`: the client to which the token was issued, by default `test-client`. */
  readonly client?: string;
  /** The claim `aud`, by default `test-service` (for `signIn`, the application's client id). */
  readonly audience?: string | readonly string[];
  /** The claim `iss`, by default `https://keycloak.test/realms/test` (for `signIn`, the application's issuer). */
  readonly issuer?: string;
  /** The claim `acr`: the level of the user's login. */
  readonly acr?: string;
  /** The seconds since the login of the user (`auth_time`). */
  readonly authenticatedSecondsAgo?: number;
  /** The seconds until `exp`, by default 300; negative for an expired token. */
  readonly expiresInSeconds?: number;
  /** Further claims, which override all other options; an undefined claim is omitted. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The scopes for which the signed-in token can be exchanged, by default all scopes. */
  readonly grantableScopes?: readonly string[];
}

export const TEST_ISSUER = 'https://keycloak.test/realms/test';
export const TEST_AUDIENCE = 'test-service';

/**
 * Makes a `VerifiedAccessToken`, as an argument for a handler or for `signIn`. A running guard accepts the `text` of
 * the token only if a server issued this `text`.
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

interface Description {
  readonly text: string;
  readonly options: TestAccessTokenOptions;
}

const descriptions = new WeakMap<VerifiedAccessToken, Description>();

export const descriptionOf = (token: VerifiedAccessToken): Description | undefined => descriptions.get(token);

const ofProfile = (client: string, profile: ProfileName = 'keycloak'): object =>
  profile === 'keycloak'
    ? { azp: client, typ: KEYCLOAK_ACCESS_TOKEN_TYP }
    : { client_id: client, jti: randomBytes(16).toString('base64url') };

export function claimsOf(
  options: TestAccessTokenOptions,
  defaults: { readonly issuer: string; readonly audience: string; readonly profile?: ProfileName | undefined },
): Readonly<Record<string, unknown>> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: options.issuer ?? defaults.issuer,
    sub: options.subject ?? 'test-subject',
    aud: options.audience ?? defaults.audience,
    ...ofProfile(options.client ?? 'test-client', defaults.profile),
    scope: (options.permissions ?? []).join(' '),
    acr: options.acr,
    auth_time: options.authenticatedSecondsAgo === undefined ? undefined : now - options.authenticatedSecondsAgo,
    iat: now,
    exp: now + (options.expiresInSeconds ?? 300),
    ...structuredClone(options.claims),
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}
