/** Loggable text: what another party wrote, in a form that a log line may have. */

const MAX_LENGTH = 200;

/** The rest is not looked at. */
const MAX_READ = 20_000;

/** What begins as each compact JWS does (`{"` in base64url). */
const LIKE_A_TOKEN = /eyJ[\w+/=.-]{5,}/g;

/** With digits or capitals in it, it may be a secret; without, it is a name. */
const LONG_RUN = /[\w+=-]{24,}/g;

/** Many realms name clients and users so. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What a secret can stand in as a whole. */
const RUN = /[^\s"',;:()[\]{}<>]+/g;

/** A shorter one stands in every text. */
const MIN_SECRET = 4;

/** A shorter piece gives nothing away, and may be a word. */
const MIN_PIECE = 8;

/** Control characters, of lines and terminals too. */
const NOT_PRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

/** What has no width, or turns the direction of a text. */
const INVISIBLE = /\p{Cf}/gu;

/**
 * At most 200 characters, on one line: what can't be printed becomes a blank, and what is shaped like a token or a secret `***`.
 * And so do the `secrets`, and what is a piece of one. Undefined for what is no text, or none that can be shown.
 */
export function loggableText(given: unknown, secrets: readonly string[] = []): string | undefined {
  if (typeof given !== 'string') return undefined;
  const isOfSecret = (run: string): boolean =>
    Array.from({ length: run.length - MIN_PIECE + 1 }, (_, at) => run.slice(at, at + MIN_PIECE)).some((piece) =>
      secrets.some((secret) => secret.includes(piece)),
    );
  // First what can't be seen, which could stand in the middle of a secret; and cut only when no secret is left that could be cut in two.
  const printable = given.slice(0, MAX_READ).replaceAll(INVISIBLE, '').replaceAll(NOT_PRINTABLE, ' ');
  const text = secrets
    .filter(({ length }) => length >= MIN_SECRET)
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), printable)
    .replaceAll(LIKE_A_TOKEN, '***')
    .slice(0, 4 * MAX_LENGTH)
    .replaceAll(LONG_RUN, (run) => (/[A-Z0-9]/.test(run) && !UUID.test(run) ? '***' : run))
    .replaceAll(RUN, (run) => (isOfSecret(run) ? '***' : run))
    .trim();
  if (text === '') return undefined;
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}

/**
 * A sentence of ours that holds names of another party's: on one line, without what is shaped like a token, and without the `secrets`.
 * Names stay whole, as long as they are.
 */
export function withoutSecrets(sentence: string, secrets: readonly string[]): string {
  const printable = sentence.replaceAll(INVISIBLE, '').replaceAll(NOT_PRINTABLE, ' ');
  return secrets
    .filter(({ length }) => length >= MIN_SECRET)
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), printable)
    .replaceAll(LIKE_A_TOKEN, '***');
}
