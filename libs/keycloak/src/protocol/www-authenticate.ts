/** The `WWW-Authenticate: Bearer …` challenge (RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1, RFC 9110 §11.6.1). */

export interface BearerChallenge {
  readonly realm: string;
  readonly error?: string;
  readonly scope?: string;
  /** `acr_values`: members with one blank between them. */
  readonly acrValues?: string;
  /** `max_age`: a number. RFC 9470 lets it be a token or a quoted-string, and quotes it in its examples. */
  readonly maxAge?: string;
  /** `resource_metadata`: a URL (RFC 9728 §5.1). */
  readonly resourceMetadata?: string;
}

/** Writes the challenge. Each value becomes a quoted-string; what can't stand in one (controls, non-ASCII) is left out. */
export function formatBearerChallenge(challenge: BearerChallenge): string {
  const { realm, error, scope, acrValues, maxAge, resourceMetadata } = challenge;
  const named = { realm, error, scope, acr_values: acrValues, max_age: maxAge, resource_metadata: resourceMetadata };
  const parameters = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `Bearer ${parameters.map(([name, value]) => `${name}=${quotedString(value)}`).join(', ')}`;
}

function quotedString(value: string): string {
  return `"${value.replaceAll(/[^\x20-\x7E]/g, '').replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** A quoted-string, a word, `=`, or a comma; whatever blanks stand before it. */
const PIECE = /\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,="]+)|=|,)/y;

const ERROR_CODE = /^[a-z_]+$/i;

/** What is read of a Bearer challenge, as it stands there: whatever is between the quotes, escapes too. */
export interface ReadChallenge {
  readonly error: string;
  /** `acr_values` and `max_age`, where they stand in the same challenge. */
  readonly acrValues: string | undefined;
  readonly maxAge: string | undefined;
}

/**
 * The first Bearer challenge in a header value that has an `error`, or undefined: what the other side says is wrong with our token. What
 * follows a quote that is never closed is not looked at.
 *
 * Reads each character once or twice, since the next service chooses the text.
 */
export const readBearerChallenge = (header: string | undefined): ReadChallenge | undefined =>
  firstChallenge(header, challengeOf);

/** Returns the `realm` of the first Bearer challenge that has one: what the service that answered calls itself. For logs alone. */
export const readBearerRealm = (header: string | undefined): string | undefined =>
  firstChallenge(header, ({ realm }) => realm);

type ReadParameters = Partial<Record<ReadParameter, string>>;

function firstChallenge<T>(header: string | undefined, wanted: (read: ReadParameters) => T | undefined): T | undefined {
  if (header === undefined) return undefined;
  let isBearer = false;
  let read: ReadParameters = {};
  /** The word that was read last; a scheme unless `=` follows. */
  let word: string | undefined;
  let name: string | undefined;
  let at = 0;
  for (;;) {
    PIECE.lastIndex = at;
    const piece = PIECE.exec(header);
    if (piece === null) return wanted(read);
    at = PIECE.lastIndex;
    const [whole, quoted, bare] = piece;
    const value = quoted ?? bare;
    if (value === undefined) {
      name = whole.endsWith('=') ? word : undefined;
      word = undefined;
    } else if (name !== undefined) {
      const lower = name.toLowerCase();
      if (isBearer && isRead(lower) && (lower !== 'error' || ERROR_CODE.test(value))) read[lower] ??= value;
      name = undefined;
    } else {
      // Two words in turn: the former was a scheme, and this is its first parameter.
      if (word !== undefined) {
        const before = wanted(read);
        if (before !== undefined) return before;
        isBearer = word.toLowerCase() === 'bearer';
        read = {};
      }
      word = bare;
    }
  }
}

const READ_PARAMETERS = ['realm', 'error', 'acr_values', 'max_age'] as const;

type ReadParameter = (typeof READ_PARAMETERS)[number];

const isRead = (name: string): name is ReadParameter => READ_PARAMETERS.some((parameter) => parameter === name);

function challengeOf({ error, acr_values: acrValues, max_age: maxAge }: ReadParameters): ReadChallenge | undefined {
  return error === undefined ? undefined : { error, acrValues, maxAge };
}
