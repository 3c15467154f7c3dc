/** Token profile: what an access token is at a kind of authorization server, and who its caller is by its claims. */
import type { IntrospectionAnswer } from './claims.js';
import { KEYCLOAK_ACCESS_TOKEN_TYP } from './identifiers.js';
import { isAccessTokenJwt, isBearerToken, isCompactJws, type TokenForm } from './token-form.js';

/** Keycloak; JWTs as RFC 9068 profiles them; tokens of any form, of which the server alone can say what they are (RFC 7662). */
export type ProfileName = 'keycloak' | 'rfc9068' | 'rfc7662';

/** The first is the default. */
export const PROFILES = ['keycloak', 'rfc9068', 'rfc7662'] as const satisfies readonly ProfileName[];

/** Whose a token is, by claims that nobody has looked at. */
export interface CallerClaims {
  readonly subjectOf: (claims: IntrospectionAnswer) => unknown;
  readonly clientOf: (claims: IntrospectionAnswer) => unknown;
}

export interface TokenProfile extends CallerClaims {
  /** What a text must look like to be a token. */
  readonly isToken: TokenForm;
  /** Of such a text: whether it may be an access token, by what its header says. Undefined where a header says nothing of it. */
  readonly mayBeAccessToken: TokenForm | undefined;
  /** Whether the claims are those of an access token, and of no ID, refresh or logout token. */
  readonly isAccessToken: (claims: IntrospectionAnswer) => boolean;
  /** Whether it is a token of an offline session, which outlives the logout of its user (OpenID Connect Core 1.0 §11). */
  readonly isOffline: (claims: IntrospectionAnswer) => boolean;
  /** Whether a token may say nothing of its issuer. */
  readonly mayNameNoIssuer: boolean;
  /** Claims that must be there, besides `iss`, `sub`, `aud` and `exp`. */
  readonly demanded: readonly ('iat' | 'jti')[];
  /** Whether a server that says so of a user would have them taken for a client. */
  readonly isReserved: (sub: unknown) => boolean;
  /** The claims with what follows from them, and from who gave them. */
  readonly completed: (claims: IntrospectionAnswer, issuer: string) => IntrospectionAnswer;
}

/** Of Keycloak 26.2 and later: two letters for each of the kinds of session (an offline one, also where a token was exchanged in it), token and grant. */
const OFFLINE_TOKEN_ID = /^(?:of|ft)[a-z]{4}:/;

const KEYCLOAK: TokenProfile = {
  isToken: isCompactJws,
  mayBeAccessToken: undefined,
  // Keycloak also finds ID and refresh tokens active (RFC 8725 §3.11).
  isAccessToken: ({ typ }) => typ === KEYCLOAK_ACCESS_TOKEN_TYP,
  isOffline: ({ jti }) => typeof jti === 'string' && OFFLINE_TOKEN_ID.test(jti),
  mayNameNoIssuer: false,
  demanded: [],
  isReserved: () => false,
  completed: (claims) => claims,
  subjectOf: ({ sub }) => sub,
  clientOf: ({ azp, client_id: clientId }) => azp ?? clientId,
};

/**
 * Begins the subject of a client's own token. Other servers than Keycloak put the client's id into `sub` there (RFC 9068 §2.2), and a client whose id is
 * the `sub` of a user would be taken for that user (§5).
 */
export const CLIENT_SUBJECT = 'client:';

const isReserved = (sub: unknown): boolean => typeof sub === 'string' && sub.startsWith(CLIENT_SUBJECT);

const isId = (value: unknown): value is string => typeof value === 'string' && value !== '';

const RFC9068: TokenProfile = {
  isToken: isCompactJws,
  mayBeAccessToken: isAccessTokenJwt,
  isAccessToken,
  isOffline: () => false,
  mayNameNoIssuer: false,
  demanded: ['iat', 'jti'],
  isReserved,
  completed: (claims) => ({ ...claims, sub: subjectOfJwt(claims) }),
  subjectOf: subjectOfJwt,
  clientOf: ({ client_id: clientId }) => clientId,
};

const RFC7662: TokenProfile = {
  ...RFC9068,
  isToken: isBearerToken,
  mayBeAccessToken: undefined,
  mayNameNoIssuer: true,
  demanded: [],
  // Our own server has said it, and all but `active` may be left out (§2.2).
  completed: (claims, issuer) => ({
    ...claims,
    iss: claims['iss'] === undefined ? issuer : claims['iss'],
    sub: subjectOfAnswer(claims),
  }),
  subjectOf: subjectOfAnswer,
};

export const TOKEN_PROFILES: Readonly<Record<ProfileName, TokenProfile>> = {
  keycloak: KEYCLOAK,
  rfc9068: RFC9068,
  rfc7662: RFC7662,
};

function subjectOfJwt({ sub, client_id: clientId }: IntrospectionAnswer): unknown {
  return isId(clientId) && sub === clientId ? CLIENT_SUBJECT + clientId : sub;
}

/** Without `sub` it is the client's own token; unless it names a user, who is nobody then. */
function subjectOfAnswer(claims: IntrospectionAnswer): unknown {
  const { sub, client_id: clientId, username, preferred_username: preferred } = claims;
  const isOwn = sub === undefined && username === undefined && preferred === undefined && isId(clientId);
  return isOwn ? CLIENT_SUBJECT + clientId : subjectOfJwt(claims);
}

/**
 * No member of these is demanded by an RFC, so each is listened to where there is one: `token_type` (RFC 6749 §7.1), `typ` as Keycloak has it, `token_use` of others. And what
 * only an ID token or a logout token has.
 */
function isAccessToken(claims: IntrospectionAnswer): boolean {
  return (
    isAbsentOr(BEARER, claims['token_type']) &&
    isAbsentOr(ACCESS_TOKEN_TYP, claims['typ']) &&
    isAbsentOr(ACCESS_TOKEN_USE, claims['token_use']) &&
    claims['nonce'] === undefined &&
    claims['at_hash'] === undefined &&
    claims['c_hash'] === undefined &&
    claims['s_hash'] === undefined &&
    claims['events'] === undefined
  );
}

const BEARER = /^bearer$/i;
const ACCESS_TOKEN_TYP = /^(?:Bearer|(?:application\/)?at\+jwt)$/;
const ACCESS_TOKEN_USE = /^access(?:_token)?$/;

const isAbsentOr = (expected: RegExp, value: unknown): boolean =>
  value === undefined || (typeof value === 'string' && expected.test(value));
