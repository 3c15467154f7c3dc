import type { BearerErrorReason } from '../../index.js';
import { readJwsHeader, type JwsHeader } from '../jws/jws-header.js';
import { BearerError, loggableText } from '../ports/jwt-verification.js';

/** The types of an access token (RFC 7519 §5.1, RFC 9068 §2.1, RFC 7515 §4.1.9). */
const ACCESS_TOKEN_TYPE = /^(?:application\/)?(?:jwt|at\+jwt)$/i;

const isAccessTokenType = (typ: unknown): boolean =>
  typ === undefined || (typeof typ === 'string' && ACCESS_TOKEN_TYPE.test(typ));

export function readTokenHeader(token: string, algorithms: ReadonlySet<string>): JwsHeader {
  const header = readJwsHeader(token, algorithms, isAccessTokenType);
  if (!('reason' in header)) return header;
  const { reason, alg } = header;
  if (reason === 'other_type') throw invalid('not_an_access_token');
  throw invalid(reason, reason === 'algorithm_not_allowed' ? { alg: loggableText(alg) } : {});
}

export function invalid(reason: BearerErrorReason, fields: Readonly<Record<string, unknown>> = {}): BearerError {
  return new BearerError('invalid_token', { reason, fields });
}
