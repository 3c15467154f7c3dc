/** The last five names, from `ssfMetadata` to `poll`, are endpoints of the SSF transmitter. */
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

/** `times` is the number of affected calls (default: until the test removes the fault). */
export type Fault = { readonly times?: number } & (FaultInPlaceOfAnswer | FaultInAnswer);

/** A fault that replaces the answer, so the endpoint issues and revokes no tokens. */
export type FaultInPlaceOfAnswer =
  | LiteralAnswer
  /** The server reads the request and never answers. */
  | { readonly kind: 'hang' }
  /** The server reads the request and resets the connection (TCP RST). */
  | { readonly kind: 'reset' }
  /** `retryAfter` is in seconds or an HTTP date (default: no header). */
  | { readonly kind: 'status'; readonly status: 500 | 502 | 503 | 429; readonly retryAfter?: number | string }
  | { readonly kind: 'html' }
  /** The server answers 200 with the content type `application/json` and an empty body. */
  | { readonly kind: 'empty' }
  /** The server sends `"active":true` in a JSON object of `megabytes` (default 50), and no `Content-Length`. */
  | { readonly kind: 'huge'; readonly megabytes?: number }
  /**
   * The server compresses the answer of `huge` with gzip, even if the client does not accept gzip. Gzip shrinks the
   * answer to about a thousandth of `megabytes` (default 1024).
   */
  | { readonly kind: 'gzip-bomb'; readonly megabytes?: number };

export interface LiteralAnswer {
  readonly kind: 'answer';
  /** The status of the answer (default: 200). */
  readonly status?: number;
  /** Headers that extend or replace `Content-Type: application/json`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The server sends a string unchanged, and any other value as JSON. */
  readonly body: unknown;
}

/** A fault that alters the answer after the endpoint has handled the request. */
export type FaultInAnswer =
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** The server sends the headers immediately, and then one byte every `everyMs` (default 50). */
  | { readonly kind: 'slow-bytes'; readonly everyMs?: number }
  /** `Content-Length` is correct, but the connection closes after half of the body. */
  | { readonly kind: 'truncated' }
  /** The body is correct, but the content type is `text/plain`. */
  | { readonly kind: 'wrong-content-type' }
  /**
   * The body is in ISO-8859-1. The first member has the value `ü`. If `declared` is true (default), the content type
   * names the encoding.
   */
  | { readonly kind: 'wrong-charset'; readonly declared?: boolean }
  /** The first member contains `levels` nested arrays (default 100,000). */
  | { readonly kind: 'deep'; readonly levels?: number }
  /** Before the correct members, the body has `__proto__` and `constructor`, which contain wrong claims. */
  | { readonly kind: 'proto' }
  /** `members` override or extend the correct members, and the value `undefined` removes a member. */
  | { readonly kind: 'members'; readonly members: Readonly<Record<string, unknown>> }
  /** Every member occurs twice, first with a wrong value, then with the correct value. */
  | { readonly kind: 'duplicate-keys' };

/** A fault for one endpoint takes precedence over a fault for all endpoints. */
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
