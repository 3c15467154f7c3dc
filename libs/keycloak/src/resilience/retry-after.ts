/** Retry-After: how long the other side asked us to stay away. */
import { systemClock } from '../caching/clock.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';

const MAX_SECONDS = 300;

/** A day of the week and so on: each of the three forms of RFC 9110 §5.6.7, of which the last one has no time zone. */
const HTTP_DATE = /^[A-Z][a-z]{2,8},? [\w :-]{15,24}$/;

/**
 * The header in seconds (RFC 9110 §10.2.3), at most five minutes; undefined for none. `date`: the header of the same answer, if it has one. A date counts from that, by the clock of who sent
 * both.
 */
export function retryAfterSeconds(
  header: string | null | undefined,
  date: string | null | undefined,
): number | undefined {
  if (typeof header !== 'string') return undefined;
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : secondsUntil(header, date ?? '');
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(0, seconds), MAX_SECONDS);
}

/** `NaN` for what is no date. */
function secondsUntil(until: string, from: string): number {
  const fromSeconds = secondsOf(from);
  return Math.ceil(secondsOf(until) - (Number.isNaN(fromSeconds) ? systemClock.epochSeconds() : fromSeconds));
}

function secondsOf(date: string): number {
  if (!HTTP_DATE.test(date)) return Number.NaN;
  return Date.parse(date.endsWith(' GMT') ? date : `${date} GMT`) / 1000;
}

/** In milliseconds; 0 for any failure that does not say. */
export function retryAfterMs(failure: unknown): number {
  return failure instanceof KeycloakException ? (failure.retryAfterSeconds ?? 0) * 1000 : 0;
}
