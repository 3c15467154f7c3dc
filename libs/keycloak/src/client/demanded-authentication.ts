import { isAcrValue, type AuthenticationDemand } from '../protocol/authentication-demand.js';
import { readBearerChallenge } from '../protocol/www-authenticate.js';
import { isPieceOfToken } from './service-call-error.js';
import type { AnswerHead } from './answer-head.js';

/** The number of `acr` values is limited, because the client puts the values into the URL of the login. */
const MAX_VALUES = 10;
const MAX_VALUE_LENGTH = 128;

/** A `max_age` of at most about 30 years, in seconds. */
const MAX_AGE = /^\d{1,9}$/;

/** Returns the demanded login, without parameters that are malformed (RFC 9470), too long, or part of the token. */
export function demandedAuthentication(
  { status, headers }: AnswerHead,
  token: string,
): AuthenticationDemand | undefined {
  if (status !== 401) return undefined;
  const challenge = readBearerChallenge(headers['www-authenticate']);
  if (challenge?.error !== 'insufficient_user_authentication') return undefined;
  return { acrValues: acrValuesIn(challenge.acrValues, token), maxAgeSeconds: maxAgeIn(challenge.maxAge) };
}

function acrValuesIn(text = '', token: string): readonly string[] {
  // Checks the length before the split, because the text may be as long as a whole header.
  if (text.length > MAX_VALUES * (MAX_VALUE_LENGTH + 1)) return [];
  const values = text.split(' ').filter((value) => value !== '');
  const isGood = (value: string): boolean =>
    value.length <= MAX_VALUE_LENGTH && isAcrValue(value) && !isPieceOfToken(value, token);
  return values.length <= MAX_VALUES && values.every(isGood) ? values : [];
}

const maxAgeIn = (text: string | undefined): number | undefined =>
  text !== undefined && MAX_AGE.test(text) ? Number(text) : undefined;
