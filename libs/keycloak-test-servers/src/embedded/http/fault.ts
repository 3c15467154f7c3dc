/** The ways in which an endpoint can be made to fail, and which of them is due. */

export type FaultyEndpoint =
  'discovery' | 'jwks' | 'authorization' | 'token' | 'introspection' | 'revocation' | 'logout';

/** `times`: so many calls, then the endpoint heals by itself. Default: until the fault is taken away. */
export type Fault = { readonly times?: number } & (FaultInPlaceOfAnswer | FaultInAnswer);

/** The endpoint does nothing at all: no token is issued, none is revoked. */
export type FaultInPlaceOfAnswer =
  /** This answer, word for word, in place of the right one: what no working server says. */
  | LiteralAnswer
  /** The request is read; nothing ever comes back. */
  | { readonly kind: 'hang' }
  /** TCP RST once the request is read. */
  | { readonly kind: 'reset' }
  /** `retryAfter`: the header's value, in seconds or as an HTTP date. Default: no such header. */
  | { readonly kind: 'status'; readonly status: 500 | 502 | 503 | 429; readonly retryAfter?: number | string }
  /** 200, a page. */
  | { readonly kind: 'html' }
  /** 200, `application/json`, no byte of body. */
  | { readonly kind: 'empty' }
  /** 200 and a JSON object of `megabytes` (default 50), streamed with no `Content-Length`. It says `"active":true`. */
  | { readonly kind: 'huge'; readonly megabytes?: number }
  /** The same, gzipped whether or not that was asked for: some thousandth of `megabytes` (default 1024) on the wire. */
  | { readonly kind: 'gzip-bomb'; readonly megabytes?: number };

export interface LiteralAnswer {
  readonly kind: 'answer';
  /** Default 200. */
  readonly status?: number;
  /** Beside `Content-Type: application/json`, or in its place. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Text goes as it is, anything else as JSON. */
  readonly body: unknown;
}

/** The endpoint does its work, and its answer is bent. */
export type FaultInAnswer =
  /** It comes `milliseconds` late, whole. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** Headers at once, then one byte every `everyMs` (default 50). */
  | { readonly kind: 'slow-bytes'; readonly everyMs?: number }
  /** `Content-Length` is right, half of the body comes, the connection closes. */
  | { readonly kind: 'truncated' }
  /** The right body as `text/plain`. */
  | { readonly kind: 'wrong-content-type' }
  /**
   * The right members, and before them one with an umlaut, all in ISO-8859-1: no UTF-8. `declared` (default true): the
   * content type says so.
   */
  | { readonly kind: 'wrong-charset'; readonly declared?: boolean }
  /** The right members, and before them one that holds arrays in arrays, `levels` (default 100,000) deep. */
  | { readonly kind: 'deep'; readonly levels?: number }
  /** The right members, and before them `__proto__` and `constructor` with claims of their own. */
  | { readonly kind: 'proto' }
  /** Some members have other values, or are there beside the right ones; `undefined` leaves one out. */
  | { readonly kind: 'members'; readonly members: Readonly<Record<string, unknown>> }
  /** Every member twice: first with another value, then the right one. `JSON.parse` takes the last. */
  | { readonly kind: 'duplicate-keys' };

/** The faults that were ordered. One for an endpoint goes before one for all. */
export class FaultBoard {
  private readonly faults = new Map<FaultyEndpoint | 'all', { readonly fault: Fault; left: number }>();

  set(endpoint: FaultyEndpoint | 'all', fault: Fault | undefined): void {
    if (fault === undefined) this.faults.delete(endpoint);
    else this.faults.set(endpoint, { fault, left: fault.times ?? Infinity });
  }

  /** The fault for this call, which uses it up by one. */
  take(endpoint: FaultyEndpoint): Fault | undefined {
    const due = [this.faults.get(endpoint), this.faults.get('all')].find(
      (entry) => entry !== undefined && entry.left > 0,
    );
    if (due === undefined) return undefined;
    due.left -= 1;
    return due.fault;
  }
}
