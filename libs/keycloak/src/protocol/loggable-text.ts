/** Loggable text: what another party wrote, in a form that a log line may have. */

const MAX_LENGTH = 200;

/** What begins as each compact JWS does (`{"` in base64url). */
const LIKE_A_TOKEN = /eyJ[\w+/=.-]{5,}/g;

/** With digits or capitals in it, it may be a secret; without, it is a name. */
const LONG_RUN = /[\w+/=-]{24,}/g;

/** What a secret can stand in as a whole. */
const RUN = /[^\s"',;:()[\]{}<>]+/g;

/** A shorter one stands in every text. */
const MIN_SECRET = 4;

/** A shorter piece gives nothing away, and may be a word. */
const MIN_PIECE = 8;

/** Control characters, of lines and terminals too, and what turns the direction of a text. */
const NOT_PRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * At most 200 characters, on one line: what can't be printed becomes a blank, and what is shaped like a token or a secret `***`.
 * And so do the `secrets`, and what is a piece of one. Undefined for what is no text, or none that can be shown.
 */
export function loggableText(given: unknown, secrets: readonly string[] = []): string | undefined {
  if (typeof given !== 'string') return undefined;
  const isOfSecret = (run: string): boolean =>
    run.length >= MIN_PIECE && secrets.some((secret) => secret.includes(run));
  // Cut before it is looked at, and after: half a token is none that would be seen.
  const whole = secrets
    .filter(({ length }) => length >= MIN_SECRET)
    .reduce((text, secret) => text.replaceAll(secret, '***'), given.slice(0, 4 * MAX_LENGTH));
  const text = whole
    .replaceAll(LIKE_A_TOKEN, '***')
    .replaceAll(LONG_RUN, (run) => (/[A-Z0-9]/.test(run) ? '***' : run))
    .replaceAll(RUN, (run) => (isOfSecret(run) ? '***' : run))
    .replaceAll(NOT_PRINTABLE, ' ')
    .trim();
  if (text === '') return undefined;
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}
