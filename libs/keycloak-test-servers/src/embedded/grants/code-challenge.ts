/** RFC 7636. */
import { createHash } from 'node:crypto';
import { OAuthRefusal } from './oauth-refusal.js';
import type { RealmClient } from '../realm/realm-representation.js';
import type { CodeChallenge } from '../state/authorization-request.js';

/** The syntax of a verifier and of a challenge (§4.1, §4.2). */
const FORM = /^[A-Za-z0-9\-._~]{43,128}$/;

/** Only a client that has the attribute `pkce.code.challenge.method` must send a challenge (§4.3). */
export function readCodeChallenge(
  client: RealmClient,
  parameters: URLSearchParams,
  invalid: (description: string) => Error,
): CodeChallenge | undefined {
  const method = parameters.get('code_challenge_method');
  const value = parameters.get('code_challenge');
  const demanded = client.challengeMethod;
  if (demanded !== undefined && method === null) throw invalid('Missing parameter: code_challenge_method');
  if (demanded !== undefined && method !== demanded) {
    throw invalid('Invalid parameter: code challenge method is not matching the configured one');
  }
  if (method === null && value === null) return undefined;
  if (method !== null && method !== 'S256' && method !== 'plain') {
    throw invalid('Invalid parameter: code_challenge_method');
  }
  if (value === null) throw invalid('Missing parameter: code_challenge');
  if (!FORM.test(value)) throw invalid('Invalid parameter: code_challenge');
  return { method: method ?? 'plain', value };
}

/** RFC 7636 §4.6. */
export function checkCodeVerifier(challenge: CodeChallenge | undefined, verifier: string | undefined): void {
  if (challenge === undefined) {
    if (verifier === undefined) return;
    throw invalidGrant('PKCE code verifier specified but challenge not present in authorization');
  }
  if (verifier === undefined) throw invalidGrant('PKCE code verifier not specified');
  if (!FORM.test(verifier)) throw invalidGrant('PKCE verification failed: Invalid code verifier');
  const hashed = challenge.method === 'plain' ? verifier : createHash('sha256').update(verifier).digest('base64url');
  if (hashed !== challenge.value) throw invalidGrant('PKCE verification failed: Code mismatch');
}

const invalidGrant = (description: string): OAuthRefusal => new OAuthRefusal(400, 'invalid_grant', description);
