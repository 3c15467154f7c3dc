import { randomBytes } from 'node:crypto';

import type { ProfileName } from '../protocol/token-profile.js';

/** Returns an invalid JWT for Keycloak, and random text for other servers, which may refuse to introspect a JWT. */
export function junkToken(profile: ProfileName = 'keycloak'): string {
  const random = randomBytes(16).toString('base64url');
  return profile === 'keycloak' ? `eyJhbGciOiJSUzI1NiJ9.e30.${random}` : random;
}
