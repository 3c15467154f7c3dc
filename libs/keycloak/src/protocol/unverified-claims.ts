/** Unverified claims: the claims of a token before anybody has verified it. */

/*
 * The operator's log shows them, and they choose the issuer to ask. They prove nothing. Once the server has called a token active, `resource-server/active-token.ts` reads
 * its claims.
 */

/** At most as long a payload is read: no token is longer (`maxTokenBytes`). */
const MAX_LENGTH = 65_536;

/** The payload of a compact JWS (RFC 7515 §7.1); empty for whatever is none. */
export function unverifiedClaims(token: string): Readonly<Record<string, unknown>> {
  const [, payload = ''] = token.split('.', 3);
  if (payload.length > MAX_LENGTH) return {};
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims)
      ? (claims as object as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

/** The audiences that a token names (RFC 7519 §4.1.3); empty for whatever names none. */
export function unverifiedAudiences(token: string): readonly string[] {
  const { aud = [] } = unverifiedClaims(token);
  return [aud].flat().filter((one) => typeof one === 'string');
}
