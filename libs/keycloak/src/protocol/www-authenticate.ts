/** RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1, RFC 9110 §11.6.1 */

export interface BearerChallenge {
  readonly realm: string;
  readonly error?: string;
  readonly scope?: string;
  /** The accepted values of `acr`, separated by spaces. */
  readonly acrValues?: string;
  /** The syntax of `max_age` is a token or a quoted-string (RFC 9470). */
  readonly maxAge?: string;
  readonly resourceMetadata?: string;
  /**
   * Only "unknown": the refused request may have been applied. Without this parameter, a 401 means that the request was
   * not applied (RFC 9110 §15.5.2). The parameter is our own (RFC 6750 §3 permits more parameters).
   */
  readonly applied?: 'unknown';
}

export function formatBearerChallenge(challenge: BearerChallenge): string {
  const { realm, error, scope, acrValues, maxAge, resourceMetadata, applied } = challenge;
  const renamed = { acr_values: acrValues, max_age: maxAge, resource_metadata: resourceMetadata };
  const named = { realm, error, scope, ...renamed, applied };
  const parameters = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `Bearer ${parameters.map(([name, value]) => `${name}=${quotedString(value)}`).join(', ')}`;
}

function quotedString(value: string): string {
  return `"${value.replaceAll(/[^\x20-\x7E]/g, '').replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

const PIECE = /\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,="]+)|=|,)/y;

const ERROR_CODE = /^[a-z_]+$/i;

/** Each value is the raw text between the quotes, including escapes. */
export interface ReadChallenge {
  readonly error: string;
  readonly acrValues: string | undefined;
  readonly maxAge: string | undefined;
  readonly mayBeApplied: boolean;
}

/** Runs in linear time, because the called service chooses the text. */
export const readBearerChallenge = (header: string | undefined): ReadChallenge | undefined =>
  firstChallenge(header, challengeOf);

export const readBearerRealm = (header: string | undefined): string | undefined =>
  firstChallenge(header, ({ realm }) => realm);

type ReadParameters = Partial<Record<ReadParameter, string>>;

function firstChallenge<T>(header: string | undefined, wanted: (read: ReadParameters) => T | undefined): T | undefined {
  if (header === undefined) return undefined;
  let isBearer = false;
  let read: ReadParameters = {};
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
      // If a word follows another word without a comma, the first word is the scheme of a new challenge.
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

const READ_PARAMETERS = ['realm', 'error', 'acr_values', 'max_age', 'applied'] as const;

type ReadParameter = (typeof READ_PARAMETERS)[number];

const isRead = (name: string): name is ReadParameter => READ_PARAMETERS.some((parameter) => parameter === name);

function challengeOf({ error, acr_values, max_age, applied }: ReadParameters): ReadChallenge | undefined {
  if (error === undefined) return undefined;
  return { error, acrValues: acr_values, maxAge: max_age, mayBeApplied: applied !== undefined };
}
