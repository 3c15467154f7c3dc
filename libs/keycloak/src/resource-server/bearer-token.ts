/** Bearer token: takes the one token out of a request's headers, and nothing from anywhere else (RFC 6750 §2). */
import { BearerError } from '../protocol/bearer-error.js';
import type { BearerErrorReason } from '../protocol/refusal-reasons.js';
import type { TokenProfile } from '../protocol/token-profile.js';

/** The part of a request that is read; Node's own requests fit. */
export interface CountedHeaders {
  /** Names and values in turn. */
  readonly rawHeaders?: readonly string[];
  readonly httpVersionMajor?: number;
  /** A `CountingSocket` if Node's HTTP server made the request. */
  readonly socket?: object;
}

interface CountingSocket {
  readonly server?: { readonly maxHeadersCount?: number | null };
}

/** What is read of a request; Express' and Fastify's both fit. */
export interface BearerRequest extends CountedHeaders {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly raw?: CountedHeaders;
  readonly url?: string | undefined;
  readonly query?: unknown;
  readonly body?: unknown;
}

/** RFC 9110 §11.4: scheme, spaces, and the rest. */
const CREDENTIALS = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?: +(\S.*))?$/;

/**
 * The credentials of the scheme Bearer; undefined when the request carries none at all. Of their grammar nothing is
 * checked yet: `checkBearerToken` does, for a token that is not known.
 *
 * Throws `BearerError`: `invalid_request` for two credentials, a header without form, or so many headers that Node has dropped
 * some, `missing_token` for credentials
 * of a kind that is not taken (another scheme, the query, a form field), `invalid_token` for what is too long.
 */
export function bearerToken(request: BearerRequest, maxTokenBytes: number): string | undefined {
  const header = authorizationHeader(request);
  const elsewhere = tokenElsewhere(request);
  if (elsewhere !== undefined) {
    if (header !== undefined) throw moreThanOne();
    throw new BearerError('missing_token', { reason: elsewhere });
  }
  if (header === undefined) return undefined;
  // Most headers have this form, which needs no regular expression.
  const isPlain = header.startsWith('Bearer ') && header.length > 7 && header[7] !== ' ';
  const credentials = isPlain ? header.slice(7) : bearerCredentials(header);
  if (credentials.length > maxTokenBytes) throw new BearerError('invalid_token', { reason: 'token_too_long' });
  return credentials;
}

/** What follows the scheme. */
function bearerCredentials(header: string): string {
  const [, scheme, credentials] = CREDENTIALS.exec(header) ?? [];
  if (scheme === undefined) throw malformed();
  if (scheme.toLowerCase() !== 'bearer') throw new BearerError('missing_token', { reason: 'scheme_not_bearer' });
  if (credentials === undefined) throw malformed();
  return credentials;
}

/**
 * Refuses a text that does not have the form of a token before it costs a call or becomes a key: another spelling of a token
 * that is good or denied too.
 *
 * Throws `BearerError`: `invalid_request` when there is more than one word, else `invalid_token`.
 */
export function checkBearerToken(credentials: string, { isToken, mayBeAccessToken }: BearerTokenRules): void {
  if (/\s/.test(credentials)) throw malformed();
  if (!isToken(credentials)) throw new BearerError('invalid_token', { reason: 'token_malformed' });
  if (mayBeAccessToken?.(credentials) === false) {
    throw new BearerError('invalid_token', { reason: 'not_an_access_token' });
  }
}

/** What is looked at of a token before anybody is asked about it. */
export type BearerTokenRules = Pick<TokenProfile, 'isToken' | 'mayBeAccessToken'>;

const malformed = (): BearerError => new BearerError('invalid_request', { reason: 'malformed_authorization_header' });

const moreThanOne = (): BearerError => new BearerError('invalid_request', { reason: 'more_than_one_credential' });

const tooManyHeaders = (): BearerError => new BearerError('invalid_request', { reason: 'too_many_headers' });

const NAME = 'authorization';

/** The only Authorization header. Node keeps the first of several in `headers`; the raw list has them all. */
function authorizationHeader(request: BearerRequest): string | undefined {
  // Fastify's. Under Express another middleware may use this name.
  const source = request.raw?.rawHeaders === undefined ? request : request.raw;
  const received = source.rawHeaders;
  // Those who make requests without a connection, of events of a cloud, may leave the list empty.
  const raw = received === undefined || received.length === 0 ? namesAndValues(request.headers[NAME]) : received;
  let found: string | undefined;
  for (let at = 1; at < raw.length; at += 2) {
    const name = raw[at - 1];
    if (name?.length !== NAME.length || name.toLowerCase() !== NAME) continue;
    if (found !== undefined) throw moreThanOne();
    found = raw[at];
  }
  // What is not there any more may be the token, or a second one.
  if (isCut(source, raw.length)) throw tooManyHeaders();
  return found;
}

function namesAndValues(header: string | readonly string[] | undefined): readonly string[] {
  return [header ?? []].flat().flatMap((value) => [NAME, value]);
}

/** Node's default limit. It counts names and values, although its documentation says 2000 headers. */
const DEFAULT_LIMIT = 2000;

/**
 * Node drops what is beyond `server.maxHeadersCount` without a word, from `rawHeaders` too; HTTP/2 refuses such a request itself.
 * Returns true also if there are exactly as many as the limit: Node may have dropped more. `received` counts names and values.
 */
export function isCut(request: CountedHeaders, received: number): boolean {
  if ((request.httpVersionMajor ?? 1) > 1) return false;
  const count = (request.socket as CountingSocket | undefined)?.server?.maxHeadersCount;
  // Node computes its limit like this; 0 means no limit.
  const limit = typeof count === 'number' ? count << 1 : DEFAULT_LIMIT;
  return limit > 0 && received >= limit;
}

const FIELD = 'access_token';

/** The places of RFC 6750 §2.2 and §2.3, which leak into logs and histories; a token there is not looked at. */
function tokenElsewhere(request: BearerRequest): BearerErrorReason | undefined {
  const { url, body } = request;
  const at = url?.indexOf('?');
  // Fastify parses the query at each access.
  if (at !== -1 && isInQuery(request, at)) return 'token_in_query';
  return body !== undefined && hasField(body) && isForm(request) ? 'token_in_form' : undefined;
}

/** `at`: the index of the query; undefined if the URL is unknown. */
function isInQuery({ url, query }: BearerRequest, at: number | undefined): boolean {
  if (hasField(query)) return true;
  // Nobody parses that of a handshake, and an application may have another parser, or none.
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
