/** JSON object: reads a token's header or claims, and rejects JSON that two parsers could read differently. */
import { isStrictJson } from '../ports/published-keys.js';

export function jsonObjectOf(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const value: unknown = isStrictJson(bytes) ? JSON.parse(Buffer.from(bytes).toString()) : undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
