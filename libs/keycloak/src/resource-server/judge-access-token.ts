/** Judge access token: turns what is known of a token, and by whom, into the proof that it is good for this service, now. */
import type { Clock } from '../caching/clock.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { AccessTokenClaims, IntrospectionAnswer } from '../protocol/claims.js';
import { KEYCLOAK_ACCESS_TOKEN_TYP } from '../protocol/identifiers.js';
import type { BearerErrorReason } from '../protocol/refusal-reasons.js';
import { parseScope } from '../protocol/scope.js';
import type { TokenProfile } from '../protocol/token-profile.js';
import {
  makeVerifiedAccessToken,
  tokenFacts,
  type TokenFacts,
  type VerifiedAccessToken,
} from '../protocol/verified-access-token.js';
import type { HeldDenials } from '../revocation/held-denials.js';
import { ActiveToken } from './active-token.js';
import type { BearerRequest } from './bearer-token.js';

/** The call whose caller has the permissions. */
export interface PermissionContext {
  /** As `ExecutionContext.getType()` says it: `http`, `graphql`, `rpc`, `ws` … */
  readonly kind: string;
  /** The request of Express or Fastify; of other kinds what the carrier gives, which has `headers`. */
  readonly request: BearerRequest;
}

/**
 * Makes a caller's permissions out of the claims of a token; what it returns replaces the members of `scope`. It is called for every call, and what
 * it gives is not kept: one that asks a database keeps answers itself. When it throws or rejects, the call fails as by an error of the application (500); no
 * time-out ends it, so it needs one of its own.
 *
 * `context` is undefined for `AccessTokenVerifier.verify()`, where there is no call.
 */
export type PermissionMapper = (
  claims: AccessTokenClaims,
  context: PermissionContext | undefined,
) => readonly string[] | Promise<readonly string[]>;

export interface JudgeOptions {
  readonly issuer: string;
  /** This service's own identifier, which `aud` must hold. */
  readonly audience: string;
  readonly clockToleranceSeconds: number;
  readonly permissions: PermissionMapper | undefined;
  /** The scopes that count as permissions; undefined for all of them. */
  readonly acceptedScopes?: readonly string[] | undefined;
  /** What an access token is here, and whose it is. */
  readonly profile: TokenProfile;
}

/** Where claims come from: the answer of the authorization server about a token, or the token itself, whose signature was checked. */
export type ClaimsSource = 'introspection' | 'signature';

/**
 * Judges all claims, however sure the server was. It begins with `active` of an answer. For both sources it judges `iss`, `aud`,
 * `typ` and `cnf`, and the times `exp`, `nbf` and `iat`. For both it also judges `sub` and the client.
 *
 * Then it refuses a token that is denied here, which the server may not know. It runs for every request, so cached claims are
 * never trusted for longer. `active-token.ts` says which claims of an active token count.
 *
 * Throws `BearerError` `invalid_token`; the reason tells the operator which check it was.
 */
export function judgeAccessToken(
  text: string,
  source: ClaimsSource,
  given: IntrospectionAnswer,
  options: JudgeOptions,
  clock: Clock,
  denials: Pick<HeldDenials, 'denies'>,
  /** SHA-256 of `text`, where it was made already. */
  hash?: string,
  context?: PermissionContext,
): VerifiedAccessToken | Promise<VerifiedAccessToken> {
  if (source === 'signature' && isLightweight(given)) throw invalid('lightweight_token');
  const facts = factsOf(text, source, given, options, hash);
  const { claims } = facts;
  if (claims.iss !== options.issuer) throw invalid('other_issuer', claims);
  if (!facts.audience.includes(options.audience)) throw invalid('other_audience', claims);
  // Servers also find other tokens active (RFC 8725 §3.11).
  if (!options.profile.isAccessToken(claims)) throw invalid('not_an_access_token', claims);
  // A token bound to a key is worth nothing without the proof of that key, which is not taken here (RFC 8705, RFC 9449).
  if (claims['cnf'] !== undefined) throw invalid('sender_constrained', claims);
  const now = clock.epochSeconds();
  const tolerance = options.clockToleranceSeconds;
  if (now >= claims.exp + tolerance) throw invalid('expired', claims);
  if (claims.nbf !== undefined && now < claims.nbf - tolerance) throw invalid('not_yet_valid', claims);
  if (claims.iat !== undefined && now < claims.iat - tolerance) throw invalid('issued_in_the_future', claims);
  if (facts.clientId === '') throw invalid('client_missing', claims);
  const token = makeVerifiedAccessToken(text, facts);
  if (denials.denies(token)) throw invalid('revoked', claims);
  const { permissions } = options;
  if (permissions === undefined) return token;
  const withPermissions = (mapped: unknown): VerifiedAccessToken =>
    makeVerifiedAccessToken(text, tokenFacts(claims, facts.clientId, permissionList(mapped), hash));
  const mapped: unknown = permissions(claims, context);
  // Promises of other libraries and realms are none of ours.
  if (typeof (Object(mapped) as { readonly then?: unknown }).then !== 'function') return withPermissions(mapped);
  return Promise.resolve(mapped).then((list) => {
    // It may have ended or been denied meanwhile.
    if (clock.epochSeconds() >= claims.exp + tolerance) throw invalid('expired', claims);
    if (denials.denies(token)) throw invalid('revoked', claims);
    return withPermissions(list);
  });
}

/** Of Keycloak 26.2 and later: two letters for each of the kinds of session, token and grant. */
const LIGHTWEIGHT_TOKEN_ID = /^[a-z]{2}lt[a-z]{2}:/;

/** Keycloak's lightweight access tokens do not name their user and their audience, unless mappers are told to: it says both by introspection alone. */
function isLightweight({ typ, sub, aud, jti }: IntrospectionAnswer): boolean {
  if (typ !== KEYCLOAK_ACCESS_TOKEN_TYP || (sub !== undefined && aud !== undefined)) return false;
  return sub === aud || (typeof jti === 'string' && LIGHTWEIGHT_TOKEN_ID.test(jti));
}

/** Of claims that are kept, and can't change: their types need not be looked at more than once. */
const cachedFacts = new WeakMap<IntrospectionAnswer, TokenFacts>();

/** They belong to the profile and to the token too: each answer is one server's answer about one token. */
function factsOf(
  text: string,
  source: ClaimsSource,
  answer: IntrospectionAnswer,
  { profile, issuer, acceptedScopes }: JudgeOptions,
  hash: string | undefined,
): TokenFacts {
  const cached = cachedFacts.get(answer);
  if (cached !== undefined) return cached;
  const given = source === 'signature' ? answer : ActiveToken.of(text, answer)?.claims;
  if (given === undefined) throw invalid('inactive');
  if (profile.isReserved(given['sub'])) throw invalid('sub_reserved');
  const claims = readClaims(profile.completed(given, issuer), profile);
  const client = profile.clientOf(claims);
  const granted = parseScope(claims.scope ?? '');
  const permissions = acceptedScopes === undefined ? granted : granted.filter((one) => acceptedScopes.includes(one));
  const facts = tokenFacts(claims, typeof client === 'string' ? client : '', permissions, hash);
  if (Object.isFrozen(answer)) cachedFacts.set(answer, facts);
  return facts;
}

/** The parser at the border: each claim that is relied upon has its type, or the token is refused. */
function readClaims(answer: IntrospectionAnswer, { demanded }: TokenProfile): AccessTokenClaims {
  for (const name of ['iss', 'sub'] as const) {
    const value = answer[name];
    if (typeof value !== 'string' || value === '') throw invalid(`${name}_missing`);
  }
  const { aud } = answer;
  const audience: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audience.length === 0 || !audience.every((item) => typeof item === 'string')) throw invalid('aud_missing');
  if (!Number.isFinite(answer['exp'])) throw invalid('exp_missing');
  for (const name of demanded) {
    if (answer[name] === undefined) throw invalid(`${name}_missing`);
  }
  for (const name of ['nbf', 'iat'] as const) {
    if (answer[name] !== undefined && !Number.isFinite(answer[name])) throw invalid(`${name}_malformed`);
  }
  for (const name of ['scope', 'azp', 'client_id', 'jti', 'sid', 'preferred_username', 'email'] as const) {
    if (answer[name] !== undefined && typeof answer[name] !== 'string') throw invalid(`${name}_malformed`);
  }
  return answer as AccessTokenClaims;
}

function permissionList(result: unknown): readonly string[] {
  if (!Array.isArray(result) || !result.every((item) => typeof item === 'string')) {
    throw new TypeError('The option "permissions" must give an array of strings');
  }
  return result;
}

function invalid(reason: BearerErrorReason, claims?: AccessTokenClaims): BearerError {
  if (claims === undefined) return new BearerError('invalid_token', { reason });
  const { iss, azp, aud, jti } = claims;
  return new BearerError('invalid_token', { reason, fields: { iss, azp, aud, jti } });
}
