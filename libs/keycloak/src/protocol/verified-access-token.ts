import { inspect } from 'node:util';
import { actorField, readActor, type Actor } from './actor.js';
import { clientRoles, deepFreeze, realmRoles, type AccessTokenClaims } from './claims.js';
import { fingerprint, tokenHash } from './token-hash.js';

let readText: (token: VerifiedAccessToken) => string;
/** Only `claims-verifier.ts` and the testing kit may use `makeVerifiedAccessToken`. */
export let makeVerifiedAccessToken: (text: string, facts: TokenFacts) => VerifiedAccessToken;

/** The symbol must not leave this file, because any code with the symbol can create tokens. */
const MAKER = Symbol('maker');

/** All requests with one token share its `TokenFacts`, which do not contain the token text. */
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
 * An access token whose issuer, audience, time and type this service has verified. The authorization server reported
 * the token as active, or its signature is valid. Only the guard and `AccessTokenVerifier` create a
 * `VerifiedAccessToken` (in tests also `testAccessToken()`).
 *
 * A `VerifiedAccessToken` does NOT expose the token's text, not even in JSON, `util.inspect` or string conversion. To
 * call another service with the token, use `ServiceClient.onBehalfOf(token, scope)` (RFC 8693).
 *
 * `issuer` and `subject` together identify the caller. Do not base decisions on `username` or `email`, which can be
 * reassigned.
 */
export class VerifiedAccessToken {
  // Each request creates a `VerifiedAccessToken`, so the object has only two fields (perf: guard-overhead).
  readonly #text: string;
  readonly #facts: TokenFacts;

  static {
    readText = (token) => token.#text;
    makeVerifiedAccessToken = (text, facts) => new VerifiedAccessToken(text, facts, MAKER);
  }

  private constructor(text: string, facts: TokenFacts, maker: symbol) {
    // TypeScript's `private` does not stop JavaScript code.
    if (maker !== MAKER) throw new TypeError('Only the guard and AccessTokenVerifier can create a VerifiedAccessToken');
    this.#text = text;
    this.#facts = facts;
  }

  /** The claim `iss`, which names the authorization server and realm. */
  get issuer(): string {
    return this.#facts.claims.iss;
  }

  /**
   * The claim `sub`, which is stable within the issuer. If the `profile` is not `keycloak`, a client's own token has
   * `client:<client_id>`.
   */
  get subject(): string {
    return this.#facts.claims.sub;
  }

  /**
   * The client that the token was issued to. With the `profile` `keycloak`, the client id is `azp`. If `azp` is
   * missing, and with other profiles, the client id is `client_id`. The client id does not prove who sent the request.
   */
  get clientId(): string {
    return this.#facts.clientId;
  }

  /**
   * The party that acts for the subject (RFC 8693 §4.1), if the issuer names it in the claim `act`. An actor is
   * information for logs and audits: it grants nothing, and no check of this library depends on it.
   */
  get actor(): Actor | undefined {
    const { act } = this.#facts.claims;
    return act === undefined ? undefined : readActor(act);
  }

  /** The claim `aud`, always as a list. */
  get audience(): readonly string[] {
    return this.#facts.audience;
  }

  /**
   * Returns the members of `scope`, limited by the option `acceptedScopes` or replaced by the option `mapPermissions`.
   */
  get permissions(): readonly string[] {
    return this.#facts.permissions;
  }

  /** The claim `exp`, in seconds since the epoch. */
  get expiresAt(): number {
    return this.#facts.claims.exp;
  }

  /**
   * All claims of the introspection result or of the verified token. If the token itself has `acr`, `auth_time` or `act`,
   * its value replaces the value of the introspection result.
   */
  get claims(): AccessTokenClaims {
    return this.#facts.claims;
  }

  /** Compares the whole name, never a prefix. */
  hasPermission(permission: string): boolean {
    return this.#facts.permissions.includes(permission);
  }

  /**
   * The claim `sid`, which names the user's session. Every token that is exchanged from this token keeps the `sid`. The
   * `sessionId` of a service account is undefined.
   */
  get sessionId(): string | undefined {
    return this.claims.sid;
  }

  /** The claim `preferred_username`, for display only. */
  get username(): string | undefined {
    return this.claims.preferred_username;
  }

  /** The claim `email`, for display only. */
  get email(): string | undefined {
    return this.claims.email;
  }

  /** Keycloak's realm roles (`realm_access.roles`). */
  get realmRoles(): readonly string[] {
    return realmRoles(this.claims);
  }

  /** Returns Keycloak's roles of one client (`resource_access.<clientId>.roles`). */
  clientRoles(clientId: string): readonly string[] {
    return clientRoles(this.claims, clientId);
  }

  /** The token text's SHA-256 in hex, as a key for data about the token. */
  get hash(): string {
    this.#facts.hash ??= tokenHash(this.#text);
    return this.#facts.hash;
  }

  /** The fingerprint of the token: `token:` and eight hex digits. */
  get fingerprint(): string {
    return fingerprint(this.#text);
  }

  toJSON(): Readonly<Record<string, unknown>> {
    const { actor } = this;
    return {
      fingerprint: this.fingerprint,
      issuer: this.issuer,
      subject: this.subject,
      clientId: this.clientId,
      ...(actor === undefined ? {} : { actor }),
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

export const ownerOf = ({ issuer: iss, clientId: azp, subject: sub, claims: { jti }, actor }: VerifiedAccessToken) => ({
  iss,
  azp,
  sub,
  jti,
  ...actorField(actor),
});

/** Returns the token text, for a token exchange request and its cache key. */
export function subjectTokenText(token: VerifiedAccessToken): string {
  return readText(token);
}
