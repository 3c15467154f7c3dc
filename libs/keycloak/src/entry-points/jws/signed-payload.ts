import { compactVerify, errors } from 'jose';
import type { JwsHeader } from './jws-header.js';
import { unusable, type PublishedKey } from './published-key.js';

export type SignatureFault = 'signature_invalid' | 'token_malformed';

/** The errors of jose are never passed on, because they may contain the token. */
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
