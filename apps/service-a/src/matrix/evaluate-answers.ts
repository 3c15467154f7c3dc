import { isAccepted, type AttackAnswer, type TriedService } from 'demo';
import { inWords } from '../attacks/evaluate-attack.js';

const NAMES: Readonly<Record<string, string>> = {
  'service-a': 'Service A',
  'service-b': 'Service B',
  'service-c': 'Service C',
};

export const SERVICES = Object.keys(NAMES);

export const nameOf = (service: string): string => NAMES[service] ?? service;

/**
 * `holder` lost the token; `meantFor` names the services for which the token was made. The token's claim `aud` may name
 * other services.
 */
export interface StolenToken {
  readonly holder: string;
  readonly meantFor: readonly string[];
}

/**
 * - `opens`: a token for this service only, accepted
 * - `exposed`: a token for several services, accepted from a thief
 * - `closed`: a token that another service accepts, refused
 * - `ended`: a token for this service, refused after its expiry
 * - `leak`: a token for another service, accepted, which must not happen
 * - `unclear`: the answer proves nothing
 */
export type Verdict = 'opens' | 'exposed' | 'closed' | 'ended' | 'leak' | 'unclear';

export interface Cell {
  readonly service: string;
  readonly verdict: Verdict;
  readonly why: string;
  readonly answer: AttackAnswer;
}

interface TriedToken extends StolenToken {
  readonly expiresAt: number;
}

export function evaluateAnswers(token: TriedToken, answers: readonly TriedService[]): readonly Cell[] {
  // Unless an intended service accepts the token, refusals by other services prove nothing.
  const isGood = answers.some(({ service, answer }) => token.meantFor.includes(service) && isAccepted(answer));
  return answers.map((answer) => evaluateAnswer(token, answer, isGood));
}

const FOUND_BY: Readonly<Record<string, (at: string) => string>> = {
  inactive: () => 'Keycloak called it inactive',
  other_audience: (at) => `${at} saw that by itself`,
  expired: (at) => `${at} saw that by itself`,
};

export function evaluateAnswer(token: TriedToken, { service, answer }: TriedService, isGood = false): Cell {
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
    // The refusal of an expired token says nothing about the audience of the token.
    if (!isForIt && isGood && answer.reason !== 'expired')
      return of('closed', `Made for ${own}, and this is ${here}: ${foundBy(here)}.`);
    const hasEnded = token.expiresAt * 1000 <= Date.now();
    if (isForIt && hasEnded) return of('ended', `It was made for ${here}, and it has expired: ${foundBy(here)}.`);
  }
  return of('unclear', `The answer was ${inWords(answer)}, which proves nothing.`);
}

const LIST = new Intl.ListFormat('en', { type: 'conjunction' });

export const inWordsOf = (services: readonly string[]): string => LIST.format(services.map(nameOf));
