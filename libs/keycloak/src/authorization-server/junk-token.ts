/** A token to ask the server about, when the question is whether it answers. */
import { randomBytes } from 'node:crypto';

import type { ProfileName } from '../protocol/token-profile.js';

/** It has the form of a token, and was issued by nobody. Others than Keycloak may refuse to be asked about a JWT, and never about what is none. */
export function junkToken(profile: ProfileName = 'keycloak'): string {
  const random = randomBytes(16).toString('base64url');
  return profile === 'keycloak' ? `eyJhbGciOiJSUzI1NiJ9.e30.${random}` : random;
}
