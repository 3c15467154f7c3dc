/** Identifiers: what may stand for a user or a session in what a server says of them. */

/** As long as a denial may name one. */
const MAX_LENGTH = 1024;

/** Undefined for what names nobody. */
export const identifier = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' && value.length <= MAX_LENGTH ? value : undefined;
