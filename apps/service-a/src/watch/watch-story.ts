import { fromTheCause, fromTheFirst, inWords, isAtOnce, seconds } from './refusal-words.js';
import type { TokenState } from './watched-token.js';

export interface WatchedService {
  readonly service: string;
  readonly state: TokenState;
  readonly refusedAtMs?: number | undefined;
}

export interface ReceivedSignal {
  readonly receivedAtMs: number;
  /** The time of the event on Keycloak's clock. */
  readonly occurredAtMs: number;
}

export interface WatchStory {
  readonly kind: 'watching' | 'refused' | 'expired';
  readonly headline: string;
  readonly services: readonly { readonly service: string; readonly state: TokenState; readonly words: string }[];
  readonly counted?: string;
}

/**
 * The maximum time from a signal to the refusal that the signal causes. The signal may also arrive after the refusal,
 * if the service refused the token for another reason.
 */
const RECEIVED_BEFORE_MS = 2000;
const RECEIVED_AFTER_MS = 3000;

export function storyOf(services: readonly WatchedService[], received: readonly ReceivedSignal[]): WatchStory {
  const refusals = services.flatMap(({ refusedAtMs }) => refusedAtMs ?? []);
  return refusals.length === 0 ? quietStory(services) : refusedStory(services, Math.min(...refusals), received);
}

export function causeOf(firstMs: number, received: readonly ReceivedSignal[]): number | undefined {
  const causes = received.filter(
    ({ receivedAtMs, occurredAtMs }) =>
      receivedAtMs >= firstMs - RECEIVED_BEFORE_MS &&
      receivedAtMs <= firstMs + RECEIVED_AFTER_MS &&
      occurredAtMs <= firstMs,
  );
  return causes.length === 0 ? undefined : Math.max(...causes.map(({ occurredAtMs }) => occurredAtMs));
}

const STATE_WORDS: Readonly<Record<TokenState, string>> = {
  unknown: 'has not answered yet',
  accepted: 'accepts its token',
  refused: 'refuses its token',
  expired: 'its token has expired',
};

function refusedStory(
  services: readonly WatchedService[],
  firstMs: number,
  received: readonly ReceivedSignal[],
): WatchStory {
  const causeMs = causeOf(firstMs, received);
  const fromMs = causeMs ?? firstMs;
  const late = services
    .flatMap(({ service, refusedAtMs }) => (refusedAtMs === undefined ? [] : { service, lateMs: refusedAtMs - fromMs }))
    .toSorted((one, other) => one.lateMs - other.lateMs);
  const wordsOf = ({ state, refusedAtMs }: WatchedService): string => {
    if (refusedAtMs === undefined) return STATE_WORDS[state];
    if (causeMs !== undefined) return `refused after ${seconds(refusedAtMs - fromMs)}`;
    const lateMs = refusedAtMs - fromMs;
    return isAtOnce({ lateMs }) ? 'refused first' : `refused ${seconds(lateMs)} later`;
  };
  const accepting = named(services, 'accepted');
  const still = accepting.length === 0 ? '' : `; ${inWords(accepting)} still ${verb(accepting)} the session`;
  return {
    kind: 'refused',
    headline: (causeMs === undefined ? fromTheFirst(late) : fromTheCause(late)) + still,
    services: services.map((one) => ({ service: one.service, state: one.state, words: wordsOf(one) })),
    counted:
      causeMs === undefined
        ? 'Counted from the first refusal: Service A received no event before it.'
        : "Counted from the time of the event in Keycloak's log.",
  };
}

function quietStory(services: readonly WatchedService[]): WatchStory {
  const [accepting, expired] = [named(services, 'accepted'), named(services, 'expired')];
  const shown = services.map(({ service, state }) => ({ service, state, words: STATE_WORDS[state] }));
  if (expired.length > 0) {
    const headline = `The token of your session at ${inWords(expired)} has expired`;
    return { kind: 'expired', headline, services: shown };
  }
  const headline =
    accepting.length === 0
      ? 'Service A tries the token of your session'
      : `Your session is active: ${inWords(accepting)} ${verb(accepting)} its token${accepting.length === 1 ? '' : 's'}`;
  return { kind: 'watching', headline, services: shown };
}

const named = (services: readonly WatchedService[], wanted: TokenState): string[] =>
  services.filter(({ state }) => state === wanted).map(({ service }) => service);

const verb = ({ length }: readonly string[]): string => (length === 1 ? 'accepts' : 'accept');
