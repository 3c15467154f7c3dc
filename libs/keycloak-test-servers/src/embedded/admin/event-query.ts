/** Checks the parameters of an event search in Keycloak's order. */
import type { LoggedEvent } from '../state/event-log.js';
import type { HttpCall } from '../http/http-call.js';
import { AdminRefusal, notFound, notImplemented } from './admin-refusal.js';

const DEFAULT_MAX = 100;
const DAY_MS = 86_400_000;

type Query = HttpCall['query'];

export function pageOf<E extends LoggedEvent>(
  events: readonly E[],
  query: Query,
  isWanted: (event: E) => boolean,
): E[] {
  const [first, max] = [wholeNumber(query, 'first') ?? 0, wholeNumber(query, 'max') ?? DEFAULT_MAX];
  const [from, to] = [timeIn(query, 'dateFrom'), timeIn(query, 'dateTo')];
  const isAscending = direction(query) === 'asc';
  const found = events.filter((event) => event.time >= from && event.time <= to && isWanted(event));
  const ordered = isAscending ? found : found.toReversed();
  const start = Math.max(first, 0);
  return ordered.slice(start, max < 0 ? undefined : start + max);
}

/** An unknown name is answered with 500, as in Keycloak. */
export function namesIn(query: Query, parameter: string, isKnown: (name: string) => boolean): string[] | undefined {
  const names = query.getAll(parameter).filter((name) => name !== '');
  if (names.some((name) => !isKnown(name))) {
    const error_description = 'For more on this error consult the server log.';
    throw new AdminRefusal(500, { error: 'unknown_error', error_description });
  }
  return names.length === 0 ? undefined : names;
}

/** Unknown parameters are ignored, as in Keycloak. */
export function refuseParameters(query: Query, what: string, parameters: readonly string[]): void {
  const present = parameters.find((name) => query.has(name));
  if (present !== undefined) throw notImplemented(`a search of ${what} by ${present}`);
}

function wholeNumber(query: Query, parameter: string): number | undefined {
  const text = query.get(parameter) ?? '';
  if (text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw notFound('HTTP 404 Not Found');
  return Number(text);
}

/** `dateFrom` means the first millisecond of the day in UTC, and `dateTo` means the last millisecond. */
function timeIn(query: Query, parameter: 'dateFrom' | 'dateTo'): number {
  const text = query.get(parameter) ?? '';
  if (text === '') return parameter === 'dateFrom' ? -Infinity : Infinity;
  if (/^\d+$/.test(text)) return Number(text);
  const dayMs = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : NaN;
  // Date.parse() would convert February 30 to a day in March.
  if (Number.isNaN(dayMs) || !new Date(dayMs).toISOString().startsWith(text)) {
    const error = `Invalid value for '${parameter}', expected format is yyyy-MM-dd or an Epoch timestamp`;
    throw new AdminRefusal(400, { error });
  }
  return parameter === 'dateFrom' ? dayMs : dayMs + DAY_MS - 1;
}

function direction(query: Query): string {
  const text = query.get('direction') ?? 'desc';
  if (text === 'asc' || text === 'desc') return text;
  throw new AdminRefusal(400, { error: 'Invalid value for sortDirection, expected value is asc or desc' });
}
