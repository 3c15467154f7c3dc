/**
 * Verification of signatures in the service, over `jose`.
 *
 * @packageDocumentation
 * @category Supported
 */
export { jwtVerification } from './jwt-verification.js';

export type { JwtVerificationOptions } from './jwt-verification.js';
