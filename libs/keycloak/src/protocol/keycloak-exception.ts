import type { AuthenticationDemand } from './authentication-demand.js';
import type { RefusalReason } from './refusal-reasons.js';
import { isScopeToken } from './scope.js';
import { formatBearerChallenge, type BearerChallenge } from './www-authenticate.js';

/** The message of a refusal reveals no more than its HTTP status. */
const REFUSALS = {
  missing_token: [401, 'Missing token'],
  invalid_request: [400, 'Invalid request'],
  invalid_token: [401, 'Invalid token'],
  insufficient_user_authentication: [401, 'Stronger or more recent login needed'],
  insufficient_scope: [403, 'Insufficient permission'],
  client_not_allowed: [403, 'Client not allowed'],
  route_closed: [403, 'Route closed'],
  authorization_server_refused: [502, 'Authorization server refused this service'],
  authorization_server_unavailable: [503, 'Authorization server unavailable'],
  service_unavailable: [503, 'Next service unavailable'],
  service_timeout: [504, 'Next service timed out'],
  service_refused: [502, 'Next service refused this service'],
  service_failed: [502, 'Next service failed'],
} as const satisfies Record<string, readonly [status: number, error: string]>;

export type RefusalCode = keyof typeof REFUSALS;

export interface RefusalBody {
  readonly error: string;
  readonly code: RefusalCode;
  /** The missing permission, only with `insufficient_scope`. */
  readonly permission?: string;
  /** The accepted `acr` values in order of preference, only with `insufficient_user_authentication`. */
  readonly acrValues?: readonly string[];
  /** The maximum age of the login, only with `insufficient_user_authentication`. */
  readonly maxAgeSeconds?: number;
  /** The reason of the refusal, only with the option `exposeRefusalReasons`. */
  readonly reason?: RefusalReason;
}

export interface RefusalDetails<Reason extends RefusalReason = RefusalReason> {
  readonly reason: Reason;
  readonly permission?: string;
  /**
   * Everything that the caller's operation demands, for the challenge of `insufficient_scope`. Default: `permission`.
   * Empty if a login of the caller can't request it, because it is a role or belongs to another service.
   */
  readonly scopes?: readonly string[];
  readonly authentication?: AuthenticationDemand;
  readonly retryAfterSeconds?: number;
  /** A single line that this library or Node wrote, never text of another party. */
  readonly detail?: string | undefined;
  /** More fields for the log: identifiers and numbers, never tokens or secrets. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/**
 * A refusal with its HTTP status, body and headers. A refusal is safe to print, because it contains no token, request
 * or foreign error.
 */
export abstract class KeycloakException<Reason extends RefusalReason = RefusalReason> extends Error {
  abstract readonly code: RefusalCode;
  readonly reason: Reason;
  readonly permission: string | undefined;
  readonly #scopes: readonly string[];
  readonly authentication: AuthenticationDemand | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: RefusalCode, details: RefusalDetails<Reason>) {
    const { detail } = details;
    // An exception filter of the application may send the message to the caller.
    super(REFUSALS[code][1]);
    this.name = new.target.name;
    // A refusal needs no stack trace, and stack frames would keep the request's token in memory.
    this.stack = `${String(this)} (${details.reason}${detail === undefined ? '' : `: ${detail}`})`;
    this.reason = details.reason;
    // The permission is empty for a call that requested no scope.
    this.permission = details.permission === '' ? undefined : details.permission;
    this.#scopes = details.scopes ?? [details.permission ?? ''];
    this.authentication = details.authentication;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.fields = detail === undefined ? (details.fields ?? {}) : { ...details.fields, detail };
  }

  /**
   * Only the code that made the call may add log fields, and only before other callers share the error.
   * @internal
   */
  add(fields: Readonly<Record<string, unknown>>): this {
    (this as { fields: Readonly<Record<string, unknown>> }).fields = { ...fields, ...this.fields };
    return this;
  }

  get httpStatus(): number {
    return REFUSALS[this.code][0];
  }

  toBody(exposeReason: boolean): RefusalBody {
    return {
      error: REFUSALS[this.code][1],
      code: this.code,
      ...(this.permission === undefined ? {} : { permission: this.permission }),
      ...demandInBody(this.authentication),
      ...(exposeReason ? { reason: this.reason } : {}),
    };
  }

  /**
   * Returns the challenge (RFC 6750 §3, RFC 9470 §3) or `Retry-After`. Every 503 has `Retry-After`; a 429 has this
   * header if the time is known. `resourceMetadata` is a URL (RFC 9728 §5.1). `scopes` are the scopes that the 401 of a
   * missing or invalid token names. With `mayBeApplied`, the 401 of an invalid token has the parameter
   * `applied="unknown"`: the handler had begun, so `ServiceClient` does not repeat the request unless it is idempotent.
   */
  toHeaders(
    realm: string,
    resourceMetadata?: string,
    scopes: readonly string[] = [],
    mayBeApplied = false,
  ): Readonly<Record<string, string>> {
    if (this.httpStatus === 503) return { 'Retry-After': String(this.retryAfterSeconds ?? 5) };
    if (this.httpStatus === 429 && this.retryAfterSeconds !== undefined) {
      return { 'Retry-After': String(this.retryAfterSeconds) };
    }
    const challenge = this.#challenge(scopes);
    if (challenge === undefined) return {};
    const metadata = resourceMetadata === undefined ? {} : { resourceMetadata };
    const applied = mayBeApplied && this.code === 'invalid_token' ? { applied: 'unknown' as const } : {};
    return { 'WWW-Authenticate': formatBearerChallenge({ realm, ...challenge, ...metadata, ...applied }) };
  }

  #challenge(scopes: readonly string[]): Omit<BearerChallenge, 'realm'> | undefined {
    switch (this.code) {
      case 'missing_token':
        return scopeOf(scopes);
      case 'invalid_request':
        return { error: this.code };
      case 'invalid_token':
        return { error: this.code, ...scopeOf(scopes) };
      case 'insufficient_user_authentication':
        return { error: this.code, ...demandInChallenge(this.authentication) };
      case 'insufficient_scope':
        return { error: this.code, ...scopeOf(this.#scopes) };
      default:
        return undefined;
    }
  }
}

/** Browser code can rarely read the challenge, so the body repeats the required login. */
const demandInBody = ({ acrValues, maxAgeSeconds }: Partial<AuthenticationDemand> = {}): Partial<RefusalBody> => ({
  ...(acrValues === undefined || acrValues.length === 0 ? {} : { acrValues }),
  ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
});

const demandInChallenge = ({
  acrValues,
  maxAgeSeconds,
}: Partial<AuthenticationDemand> = {}): Partial<BearerChallenge> => ({
  ...(acrValues === undefined || acrValues.length === 0 ? {} : { acrValues: acrValues.join(' ') }),
  ...(maxAgeSeconds === undefined ? {} : { maxAge: String(maxAgeSeconds) }),
});

/** A challenge can only name valid scope tokens (RFC 6750 §3). */
function scopeOf(permissions: readonly string[]): { readonly scope?: string } {
  const tokens = permissions.filter(isScopeToken);
  return tokens.length === 0 ? {} : { scope: tokens.join(' ') };
}
