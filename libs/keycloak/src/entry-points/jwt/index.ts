export { jwtVerification } from './jwt-verification.js';

export type { JwtVerificationOptions } from './jwt-verification.js';
