/** JSON calls: what a call that is sent and answered as JSON may be given: its body, its query, its time. */
import { Readable } from 'node:stream';
import { types } from 'node:util';

export type ServiceQueryValue = string | number | boolean | undefined;

/** Names and values; a list is sent as the same name several times, and `undefined` not at all. */
export type ServiceQuery = Readonly<Record<string, ServiceQueryValue | readonly ServiceQueryValue[]>>;

/** What `JSON.stringify` turns into something else than was meant, without a word. */
const NO_JSON: readonly (readonly [kind: string, is: (body: unknown) => boolean])[] = [
  ['a FormData', (body) => body instanceof FormData],
  ['a URLSearchParams', (body) => body instanceof URLSearchParams],
  ['a Blob', (body) => body instanceof Blob],
  ['binary data', (body) => ArrayBuffer.isView(body) || types.isAnyArrayBuffer(body)],
  ['a stream', (body) => body instanceof Readable || body instanceof ReadableStream],
  ['a Map', (body) => types.isMap(body)],
  ['a Set', (body) => types.isSet(body)],
];

/** Throws `TypeError` for a body that JSON does not carry. */
export function checkJsonBody(body: unknown): void {
  if (typeof body !== 'object' || body === null) return;
  const found = NO_JSON.find(([, is]) => is(body));
  if (found === undefined) return;
  throw new TypeError(
    `The body is ${found[0]}, which JSON does not carry: send forms, files and streams by ServiceHttp (nestjs-keycloak-s2s/axios).`,
  );
}

/** The path with the query at its end. */
export function withQuery(path: string, query: ServiceQuery = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, values] of Object.entries(query)) {
    for (const value of [values].flat()) if (value !== undefined) parameters.append(name, String(value));
  }
  if (parameters.size === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${parameters.toString()}`;
}

/** Throws `TypeError` for a time that is none. */
export function checkTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) return;
  throw new TypeError(`timeoutMs must be an integer from 1 to ${MAX_TIMEOUT_MS}, not ${String(timeoutMs)}`);
}

/** As long as a timer of Node lasts. */
const MAX_TIMEOUT_MS = 2_147_483_647;
