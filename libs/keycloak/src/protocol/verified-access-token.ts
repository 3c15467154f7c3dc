/** VerifiedAccessToken: the proof that a token was verified and judged for this service, without its text. */
import { inspect } from 'node:util';
import { clientRoles, deepFreeze, realmRoles, type AccessTokenClaims } from './claims.js';
import { fingerprint, tokenHash } from './token-hash.js';

let readText: (token: VerifiedAccessToken) => string;
/** For `judge-access-token.ts` and the testing kit alone. Not exported by the package. */
export let makeVerifiedAccessToken: (text: string, facts: TokenFacts) => VerifiedAccessToken;

/** It lets its holder make tokens, so it never leaves this file. */
const MAKER = Symbol('maker');

/** What is the same for every request that carries a token while one answer about it serves; no text of it. */
export interface TokenFacts {
  readonly claims: AccessTokenClaims;
  readonly clientId: string;
  readonly audience: readonly string[];
  readonly permissions: readonly string[];
  /** SHA-256 of the token, once somebody has asked for it. */
  hash?: string | undefined;
}

/** Copies and freezes what it is given. */
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
 * An access token that was found active by the authorization server, or has its signature, and was judged by this service: issuer, audience,
 * time, kind. Only the guard makes one (and `testAccessToken()` in tests), so a parameter of this type is the proof: the
 * constructor is private, and throws `TypeError` when called all the same.
 *
 * It does NOT give out the token's text, and JSON, `util.inspect` and string conversion show none: the only thing to
 * do with it towards another service is `ServiceClient.onBehalfOf(token, scope)`, which exchanges it (RFC 8693).
 *
 * The identity of the caller is `issuer` with `subject`. `username` and `email` can change hands; show them, and decide
 * nothing by them.
 */
export class VerifiedAccessToken {
  // One is made for each request: two fields, and all else is read of facts that can't change (perf: guard-overhead).
  readonly #text: string;
  readonly #facts: TokenFacts;

  static {
    readText = (token) => token.#text;
    makeVerifiedAccessToken = (text, facts) => new VerifiedAccessToken(text, facts, MAKER);
  }

  private constructor(text: string, facts: TokenFacts, maker: symbol) {
    // What is private in the types is not so in JavaScript.
    if (maker !== MAKER)
      throw new TypeError('A VerifiedAccessToken is made by the guard and AccessTokenVerifier alone');
    this.#text = text;
    this.#facts = facts;
  }

  /** `iss`: the authorization server and realm. */
  get issuer(): string {
    return this.#facts.claims.iss;
  }

  /**
   * `sub`: the user or service account; stable for good within the issuer. With another `profile` than `keycloak` a client's own token has `client:<client_id>` here and in its claims,
   * which no user has.
   */
  get subject(): string {
    return this.#facts.claims.sub;
  }

  /** `azp` (else `client_id`; with another `profile` than `keycloak` that alone): the client that the token was issued to. It is not proof of who sent the request. */
  get clientId(): string {
    return this.#facts.clientId;
  }

  /** `aud`, always as a list. It holds this service. */
  get audience(): readonly string[] {
    return this.#facts.audience;
  }

  /** What the caller may do here: the members of `scope`, or what the option `mapPermissions` made of the claims. */
  get permissions(): readonly string[] {
    return this.#facts.permissions;
  }

  /** `exp`: seconds since the epoch. */
  get expiresAt(): number {
    return this.#facts.claims.exp;
  }

  /**
   * Every claim of the introspection answer, with the token's own `acr` and `auth_time` where it has them; or every claim of the token where its signature
   * was verified.
   */
  get claims(): AccessTokenClaims {
    return this.#facts.claims;
  }

  /** Whether the caller has this permission: by its whole name, never by a prefix. */
  hasPermission(permission: string): boolean {
    return this.#facts.permissions.includes(permission);
  }

  /** `sid`: the user's session, the same on every token exchanged from it; absent for service accounts. */
  get sessionId(): string | undefined {
    return this.claims.sid;
  }

  /** `preferred_username`: for display only. */
  get username(): string | undefined {
    return this.claims.preferred_username;
  }

  /** `email`: for display only. */
  get email(): string | undefined {
    return this.claims.email;
  }

  /** `realm_access.roles`. */
  get realmRoles(): readonly string[] {
    return realmRoles(this.claims);
  }

  /** `resource_access.<clientId>.roles`: the roles at one client, never merged with those at another. */
  clientRoles(clientId: string): readonly string[] {
    return clientRoles(this.claims, clientId);
  }

  /** SHA-256 of the token, in hex: the key under which something can be remembered about it. */
  get hash(): string {
    this.#facts.hash ??= tokenHash(this.#text);
    return this.#facts.hash;
  }

  /** Eight hex digits that stand for the token in logs and pages. */
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

/** Of whom a token is, for a log line; it tells the token itself by its id. */
export const ownerOf = ({ issuer: iss, clientId: azp, subject: sub, claims: { jti } }: VerifiedAccessToken) => ({
  iss,
  azp,
  sub,
  jti,
});

/** The text of a token, for the token exchange request and its cache key. Not exported by the package. */
export function subjectTokenText(token: VerifiedAccessToken): string {
  return readText(token);
}
