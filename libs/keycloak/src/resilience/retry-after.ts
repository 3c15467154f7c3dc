import { systemClock } from '../caching/clock.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';

const MAX_SECONDS = 300;

/** A date in one of the three formats of RFC 9110 §5.6.7. The format `asctime` has no time zone. */
const HTTP_DATE = /^[A-Z][a-z]{2,8},? [\w :-]{15,24}$/;

/**
 * Returns the time in `Retry-After` in seconds (RFC 9110 §10.2.3), at most five minutes. A date is compared with the
 * answer's `Date` header, so that only the sender's clock counts.
 */
export function retryAfterSeconds(
  header: string | null | undefined,
  date: string | null | undefined,
): number | undefined {
  if (typeof header !== 'string') return undefined;
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : secondsUntil(header, date ?? '');
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(0, seconds), MAX_SECONDS);
}

function secondsUntil(until: string, from: string): number {
  const fromSeconds = secondsOf(from);
  return Math.ceil(secondsOf(until) - (Number.isNaN(fromSeconds) ? systemClock.epochSeconds() : fromSeconds));
}

function secondsOf(date: string): number {
  if (!HTTP_DATE.test(date)) return Number.NaN;
  return Date.parse(date.endsWith(' GMT') ? date : `${date} GMT`) / 1000;
}

export function retryAfterMs(failure: unknown): number {
  return failure instanceof KeycloakException ? (failure.retryAfterSeconds ?? 0) * 1000 : 0;
}
