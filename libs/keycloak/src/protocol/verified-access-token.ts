import { inspect } from 'node:util';
import { clientRoles, deepFreeze, realmRoles, type AccessTokenClaims } from './claims.js';
import { fingerprint, tokenHash } from './token-hash.js';

let readText: (token: VerifiedAccessToken) => string;
/** Only for `claims-verifier.ts` and the testing kit. */
export let makeVerifiedAccessToken: (text: string, facts: TokenFacts) => VerifiedAccessToken;

/** Must not leave this file, because any code that has this symbol can create tokens. */
const MAKER = Symbol('maker');

/** Shared by all requests with the same token, and holds no token text. */
export interface TokenFacts {
  readonly claims: AccessTokenClaims;
  readonly clientId: string;
  readonly audience: readonly string[];
  readonly permissions: readonly string[];
  hash?: string | undefined;
}

export function tokenFacts(
  claims: AccessTokenClaims,
  clientId: string,
  permissions: Iterable<string>,
  hash?: string,
): TokenFacts {
  return {
    claims: deepFreeze({ ...claims }),
    clientId,
    audience: Object.freeze([claims.aud].flat()),
    permissions: Object.freeze([...new Set(permissions)]),
    hash,
  };
}

/**
 * An access token whose issuer, audience, time and type this service has verified. The authorization server reported it
 * active, or its signature is valid. Only the guard and `AccessTokenVerifier` create such tokens (in tests also
 * `testAccessToken()`).
 *
 * It does NOT expose the token's text, not even in JSON, `util.inspect` or string conversion. To call another service
 * with it, use `ServiceClient.onBehalfOf(token, scope)` (RFC 8693).
 *
 * `issuer` and `subject` together identify the caller. `username` and `email` can be reassigned: base no decision on
 * them.
 */
export class VerifiedAccessToken {
  // Created for each request, so it has only two fields (perf: guard-overhead).
  readonly #text: string;
  readonly #facts: TokenFacts;

  static {
    readText = (token) => token.#text;
    makeVerifiedAccessToken = (text, facts) => new VerifiedAccessToken(text, facts, MAKER);
  }

  private constructor(text: string, facts: TokenFacts, maker: symbol) {
    // TypeScript's `private` does not stop JavaScript.
    if (maker !== MAKER) throw new TypeError('Only the guard and AccessTokenVerifier can create a VerifiedAccessToken');
    this.#text = text;
    this.#facts = facts;
  }

  /** `iss`: the authorization server and realm. */
  get issuer(): string {
    return this.#facts.claims.iss;
  }

  /**
   * `sub`, stable within the issuer. Except with the `profile` `keycloak`, a client's own token has
   * `client:<client_id>`.
   */
  get subject(): string {
    return this.#facts.claims.sub;
  }

  /**
   * The client that the token was issued to: `azp`, or else `client_id` (with the `profile` `keycloak`), or only
   * `client_id` (with other profiles). It does not prove who sent the request.
   */
  get clientId(): string {
    return this.#facts.clientId;
  }

  /** `aud`, always as a list. */
  get audience(): readonly string[] {
    return this.#facts.audience;
  }

  /**
   * The members of `scope`, limited to the option `acceptedScopes` if set, or the result of the option
   * `mapPermissions`.
   */
  get permissions(): readonly string[] {
    return this.#facts.permissions;
  }

  /** `exp`, in seconds since the epoch. */
  get expiresAt(): number {
    return this.#facts.claims.exp;
  }

  /** All claims of the introspection response (with the token's own `acr` and `auth_time`) or of the verified token. */
  get claims(): AccessTokenClaims {
    return this.#facts.claims;
  }

  /** Compares the whole name, never a prefix. */
  hasPermission(permission: string): boolean {
    return this.#facts.permissions.includes(permission);
  }

  /** `sid`: the user's session, the same in every token exchanged from it. Undefined for service accounts. */
  get sessionId(): string | undefined {
    return this.claims.sid;
  }

  /** `preferred_username`, for display only. */
  get username(): string | undefined {
    return this.claims.preferred_username;
  }

  /** `email`, for display only. */
  get email(): string | undefined {
    return this.claims.email;
  }

  /** `realm_access.roles` */
  get realmRoles(): readonly string[] {
    return realmRoles(this.claims);
  }

  /** `resource_access.<clientId>.roles` */
  clientRoles(clientId: string): readonly string[] {
    return clientRoles(this.claims, clientId);
  }

  /** SHA-256 in hex, as a key for data about the token. */
  get hash(): string {
    this.#facts.hash ??= tokenHash(this.#text);
    return this.#facts.hash;
  }

  /** `token:` and eight hex digits. */
  get fingerprint(): string {
    return fingerprint(this.#text);
  }

  toJSON(): Readonly<Record<string, unknown>> {
    return {
      fingerprint: this.fingerprint,
      issuer: this.issuer,
      subject: this.subject,
      clientId: this.clientId,
      audience: this.audience,
      permissions: this.permissions,
      expiresAt: this.expiresAt,
    };
  }

  toString(): string {
    return `VerifiedAccessToken(${this.fingerprint})`;
  }

  [inspect.custom](): string {
    return `VerifiedAccessToken ${inspect(this.toJSON())}`;
  }
}

export const ownerOf = ({ issuer: iss, clientId: azp, subject: sub, claims: { jti } }: VerifiedAccessToken) => ({
  iss,
  azp,
  sub,
  jti,
});

/** The token text, for a token exchange request and its cache key. */
export function subjectTokenText(token: VerifiedAccessToken): string {
  return readText(token);
}
