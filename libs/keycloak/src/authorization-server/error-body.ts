import { ownProperty } from '../protocol/claims.js';
import { oauthErrorCode } from '../protocol/oauth-error-codes.js';

export interface ErrorBody {
  readonly error: string;
  readonly description: unknown;
}

/** Returns undefined for a success, for 408, 429 and 5xx, and for an unknown `error` (RFC 6749 §5.2). */
export function readErrorBody(status: number, body: string): ErrorBody | undefined {
  if (status < 400 || status >= 500 || status === 408 || status === 429) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  const error = ownProperty(json, 'error');
  if (typeof error !== 'string' || oauthErrorCode(error) === 'other') return undefined;
  return { error, description: ownProperty(json, 'error_description') };
}
