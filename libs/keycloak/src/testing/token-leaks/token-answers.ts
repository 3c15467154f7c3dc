/**
 * Extracts tokens and codes from traffic with an authorization server (RFC 6749 §4.1.2, §4.1.3, §5.1; OpenID Connect).
 */
const TOKENS = ['access_token', 'refresh_token', 'id_token'] as const;

export function tokensIn(answer: string): string[] {
  let members: unknown;
  try {
    members = JSON.parse(answer);
  } catch {
    return [];
  }
  if (typeof members !== 'object' || members === null) return [];
  const values = TOKENS.map((name) => (members as Readonly<Record<string, unknown>>)[name]);
  return values.filter((value) => typeof value === 'string');
}

export function codeIn(form: string): string | undefined {
  const members = new URLSearchParams(form);
  return members.get('grant_type') === 'authorization_code' ? (members.get('code') ?? undefined) : undefined;
}

export function codeOf(location: string | undefined): string | undefined {
  if (location === undefined || !URL.canParse(location)) return undefined;
  return new URL(location).searchParams.get('code') ?? undefined;
}
