import { Stream } from 'node:stream';
import { types } from 'node:util';
import { checkHeaders } from './call-headers.js';
import { traceHeadersOf, withTrace } from './trace-headers.js';

export type ServiceQueryValue = string | number | boolean | undefined;

/** A list adds its parameter once for each value, and undefined values are omitted. */
export type ServiceQuery = Readonly<Record<string, ServiceQueryValue | readonly ServiceQueryValue[]>>;

/** Bodies that `JSON.stringify` silently changes. */
const NO_JSON: readonly (readonly [kind: string, is: (body: unknown) => boolean])[] = [
  ['a FormData', (body) => body instanceof FormData],
  ['a URLSearchParams', (body) => body instanceof URLSearchParams],
  ['a Blob', (body) => body instanceof Blob],
  ['binary data', (body) => ArrayBuffer.isView(body) || types.isAnyArrayBuffer(body)],
  ['a stream', (body) => body instanceof Stream || body instanceof ReadableStream],
  ['a promise', (body) => types.isPromise(body)],
  ['a function', (body) => typeof body === 'function'],
  ['a Map', (body) => types.isMap(body)],
  ['a Set', (body) => types.isSet(body)],
];

/** Throws `TypeError` if JSON can't represent the body; nested values are not checked. */
export function checkJsonBody(body: unknown): void {
  if ((typeof body !== 'object' && typeof body !== 'function') || body === null) return;
  const found = NO_JSON.find(([, is]) => is(body));
  if (found === undefined) return;
  throw new TypeError(
    `The body is ${found[0]}, which JSON can't represent. Send forms, files and streams with ServiceHttp (nestjs-keycloak-s2s/axios).`,
  );
}

const OF_THE_BODY: ReadonlySet<string> = new Set(['content-length', 'content-type']);

interface GivenHeaders {
  readonly headers?: Readonly<Record<string, string>>;
  readonly traceparent?: string | readonly string[] | undefined;
}

export function jsonCallHeaders({ headers, traceparent }: GivenHeaders): Readonly<Record<string, string>> | undefined {
  checkHeaders(headers, OF_THE_BODY);
  return withTrace(headers && { ...headers }, traceHeadersOf(traceparent));
}

export function withQuery(path: string, query: ServiceQuery): string {
  const prototype: unknown = Object.getPrototypeOf(query);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError('query must be a plain object');
  const parameters = new URLSearchParams();
  for (const [name, values] of Object.entries(query)) {
    for (const value of [values].flat()) {
      if (value !== undefined) parameters.append(wellFormed(name), wellFormed(textOf(name, value)));
    }
  }
  if (parameters.size === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${parameters.toString()}`;
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TypeError(`query.${name} must be a string, a number or a boolean, or a list of them`);
}

/** Returns `text`. Throws `TypeError` for a lone surrogate, which `URLSearchParams` would replace with U+FFFD. */
function wellFormed(text: string): string {
  if (/\p{Cs}/u.test(text)) throw new TypeError('query must not contain a lone surrogate');
  return text;
}

export function checkTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) return;
  throw new TypeError(`timeoutMs must be an integer from 1 to ${MAX_TIMEOUT_MS}, not ${String(timeoutMs)}`);
}

/** The statuses that `forwardStatuses` refuses, because they concern this service, the token or the connection. */
const OF_THE_CALL: ReadonlySet<number> = new Set([401, 403, 407, 408, 421, 425, 426, 431]);

export function checkForwardStatuses(statuses: readonly number[] = []): void {
  for (const status of statuses) {
    if (Number.isInteger(status) && status >= 400 && status <= 499 && !OF_THE_CALL.has(status)) continue;
    throw new TypeError(
      `forwardStatuses accepts statuses from 400 to 499 that concern the requested resource, not ${String(status)}`,
    );
  }
}

const MAX_TIMEOUT_MS = 300_000;
