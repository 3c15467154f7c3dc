/** The `WWW-Authenticate: Bearer …` challenge (RFC 6750 §3, RFC 9110 §11.6.1). */

export interface BearerChallenge {
  readonly realm: string;
  readonly error?: string;
  readonly scope?: string;
}

/** Writes the challenge. Each value becomes a quoted-string; what can't stand in one (controls, non-ASCII) is left out. */
export function formatBearerChallenge({ realm, error, scope }: BearerChallenge): string {
  const parameters = Object.entries({ realm, error, scope }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return `Bearer ${parameters.map(([name, value]) => `${name}=${quotedString(value)}`).join(', ')}`;
}

function quotedString(value: string): string {
  return `"${value.replaceAll(/[^\x20-\x7E]/g, '').replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** The `error` of a Bearer challenge in a header value, or undefined: what the other side says is wrong with our token. */
export function bearerChallengeError(header: string | undefined): string | undefined {
  // What stands inside a quoted string is no parameter.
  const words = header?.replaceAll(/"(?:[^"\\]|\\.)*"/g, (quoted) => (/^"[a-z_]+"$/i.test(quoted) ? quoted : '""'));
  return words === undefined ? undefined : /(?:^|[\s,])Bearer\s.*?\berror="?([a-z_]+)"?/i.exec(words)?.[1];
}
