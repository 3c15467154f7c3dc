const MAX_LENGTH = 200;

const MAX_READ = 20_000;

/** Matches a text that begins with `{"` in base64url, as every compact JWS does. */
const LIKE_A_TOKEN = /eyJ[\w+/=.-]{5,}/g;

/** A long word counts as a secret only if it contains a digit or a capital letter. */
const LONG_RUN = /[\w+=-]{24,}/g;

/** Many realms use UUIDs as names of clients and users. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const RUN = /[^\s"',;:()[\]{}<>]+/g;

/** The minimum length of a secret, because a shorter secret would match in any text. */
const MIN_SECRET = 4;

/** The minimum length of a piece of a secret, because a shorter piece reveals nothing and may be an ordinary word. */
const MIN_PIECE = 8;

const NOT_PRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

/** Zero-width characters, and characters that change the text direction. */
const INVISIBLE = /\p{Cf}/gu;

/**
 * Replaces anything that looks like a token or a secret by `***`. A run of characters that contains a piece of
 * `secrets` is also replaced.
 */
export function loggableText(given: unknown, secrets: readonly string[] = []): string | undefined {
  if (typeof given !== 'string') return undefined;
  const isOfSecret = (run: string): boolean =>
    Array.from({ length: run.length - MIN_PIECE + 1 }, (_, at) => run.slice(at, at + MIN_PIECE)).some((piece) =>
      secrets.some((secret) => secret.includes(piece)),
    );
  // Invisible characters are removed first, because they could split a secret. The text is cut late, so that no secret
  // is cut in two.
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

/** Unlike `loggableText`, `withoutSecrets` never shortens a text. */
export function withoutSecrets(sentence: string, secrets: readonly string[]): string {
  const printable = sentence.replaceAll(INVISIBLE, '').replaceAll(NOT_PRINTABLE, ' ');
  return secrets
    .filter(({ length }) => length >= MIN_SECRET)
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), printable)
    .replaceAll(LIKE_A_TOKEN, '***');
}
