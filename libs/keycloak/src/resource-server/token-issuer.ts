import { BearerError } from '../protocol/bearer-error.js';
import { loggableText } from '../protocol/loggable-text.js';
import { isBearerToken } from '../protocol/token-form.js';
import { unverifiedClaims } from '../protocol/unverified-claims.js';
import { checkBearerToken } from './bearer-token.js';
import type { IssuerVerifier } from './issuer-verifier.js';

type Issuers = readonly [IssuerVerifier, ...IssuerVerifier[]];

export type TokenVerifier = Pick<IssuerVerifier, 'verify' | 'verifyAnew'>;

export const tokenVerifierOf = (issuers: Issuers): TokenVerifier =>
  issuers.length === 1 ? issuers[0] : new VerifierOfSeveral(issuers);

class VerifierOfSeveral implements TokenVerifier {
  readonly #issuers: Issuers;

  constructor(issuers: Issuers) {
    this.#issuers = issuers;
    Object.freeze(this);
  }

  verify(...given: Parameters<IssuerVerifier['verify']>): ReturnType<IssuerVerifier['verify']> {
    return verifierFor(given[0], this.#issuers).verify(...given);
  }

  verifyAnew(...given: Parameters<IssuerVerifier['verifyAnew']>): ReturnType<IssuerVerifier['verifyAnew']> {
    return verifierFor(given[0], this.#issuers).verifyAnew(...given);
  }
}

/**
 * A token without `iss` goes to the issuer with the profile `rfc7662`, if any. An unverified `iss` proves nothing (RFC
 * 7519 §4.1.1). The issuer that `iss` names must confirm the token, and the confirmed claims must name the same issuer.
 */
function verifierFor(text: string, issuers: Issuers): TokenVerifier {
  const recalling = issuers.find((each) => each.recalls(text));
  if (recalling !== undefined) return recalling;
  const { iss } = unverifiedClaims(text);
  const named = issuers.find(({ issuer, profile }) => (iss === undefined ? profile.mayNameNoIssuer : issuer === iss));
  if (named !== undefined) return named;
  checkBearerToken(text, iss === undefined ? issuers[0].profile : ANY_FORM);
  if (iss === undefined) throw new BearerError('invalid_token', { reason: 'iss_missing' });
  throw new BearerError('invalid_token', {
    reason: 'other_issuer',
    fields: { unverified: { iss: loggableText(iss) } },
  });
}

const ANY_FORM = { isToken: isBearerToken, mayBeAccessToken: undefined };
