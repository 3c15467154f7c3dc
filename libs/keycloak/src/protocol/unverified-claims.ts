/* Unverified claims choose the issuer and appear in the log, but prove nothing. */

/** The upper limit of `maxTokenBytes`. */
const MAX_LENGTH = 65_536;

/** RFC 7515 §7.1 */
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

/** RFC 7519 §4.1.3 */
export function unverifiedAudiences(token: string): readonly string[] {
  const { aud = [] } = unverifiedClaims(token);
  return [aud].flat().filter((one) => typeof one === 'string');
}
