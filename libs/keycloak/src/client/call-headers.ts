/** Call headers: those that an application may give to a call, which says in another way who calls whom. */
import { validateHeaderName, validateHeaderValue } from 'node:http';

/** Headers that say who calls whom, and those that say how a request is framed. */
const RESERVED: ReadonlySet<string> = new Set([
  'accept-encoding',
  'authorization',
  'connection',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Throws `TypeError` for a header that is malformed, reserved, or in `alsoReserved`. */
export function checkHeaders(
  headers: Readonly<Record<string, string>> = {},
  alsoReserved: ReadonlySet<string> = new Set(),
): void {
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    const lower = name.toLowerCase();
    if (RESERVED.has(lower) || alsoReserved.has(lower))
      throw new TypeError(`The header ${name} is not the caller's to set`);
  }
}
