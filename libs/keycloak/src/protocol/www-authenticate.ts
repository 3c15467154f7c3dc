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

/** A quoted-string, a word, `=`, or a comma; whatever blanks stand before it. */
const PIECE = /\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,="]+)|=|,)/y;

const ERROR_CODE = /^[a-z_]+$/i;

/**
 * The `error` of a Bearer challenge in a header value, or undefined: what the other side says is wrong with our token. What
 * follows a quote that is never closed is not looked at.
 *
 * Reads each character once or twice, since the next service chooses the text.
 */
export function bearerChallengeError(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  let isBearer = false;
  /** The word that was read last; a scheme unless `=` follows. */
  let word: string | undefined;
  let name: string | undefined;
  let at = 0;
  for (;;) {
    PIECE.lastIndex = at;
    const piece = PIECE.exec(header);
    if (piece === null) return undefined;
    at = PIECE.lastIndex;
    const [whole, quoted, bare] = piece;
    const value = quoted ?? bare;
    if (value === undefined) {
      name = whole.endsWith('=') ? word : undefined;
      word = undefined;
    } else if (name !== undefined) {
      if (isBearer && name.toLowerCase() === 'error' && ERROR_CODE.test(value)) return value;
      name = undefined;
    } else {
      // Two words in turn: the former was a scheme, and this is its first parameter.
      if (word !== undefined) isBearer = word.toLowerCase() === 'bearer';
      word = bare;
    }
  }
}
