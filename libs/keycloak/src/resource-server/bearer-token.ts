import { BearerError } from '../protocol/bearer-error.js';
import type { BearerErrorReason } from '../protocol/refusal-reasons.js';
import type { TokenProfile } from '../protocol/token-profile.js';

export interface CountedHeaders {
  /** Header names and header values in turn, as in Node's `rawHeaders`. */
  readonly rawHeaders?: readonly string[];
  readonly httpVersionMajor?: number;
  readonly socket?: object;
}

interface CountingSocket {
  readonly server?: { readonly maxHeadersCount?: number | null };
}

export interface BearerRequest extends CountedHeaders {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly raw?: CountedHeaders;
  readonly url?: string | undefined;
  readonly query?: unknown;
  readonly body?: unknown;
}

/** RFC 9110 §11.4. */
const CREDENTIALS = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?: +(\S.*))?$/;

/** `checkBearerToken` checks the grammar later, because a recently accepted token needs no check. */
export function bearerToken(request: BearerRequest, maxTokenBytes: number): string | undefined {
  const header = authorizationHeader(request);
  const elsewhere = tokenElsewhere(request);
  if (elsewhere !== undefined) {
    if (header !== undefined) throw moreThanOne();
    throw new BearerError('missing_token', { reason: elsewhere });
  }
  if (header === undefined) return undefined;
  const isPlain = header.startsWith('Bearer ') && header.length > 7 && header[7] !== ' ';
  const credentials = isPlain ? header.slice(7) : bearerCredentials(header);
  if (credentials.length > maxTokenBytes) throw new BearerError('invalid_token', { reason: 'token_too_long' });
  return credentials;
}

function bearerCredentials(header: string): string {
  const [, scheme, credentials] = CREDENTIALS.exec(header) ?? [];
  if (scheme === undefined) throw malformed();
  if (scheme.toLowerCase() !== 'bearer') throw new BearerError('missing_token', { reason: 'scheme_not_bearer' });
  if (credentials === undefined) throw malformed();
  return credentials;
}

/**
 * Refuses malformed credentials and alternative encodings of a token. `checkBearerToken` runs before a request to the
 * server and before a lookup in the cache of results.
 */
export function checkBearerToken(credentials: string, { isToken, mayBeAccessToken }: BearerTokenRules): void {
  if (/\s/.test(credentials)) throw malformed();
  if (!isToken(credentials)) throw new BearerError('invalid_token', { reason: 'token_malformed' });
  if (mayBeAccessToken?.(credentials) === false) {
    throw new BearerError('invalid_token', { reason: 'not_an_access_token' });
  }
}

export type BearerTokenRules = Pick<TokenProfile, 'isToken' | 'mayBeAccessToken'>;

const malformed = (): BearerError => new BearerError('invalid_request', { reason: 'malformed_authorization_header' });

const moreThanOne = (): BearerError => new BearerError('invalid_request', { reason: 'more_than_one_credential' });

const tooManyHeaders = (): BearerError => new BearerError('invalid_request', { reason: 'too_many_headers' });

const NAME = 'authorization';

/** If a request has several `Authorization` headers, only `rawHeaders` contains all of them. */
function authorizationHeader(request: BearerRequest): string | undefined {
  // On Express, another middleware may set the property `raw` of the request.
  const source = request.raw?.rawHeaders === undefined ? request : request.raw;
  const received = source.rawHeaders;
  // Adapters that build requests from cloud events may leave `rawHeaders` empty.
  const raw = received === undefined || received.length === 0 ? namesAndValues(request.headers[NAME]) : received;
  let found: string | undefined;
  for (let at = 1; at < raw.length; at += 2) {
    const name = raw[at - 1];
    if (name?.length !== NAME.length || name.toLowerCase() !== NAME) continue;
    if (found !== undefined) throw moreThanOne();
    found = raw[at];
  }
  // A header that Node dropped may contain the token, or a second token.
  if (isCut(source, raw.length)) throw tooManyHeaders();
  return found;
}

function namesAndValues(header: string | readonly string[] | undefined): readonly string[] {
  return [header ?? []].flat().flatMap((value) => [NAME, value]);
}

/** Node keeps 1000 headers (2000 names and values), although Node's documentation says 2000 headers. */
const DEFAULT_LIMIT = 2000;

/**
 * Node silently drops headers beyond `server.maxHeadersCount`, even in `rawHeaders`. If the number of headers equals
 * the limit, Node may have dropped headers.
 */
export function isCut(request: CountedHeaders, received: number): boolean {
  if ((request.httpVersionMajor ?? 1) > 1) return false;
  const count = (request.socket as CountingSocket | undefined)?.server?.maxHeadersCount;
  // Node doubles `maxHeadersCount`, and treats 0 as unlimited.
  const limit = typeof count === 'number' ? count << 1 : DEFAULT_LIMIT;
  return limit > 0 && received >= limit;
}

const FIELD = 'access_token';

/** RFC 6750 §2.2 and §2.3 allow tokens in forms and queries, but these tokens leak into logs and histories. */
function tokenElsewhere(request: BearerRequest): BearerErrorReason | undefined {
  const { url, body } = request;
  const at = url?.indexOf('?');
  // Skips a URL without a query, because Fastify parses the query at each access.
  if (at !== -1 && isInQuery(request, at)) return 'token_in_query';
  return body !== undefined && hasField(body) && isForm(request) ? 'token_in_form' : undefined;
}

function isInQuery({ url, query }: BearerRequest, at: number | undefined): boolean {
  if (hasField(query)) return true;
  // Also checks the URL, because a handshake has no parsed query and an application may replace the parser.
  if (url === undefined || !(url.includes(FIELD, at) || url.includes('%', at))) return false;
  return new URLSearchParams(url.slice(at)).has(FIELD);
}

function isForm({ headers }: BearerRequest): boolean {
  const [contentType] = [headers['content-type']].flat();
  return /^application\/x-www-form-urlencoded\b/i.test(contentType ?? '');
}

function hasField(source: unknown): boolean {
  return typeof source === 'object' && source !== null && FIELD in source;
}
