/** The names from `ssfMetadata` on belong to the SSF transmitter. */
export type FaultyEndpoint =
  | 'discovery'
  | 'jwks'
  | 'authorization'
  | 'token'
  | 'introspection'
  | 'revocation'
  | 'logout'
  | 'ssfMetadata'
  | 'streams'
  | 'streamStatus'
  | 'verification'
  | 'poll';

/** `times` is the number of affected calls. Default: until the test removes the fault. */
export type Fault = { readonly times?: number } & (FaultInPlaceOfAnswer | FaultInAnswer);

/** The endpoint does nothing: it issues no token and revokes none. */
export type FaultInPlaceOfAnswer =
  | LiteralAnswer
  /** The server reads the request and never answers. */
  | { readonly kind: 'hang' }
  /** The server resets the connection (TCP RST) after it read the request. */
  | { readonly kind: 'reset' }
  /** `retryAfter` is in seconds or an HTTP date (default: no header). */
  | { readonly kind: 'status'; readonly status: 500 | 502 | 503 | 429; readonly retryAfter?: number | string }
  /** 200 with an HTML page. */
  | { readonly kind: 'html' }
  /** 200, `application/json`, with an empty body. */
  | { readonly kind: 'empty' }
  /**
   * 200 with a JSON object of `megabytes` (default 50), streamed without `Content-Length`. It contains `"active":true`.
   */
  | { readonly kind: 'huge'; readonly megabytes?: number }
  /**
   * Like `huge`, but gzipped even if the client did not ask for it: about a thousandth of `megabytes` (default 1024) on
   * the wire.
   */
  | { readonly kind: 'gzip-bomb'; readonly megabytes?: number };

export interface LiteralAnswer {
  readonly kind: 'answer';
  /** Default 200. */
  readonly status?: number;
  /** Headers that extend or replace `Content-Type: application/json`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent unchanged, anything else as JSON. */
  readonly body: unknown;
}

/** The endpoint does its work, and its answer is altered. */
export type FaultInAnswer =
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** The headers are sent at once, then one byte every `everyMs` (default 50). */
  | { readonly kind: 'slow-bytes'; readonly everyMs?: number }
  /** `Content-Length` is correct, but the connection closes after half of the body. */
  | { readonly kind: 'truncated' }
  /** The correct body, declared as `text/plain`. */
  | { readonly kind: 'wrong-content-type' }
  /**
   * The correct members, preceded by a member with an umlaut, in ISO-8859-1. `declared` (default true): the content
   * type names the charset.
   */
  | { readonly kind: 'wrong-charset'; readonly declared?: boolean }
  /** The correct members, preceded by a member with arrays nested to `levels` (default 100,000). */
  | { readonly kind: 'deep'; readonly levels?: number }
  /** The correct members, preceded by `__proto__` and `constructor` with other claims. */
  | { readonly kind: 'proto' }
  /** `members` override or extend the correct members; `undefined` removes a member. */
  | { readonly kind: 'members'; readonly members: Readonly<Record<string, unknown>> }
  /** Every member twice: first with another value, then with the correct value. */
  | { readonly kind: 'duplicate-keys' };

/** A fault for one endpoint takes precedence over a fault for all. */
export class FaultBoard {
  private readonly faults = new Map<FaultyEndpoint | 'all', { readonly fault: Fault; left: number }>();

  set(endpoint: FaultyEndpoint | 'all', fault: Fault | undefined): void {
    if (fault === undefined) this.faults.delete(endpoint);
    else this.faults.set(endpoint, { fault, left: fault.times ?? Infinity });
  }

  take(endpoint: FaultyEndpoint): Fault | undefined {
    const due = [this.faults.get(endpoint), this.faults.get('all')].find(
      (entry) => entry !== undefined && entry.left > 0,
    );
    if (due === undefined) return undefined;
    due.left -= 1;
    return due.fault;
  }
}
