import type { IntrospectionAnswer } from './claims.js';
import { KEYCLOAK_ACCESS_TOKEN_TYP } from './identifiers.js';
import { isAccessTokenJwt, isBearerToken, isCompactJws, type TokenForm } from './token-form.js';

/** The three kinds are tokens of Keycloak, JWTs (RFC 9068) and any tokens (RFC 7662). */
export type ProfileName = 'keycloak' | 'rfc9068' | 'rfc7662';

/** The first name is the default. */
export const PROFILES = ['keycloak', 'rfc9068', 'rfc7662'] as const satisfies readonly ProfileName[];

export interface CallerClaims {
  readonly subjectOf: (claims: IntrospectionAnswer) => unknown;
  readonly clientOf: (claims: IntrospectionAnswer) => unknown;
}

export interface TokenProfile extends CallerClaims {
  readonly isToken: TokenForm;
  readonly mayBeAccessToken: TokenForm | undefined;
  readonly isAccessToken: (claims: IntrospectionAnswer) => boolean;
  /** Offline sessions outlive the user's logout (OpenID Connect Core 1.0 §11). */
  readonly isOffline: (claims: IntrospectionAnswer) => boolean;
  readonly mayNameNoIssuer: boolean;
  /** The required claims in addition to `iss`, `sub`, `aud` and `exp`. */
  readonly demanded: readonly ('iat' | 'jti')[];
  /** A user with a reserved `sub` would be mistaken for a client. */
  readonly isReserved: (sub: unknown) => boolean;
  readonly completed: (claims: IntrospectionAnswer, issuer: string) => IntrospectionAnswer;
}

/**
 * Matches the `jti` of an offline token since Keycloak 26.2. `of` means an offline session, and `ft` a token exchange
 * in an offline session.
 */
const OFFLINE_TOKEN_ID = /^(?:of|ft)[a-z]{4}:/;

const KEYCLOAK: TokenProfile = {
  isToken: isCompactJws,
  mayBeAccessToken: undefined,
  // Keycloak also reports ID and refresh tokens as active (RFC 8725 §3.11).
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
 * Servers other than Keycloak put the client id into `sub` (RFC 9068 §2.2). The prefix distinguishes a client id from
 * an equal `sub` of a user (RFC 9068 §5).
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
  // Every member of an introspection result except `active` is optional (RFC 7662 §2.2). If the result has no `iss`,
  // `iss` becomes the issuer whose server answered.
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

function subjectOfAnswer(claims: IntrospectionAnswer): unknown {
  const { sub, client_id: clientId, username, preferred_username: preferred } = claims;
  const isOwn = sub === undefined && username === undefined && preferred === undefined && isId(clientId);
  return isOwn ? CLIENT_SUBJECT + clientId : subjectOfJwt(claims);
}

/** Absent claims pass, because no RFC requires `token_type` (RFC 6749 §7.1) or another of these claims. */
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
