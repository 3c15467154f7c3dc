/** What of an exchange with an authorization server is a token or a code (RFC 6749 §4.1.2, §4.1.3, §5.1; OpenID Connect). */
const TOKENS = ['access_token', 'refresh_token', 'id_token'] as const;

/** Those of a token endpoint's answer; none when it is no JSON object. */
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

/** The code that a form redeems. */
export function codeIn(form: string): string | undefined {
  const members = new URLSearchParams(form);
  return members.get('grant_type') === 'authorization_code' ? (members.get('code') ?? undefined) : undefined;
}

/** The code that a redirect carries. */
export function codeOf(location: string | undefined): string | undefined {
  if (location === undefined || !URL.canParse(location)) return undefined;
  return new URL(location).searchParams.get('code') ?? undefined;
}
