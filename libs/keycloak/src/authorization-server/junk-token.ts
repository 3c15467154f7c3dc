import { randomBytes } from 'node:crypto';

import type { ProfileName } from '../protocol/token-profile.js';

/** Servers other than Keycloak may refuse to introspect a JWT, but not an opaque token. */
export function junkToken(profile: ProfileName = 'keycloak'): string {
  const random = randomBytes(16).toString('base64url');
  return profile === 'keycloak' ? `eyJhbGciOiJSUzI1NiJ9.e30.${random}` : random;
}
