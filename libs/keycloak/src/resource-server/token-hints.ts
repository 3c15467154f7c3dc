/** Token hints come from unverified claims, so they are for the log only. */
import { audiencesOfServices } from '../protocol/keycloak-clients.js';
import { loggableText } from '../protocol/loggable-text.js';
import type { BearerError } from '../protocol/bearer-error.js';
import { unverifiedAudiences, unverifiedClaims } from '../protocol/unverified-claims.js';
import type { ClaimsSource, ClaimsVerifierOptions } from './claims-verifier.js';

export interface Skew {
  readonly aheadSeconds: number;
  readonly by: string;
}

export interface HintOptions extends Pick<ClaimsVerifierOptions, 'issuer' | 'audience' | 'clockToleranceSeconds'> {
  readonly source: ClaimsSource;
  readonly nowSeconds: number;
  readonly skew: Skew | undefined;
}

export function addHint(refusal: BearerError, text: string, options: HintOptions): BearerError {
  switch (refusal.reason) {
    case 'inactive':
      return refusal.add(ofInactive(text, options));
    case 'other_audience':
      return refusal.add({ hint: ofAnotherAudience(unverifiedAudiences(text), options) });
    case 'other_issuer':
      return refusal.add({ hint: ofOtherIssuer(text, options) });
    case 'expired':
    case 'not_yet_valid':
    case 'issued_in_the_future':
      return refusal.add(ofTime(refusal.reason, text, options));
    case 'signing_key_unknown':
      return refusal.add({ hint: ofUnknownKey(text, options) });
    case 'lightweight_token':
      return refusal.add({ hint: ofLightweight(text) });
    default:
      return refusal;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** Keycloak reports a token as inactive for eight reasons, and the claims of the token often show the reason. */
function ofInactive(text: string, options: HintOptions): Fields {
  const { iss, azp, exp } = unverifiedClaims(text);
  const audiences = unverifiedAudiences(text);
  const said = {
    isOfIssuer: iss === options.issuer,
    isForUs: audiences.includes(options.audience),
    audiences,
    endedSecondsAgo: typeof exp === 'number' ? Math.round(options.nowSeconds - exp) : undefined,
  };
  return {
    hint: iss === undefined && exp === undefined ? 'The token has no readable claims.' : hintOfInactive(said, options),
    unverified: {
      issMatches: said.isOfIssuer,
      audMatches: said.isForUs,
      ...(said.isOfIssuer ? {} : { iss: loggableText(iss) }),
      ...(said.isForUs ? {} : { aud: loggableText(audiences.join(' ')) }),
      azp: loggableText(azp),
      expiresInSeconds: said.endedSecondsAgo === undefined ? undefined : -said.endedSecondsAgo,
    },
  };
}

/**
 * The hint does not suggest an audience mapper, because the mapper would make this service accept other services'
 * tokens. Keycloak 26.4 reports a token as active to every client, but Keycloak 26.6 only to the token's audience.
 */
function ofAnotherAudience(audiences: readonly string[], { audience }: HintOptions): string {
  const services = audiencesOfServices(audiences);
  const others = listed(services, 'and');
  if (others === undefined) {
    const own = listed(audiences, 'and');
    const found =
      own === undefined
        ? 'The token names no audience, and'
        : `The token names no service, only ${own}, ${new Set(audiences).size === 1 ? 'a client' : 'clients'} of Keycloak itself.`;
    return `${found} Keycloak reports a token as active only to its audience. If it was meant for ${audience}, check in this order: its client requested a scope of ${audience}, the user has the role of this scope, the scope has an audience mapper for ${audience}. Don't add this mapper to a default scope: the tokens of all users would be for ${audience}.`;
  }
  const one = listed(services, 'or');
  return `The token is for ${others}, but this service is ${audience}. If a service forwarded the token of its caller, let it exchange the token (onBehalfOf). If the sender has a wrong address for ${one}, correct it at the sender. If this service is ${one}, correct clientId. If the audience mapper of its scope names the wrong client, correct that mapper. Don't add a mapper for ${audience}: both services would accept tokens for ${others}.`;
}

/** Returns `undefined` if `names` has no readable text. */
function listed(names: readonly string[], last: 'and' | 'or'): string | undefined {
  const all = [...new Set(names)];
  const before = all.slice(0, -1).join(', ');
  return loggableText(before === '' ? all.join('') : `${before} ${last} ${all.at(-1)}`);
}

/** Keycloak issued the token, so its `iss` is the realm's current name. */
function ofOtherIssuer(text: string, { issuer, source }: HintOptions): string {
  const found = loggableText(unverifiedClaims(text)['iss']) ?? 'another one';
  const why = source === 'signature' ? 'A key of the realm signed it' : 'Keycloak reports it as active';
  return `${why}, so the issuer of the realm is ${found} now, but this service expects ${issuer}. Set the Frontend URL (Realm settings, General) or KC_HOSTNAME back, or set issuer (KEYCLOAK_ISSUER) to the new name.`;
}

interface Said {
  readonly isOfIssuer: boolean;
  readonly isForUs: boolean;
  readonly audiences: readonly string[];
  readonly endedSecondsAgo: number | undefined;
}

function hintOfInactive(said: Said, options: HintOptions): string {
  const { skew, clockToleranceSeconds } = options;
  if (!said.isOfIssuer) return 'The token names another issuer.';
  if (!said.isForUs) return ofAnotherAudience(said.audiences, options);
  if (isOff(skew, clockToleranceSeconds)) return inWords(skew);
  if (said.endedSecondsAgo !== undefined && said.endedSecondsAgo >= 0) {
    return `By its own exp, the token expired ${said.endedSecondsAgo} s ago.`;
  }
  return 'The claims of the token are right for this service. It was revoked, its session ended, its user or client was disabled, the realm has a new issuer or signing key, or it is forged.';
}

const isOff = (skew: Skew | undefined, toleranceSeconds: number): skew is Skew =>
  skew !== undefined && Math.abs(skew.aheadSeconds) > toleranceSeconds;

function ofTime(
  reason: 'expired' | 'not_yet_valid' | 'issued_in_the_future',
  text: string,
  { source, nowSeconds, skew, clockToleranceSeconds }: HintOptions,
): Fields {
  // If the clock is ahead, tokens expire too early. If the clock is behind, tokens become valid too late.
  const explains = skew !== undefined && (reason === 'expired' ? skew.aheadSeconds > 0 : skew.aheadSeconds < 0);
  if (explains && isOff(skew, clockToleranceSeconds)) return { hint: inWords(skew) };
  const { exp, iat, nbf } = unverifiedClaims(text);
  const endedSecondsAgo = nowSeconds - Number(exp);
  // A valid signature does not prove that the token is still valid by Keycloak's clock.
  if (reason === 'expired' && source === 'signature') {
    const unmeasured =
      skew === undefined ? ' by the clock of this service, which was never compared with the clock of Keycloak' : '';
    return { hint: `The token expired ${Math.round(endedSecondsAgo)} s ago${unmeasured}.` };
  }
  // Keycloak has signed the token or reported the token as active, so the token is valid by Keycloak's clock.
  const by = source === 'signature' ? 'signed the token' : 'reported the token as active';
  if (reason === 'expired') return off(by, 'ahead of', endedSecondsAgo);
  return off(by, 'behind', Number(reason === 'not_yet_valid' ? nbf : iat) - nowSeconds);
}

function off(by: string, direction: string, seconds: number): Fields {
  if (!Number.isFinite(seconds)) return {};
  return {
    hint: `Keycloak ${by}, so this service's clock is ${direction} Keycloak's by at least ${Math.round(seconds)} s.`,
  };
}

/** The claims have not been checked yet, so the token may also be expired or from another issuer. */
function ofUnknownKey(text: string, { issuer, nowSeconds }: HintOptions): string {
  const { iss, exp } = unverifiedClaims(text);
  if (iss !== issuer) return 'The token names another issuer.';
  if (typeof exp === 'number' && nowSeconds >= exp) {
    return `By its own exp, the token expired ${Math.round(nowSeconds - exp)} s ago. Keycloak may have removed its key since.`;
  }
  return 'Keycloak publishes no key with the id that the token names. Keycloak has removed that key, or the token is forged.';
}

function ofLightweight(text: string): string {
  const client = loggableText(unverifiedClaims(text)['azp']) ?? 'its client';
  return `Keycloak issues lightweight access tokens to ${client}, and only introspection shows their audience. Turn them off for ${client} (client.use.lightweight.access.token.enabled), or verify by introspection.`;
}

function inWords({ aheadSeconds, by }: Skew): string {
  const direction = aheadSeconds > 0 ? 'ahead of' : 'behind';
  return `This service's clock is ${direction} Keycloak's by ${Math.abs(aheadSeconds)} s, measured by ${by}.`;
}
