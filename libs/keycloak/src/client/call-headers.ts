import { validateHeaderName, validateHeaderValue } from 'node:http';

/** Reserved headers carry credentials, choose the target, or frame the request. */
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

export function checkHeaders(
  headers: Readonly<Record<string, string>> = {},
  alsoReserved: ReadonlySet<string> = new Set(),
): void {
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    const lower = name.toLowerCase();
    if (RESERVED.has(lower) || alsoReserved.has(lower)) throw new TypeError(`Callers can't set the header ${name}`);
  }
}
