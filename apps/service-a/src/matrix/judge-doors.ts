/** judgeDoors(): what the answers of the services to one token prove, each in a sentence. */
import { isAccepted, type AttackAnswer, type Door } from 'demo';
import { inWords } from '../attacks/judge-attack.js';

const NAMES: Readonly<Record<string, string>> = {
  'service-a': 'Service A',
  'service-b': 'Service B',
  'service-c': 'Service C',
};

/** The client ids of the services, in the order of the columns. */
export const SERVICES = Object.keys(NAMES);

/** For people: such as `Service B` for the client `service-b`. */
export const nameOf = (service: string): string => NAMES[service] ?? service;

/** A token: the service that holds it, from which a thief has it, and those that it is made for, whatever it says of itself. */
export interface StolenToken {
  readonly holder: string;
  readonly meantFor: readonly string[];
}

/**
 * - `opens`: the token was made for this service alone, and opens it.
 * - `exposed`: it was made for this service and others, and opens it: so it is where one token is passed on.
 * - `closed`: it was made for another one, which it opens, and this one refuses it as a token for others.
 * - `ended`: it was made for this service, which refuses it now that it has expired.
 * - `leak`: it was made for another one, and opens this one: that must not be.
 * - `unclear`: anything else, which proves nothing.
 */
export type Verdict = 'opens' | 'exposed' | 'closed' | 'ended' | 'leak' | 'unclear';

export interface Cell {
  readonly service: string;
  readonly verdict: Verdict;
  /** A sentence for people: for whom the token is, and who refused it. */
  readonly why: string;
  readonly answer: AttackAnswer;
}

interface Judged extends StolenToken {
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

export function judgeDoors(token: Judged, doors: readonly Door[]): readonly Cell[] {
  // A token that opens nothing at all may be dead: that others refuse it proves nothing then.
  const isGood = doors.some(({ service, answer }) => token.meantFor.includes(service) && isAccepted(answer));
  return doors.map((door) => judgeDoor(token, door, isGood));
}

/** Who finds that a token is for others, or has expired: Keycloak, which only calls it inactive, or the service itself. */
const FOUND_BY: Readonly<Record<string, (at: string) => string>> = {
  inactive: () => 'Keycloak called it inactive',
  other_audience: (at) => `${at} saw that by itself`,
};

/** `isGood`: whether the token is known to open what it is made for. */
export function judgeDoor(token: Judged, { service, answer }: Door, isGood = false): Cell {
  const of = (verdict: Verdict, why: string): Cell => ({ service, verdict, why, answer });
  const here = nameOf(service);
  const own = inWordsOf(token.meantFor);
  const isForIt = token.meantFor.includes(service);
  if (isAccepted(answer)) {
    if (!isForIt) return of('leak', `It was made for ${own}, and opens ${here} all the same.`);
    return token.meantFor.length === 1
      ? of('opens', `It was made for ${here}.`)
      : of('exposed', `It names ${own}, so it opens ${here} too, wherever it was stolen.`);
  }
  const foundBy = FOUND_BY[answer.reason ?? ''];
  if (answer.status === 401 && answer.code === 'invalid_token' && foundBy !== undefined) {
    if (!isForIt && isGood) return of('closed', `Made for ${own}, and this is ${here}: ${foundBy(here)}.`);
    const hasEnded = token.expiresAt * 1000 <= Date.now();
    if (isForIt && hasEnded) return of('ended', `It was made for ${here}, and it has expired: ${foundBy(here)}.`);
  }
  return of('unclear', `The answer was ${inWords(answer)}, which proves nothing.`);
}

const LIST = new Intl.ListFormat('en', { type: 'conjunction' });

/** For people: such as `Service A, Service B, and Service C`. */
export const inWordsOf = (services: readonly string[]): string => LIST.format(services.map(nameOf));
