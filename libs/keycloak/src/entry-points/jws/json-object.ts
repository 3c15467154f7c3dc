/** JSON object: the header or the claims of a token, read in the one way in which nobody else could read them otherwise. */
import { isStrictJson } from '../ports/published-keys.js';

/** Undefined for what is no object, or no strict JSON: of two members of one name, another parser takes the other. */
export function jsonObjectOf(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const value: unknown = isStrictJson(bytes) ? JSON.parse(Buffer.from(bytes).toString()) : undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
