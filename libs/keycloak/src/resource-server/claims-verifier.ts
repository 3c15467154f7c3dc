import type { Clock } from '../caching/clock.js';
import { readActor } from '../protocol/actor.js';
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
import { permissionList, type PermissionContext, type PermissionMapper } from './permission-mapper.js';

export interface ClaimsVerifierOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly clockToleranceSeconds: number;
  readonly acceptedScopes?: readonly string[] | undefined;
  readonly profile: TokenProfile;
}

export interface PresentedToken {
  readonly text: string;
  readonly hash: string;
  readonly mapPermissions: PermissionMapper | undefined;
  readonly context: PermissionContext | undefined;
}

export type ClaimsSource = 'introspection' | 'signature';

export class ClaimsVerifier {
  /**
   * Holds the results of checks that do not depend on the time, so that these checks run only once for cached (frozen)
   * claims.
   */
  readonly #known = new WeakMap<IntrospectionAnswer, KnownFacts>();

  constructor(
    private readonly options: ClaimsVerifierOptions,
    private readonly clock: Clock,
    private readonly denials: Pick<HeldDenials, 'denies'>,
  ) {}

  /** Runs for every request, because a token may expire or be denied while its claims are cached. */
  verify(
    token: PresentedToken,
    source: ClaimsSource,
    given: IntrospectionAnswer,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    const { facts, fault } = this.#known.get(given) ?? this.#read(token, source, given);
    const { claims } = facts;
    if (fault !== undefined) throw invalid(fault, claims);
    const now = this.clock.epochSeconds();
    const { clockToleranceSeconds: tolerance } = this.options;
    if (now >= claims.exp + tolerance) throw invalid('expired', claims);
    if (claims.nbf !== undefined && now < claims.nbf - tolerance) throw invalid('not_yet_valid', claims);
    if (claims.iat !== undefined && now < claims.iat - tolerance) throw invalid('issued_in_the_future', claims);
    if (facts.clientId === '') throw invalid('client_missing', claims);
    const verified = makeVerifiedAccessToken(token.text, facts);
    if (this.denials.denies(verified)) throw invalid('revoked', claims);
    return token.mapPermissions === undefined ? verified : this.#mapped(token, facts, verified, token.mapPermissions);
  }

  #mapped(
    { text, hash, context }: PresentedToken,
    { claims, clientId }: TokenFacts,
    verified: VerifiedAccessToken,
    mapPermissions: PermissionMapper,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    const withPermissions = (mapped: unknown): VerifiedAccessToken =>
      makeVerifiedAccessToken(text, tokenFacts(claims, clientId, permissionList(mapped), hash));
    const mapped: unknown = mapPermissions(claims, context);
    // `instanceof Promise` is false for a promise of another library or VM context.
    if (typeof (Object(mapped) as { readonly then?: unknown }).then !== 'function') return withPermissions(mapped);
    return Promise.resolve(mapped).then((list) => {
      // The token may have expired or been denied while the mapper ran.
      if (this.clock.epochSeconds() >= claims.exp + this.options.clockToleranceSeconds)
        throw invalid('expired', claims);
      if (this.denials.denies(verified)) throw invalid('revoked', claims);
      return withPermissions(list);
    });
  }

  #read({ text, hash }: PresentedToken, source: ClaimsSource, answer: IntrospectionAnswer): KnownFacts {
    if (source === 'signature' && isLightweight(answer)) throw invalid('lightweight_token');
    const { profile, issuer, audience, acceptedScopes } = this.options;
    const given = source === 'signature' ? answer : ActiveToken.of(text, answer, issuer)?.claims;
    if (given === undefined) throw invalid('inactive');
    if (profile.isReserved(given['sub'])) throw invalid('sub_reserved');
    const claims = readClaims(profile.completed(given, issuer), profile);
    const client = profile.clientOf(claims);
    const granted = parseScope(claims.scope ?? '');
    const permissions = acceptedScopes === undefined ? granted : granted.filter((one) => acceptedScopes.includes(one));
    const facts = tokenFacts(claims, typeof client === 'string' ? client : '', permissions, hash);
    const known = { facts, fault: faultOf(facts, issuer, audience, profile) };
    if (Object.isFrozen(answer)) this.#known.set(answer, known);
    return known;
  }
}

interface KnownFacts {
  readonly facts: TokenFacts;
  readonly fault: BearerErrorReason | undefined;
}

function faultOf(
  { claims, audience }: TokenFacts,
  issuer: string,
  ownAudience: string,
  profile: TokenProfile,
): BearerErrorReason | undefined {
  if (claims.iss !== issuer) return 'other_issuer';
  if (!audience.includes(ownAudience)) return 'other_audience';
  // Servers also report tokens other than access tokens as active (RFC 8725 §3.11).
  if (!profile.isAccessToken(claims)) return 'not_an_access_token';
  // A key-bound token needs a proof of possession, which this library does not check (RFC 8705, RFC 9449).
  return claims['cnf'] === undefined ? undefined : 'sender_constrained';
}

/** Since Keycloak 26.2, a `jti` begins with six letters: two each for session, token and grant. */
const LIGHTWEIGHT_TOKEN_ID = /^[a-z]{2}lt[a-z]{2}:/;

/** Without mappers, a lightweight token lacks user and audience, which introspection returns. */
function isLightweight({ typ, sub, aud, jti }: IntrospectionAnswer): boolean {
  if (typ !== KEYCLOAK_ACCESS_TOKEN_TYP || (sub !== undefined && aud !== undefined)) return false;
  return sub === aud || (typeof jti === 'string' && LIGHTWEIGHT_TOKEN_ID.test(jti));
}

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
  if (answer['act'] !== undefined && readActor(answer['act']) === undefined) throw invalid('act_malformed');
  return answer as AccessTokenClaims;
}

function invalid(reason: BearerErrorReason, claims?: AccessTokenClaims): BearerError {
  if (claims === undefined) return new BearerError('invalid_token', { reason });
  const { iss, azp, aud, jti } = claims;
  return new BearerError('invalid_token', { reason, fields: { iss, azp, aud, jti } });
}
