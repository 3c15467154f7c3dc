/** Demanded authentication: which login the next service wants of a user, as its challenge says (RFC 9470 §3). */
import { isAcrValue, type AuthenticationDemand } from '../protocol/authentication-demand.js';
import { readBearerChallenge } from '../protocol/www-authenticate.js';
import { isPieceOfToken } from './service-call-error.js';
import type { AnswerHead } from './answer-head.js';

/** A chain passes on no more than that, since whoever logs the user in sends it on in a URL. */
const MAX_VALUES = 10;
const MAX_VALUE_LENGTH = 128;

/** Up to some thirty years. */
const MAX_AGE = /^\d{1,9}$/;

/**
 * Undefined for an answer that demands no other login. It is another party's text: a parameter that has not the form of RFC 9470, is longer than
 * any of use, or holds a piece of our token is left out, and the demand stands without it.
 */
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
  // Not split first: it may be as long as a header.
  if (text.length > MAX_VALUES * (MAX_VALUE_LENGTH + 1)) return [];
  const values = text.split(' ').filter((value) => value !== '');
  const isGood = (value: string): boolean =>
    value.length <= MAX_VALUE_LENGTH && isAcrValue(value) && !isPieceOfToken(value, token);
  return values.length <= MAX_VALUES && values.every(isGood) ? values : [];
}

const maxAgeIn = (text: string | undefined): number | undefined =>
  text !== undefined && MAX_AGE.test(text) ? Number(text) : undefined;
