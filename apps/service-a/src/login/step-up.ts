/** Step-up: links that ask for a certain login (RFC 9470 §4, OpenID Connect Core 1.0 §3.1.2.1). */
import type { AuthenticationDemand, AuthenticationRequirement } from 'nestjs-keycloak-s2s';
import { LoginError } from './login-error.js';

export const MAX_AGE_SECONDS = 86_400;
export const CLOCK_TOLERANCE_SECONDS = 5;

/** The query of a login link, which users can edit. */
export interface StepUpQuery {
  readonly acrValues: unknown;
  readonly maxAge: unknown;
}

/**
 * Throws `LoginError` `login_link_malformed` for an unknown level or an age out of bounds. If the service ignored an
 * invalid value, the login would be weaker.
 */
export function demandIn(
  { acrValues, maxAge }: StepUpQuery,
  known: readonly string[],
): AuthenticationDemand | undefined {
  if (acrValues === undefined && maxAge === undefined) return undefined;
  return { acrValues: knownValues(acrValues, known), maxAgeSeconds: boundedAge(maxAge) };
}

export const demandOf = ({ acr = [], maxAgeSeconds }: AuthenticationRequirement): AuthenticationDemand => ({
  acrValues: [acr].flat(),
  maxAgeSeconds,
});

export function loginLink(
  { acrValues, maxAgeSeconds }: AuthenticationDemand,
  returnTo: string,
  known: readonly string[],
): string | undefined {
  const values = acrValues.filter((value) => known.includes(value));
  if (acrValues.length > 0 && values.length === 0) return undefined;
  const query = new URLSearchParams({
    ...(values.length === 0 ? {} : { acr_values: values.join(' ') }),
    ...(maxAgeSeconds === undefined ? {} : { max_age: String(Math.min(maxAgeSeconds, MAX_AGE_SECONDS)) }),
    return_to: returnTo,
  });
  return `/auth/login?${query.toString()}`;
}

function knownValues(text: unknown, known: readonly string[]): readonly string[] {
  if (text === undefined) return [];
  const values = typeof text === 'string' ? [...new Set(text.split(' '))] : [];
  if (values.length > 0 && values.every((value) => known.includes(value))) return values;
  throw new LoginError('login_link_malformed', 'acr_values_unknown');
}

function boundedAge(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  if (typeof text === 'string' && /^\d{1,5}$/.test(text) && Number(text) <= MAX_AGE_SECONDS) return Number(text);
  throw new LoginError('login_link_malformed', 'max_age_out_of_bounds');
}
