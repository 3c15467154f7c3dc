/** The entry point nestjs-keycloak-s2s/jwt: verifies tokens by their signature (peer `jose`). */
export { jwtVerification } from './jwt-verification.js';

export type { JwtVerificationOptions } from './jwt-verification.js';
