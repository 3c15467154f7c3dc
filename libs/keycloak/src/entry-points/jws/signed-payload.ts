/** Signed payload: what a key has signed. */
import { compactVerify, errors } from 'jose';
import type { JwsHeader } from './jws-header.js';
import { unusable, type PublishedKey } from './published-key.js';

/** Why nothing is signed, for whoever sent the token. */
export type SignatureFault = 'signature_invalid' | 'token_malformed';

/**
 * The payload of `token`, a compact JWS, if `key` has signed it. Rejects with `AuthorizationServerError` for a key that is none. Errors of jose may hold the token: none goes
 * further.
 */
export async function signedPayload(
  key: PublishedKey,
  { algorithm }: JwsHeader,
  token: string,
): Promise<Uint8Array | SignatureFault> {
  const toVerify = await key.toVerify(algorithm);
  try {
    const { payload } = await compactVerify(token, toVerify, { algorithms: [algorithm] });
    return payload;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature_invalid';
    if (error instanceof errors.JWSInvalid) return 'token_malformed';
    throw unusable(key.keyId, 'malformed');
  }
}
