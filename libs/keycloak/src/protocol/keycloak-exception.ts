/** KeycloakException: the closed list of answers with which a service says no, and their form on the wire. */
import type { AuthenticationDemand } from './authentication-demand.js';
import type { RefusalReason } from './refusal-reasons.js';
import { isScopeToken } from './scope.js';
import { formatBearerChallenge, type BearerChallenge } from './www-authenticate.js';

/** Status and `error` text of each code. The text tells a caller nothing that the status does not. */
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

/** The JSON body of a refusal. */
export interface RefusalBody {
  readonly error: string;
  readonly code: RefusalCode;
  /** With `insufficient_scope`: the permission that is missing. */
  readonly permission?: string;
  /** With `insufficient_user_authentication`: the values of `acr` of which one is demanded, the preferred one first. */
  readonly acrValues?: readonly string[];
  /** With `insufficient_user_authentication`: how many seconds ago the user may have logged in. */
  readonly maxAgeSeconds?: number;
  /** The finer reason: only where the option `exposeRefusalReasons` is on. */
  readonly reason?: RefusalReason;
}

export interface RefusalDetails<Reason extends RefusalReason = RefusalReason> {
  /** The finer reason, from the closed list of its class: for the log of the operator. */
  readonly reason: Reason;
  readonly permission?: string;
  /** With `insufficient_scope`: all permissions that the route demands, for the challenge. Default: `permission` alone. */
  readonly scope?: readonly string[];
  /** The login that would do. */
  readonly authentication?: AuthenticationDemand;
  readonly retryAfterSeconds?: number;
  /** What makes the reason finer still, for the log and the stack: one line that we or Node wrote, never another party. */
  readonly detail?: string | undefined;
  /** Further fields for the log line: identifiers and numbers, never a token or a secret. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/**
 * An error that owns its wire form. It never holds a token, a request or another library's error: whatever prints it,
 * prints nothing secret.
 */
export abstract class KeycloakException<Reason extends RefusalReason = RefusalReason> extends Error {
  abstract readonly code: RefusalCode;
  readonly reason: Reason;
  readonly permission: string | undefined;
  readonly #scope: readonly string[];
  /** With `insufficient_user_authentication`: the login that would do. */
  readonly authentication: AuthenticationDemand | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: RefusalCode, details: RefusalDetails<Reason>) {
    const { detail } = details;
    // What a filter of the application may put on the wire.
    super(REFUSALS[code][1]);
    this.name = new.target.name;
    // An answer and no bug: nobody reads where it was made, and the frames of a stack hold the token of the request.
    this.stack = `${String(this)} (${details.reason}${detail === undefined ? '' : `: ${detail}`})`;
    this.reason = details.reason;
    // That of a call that asked for no scope is none.
    this.permission = details.permission === '' ? undefined : details.permission;
    this.#scope = details.scope ?? [details.permission ?? ''];
    this.authentication = details.authentication;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.fields = detail === undefined ? (details.fields ?? {}) : { ...details.fields, detail };
  }

  /**
   * Adds what the log should have of the call that failed; what is there stays. Only the code that made the call does so, before it shares the error.
   * @internal
   */
  add(fields: Readonly<Record<string, unknown>>): this {
    (this as { fields: Readonly<Record<string, unknown>> }).fields = { ...fields, ...this.fields };
    return this;
  }

  /** The HTTP status that goes with the code. */
  get httpStatus(): number {
    return REFUSALS[this.code][0];
  }

  /** The body on the wire. */
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
   * The headers on the wire: the challenge of RFC 6750 §3 (RFC 9470 §3) where the code has one, and `Retry-After` on every 503. `resourceMetadata` is
   * the URL of the metadata of this service, for its challenges (RFC 9728 §5.1).
   */
  toHeaders(realm: string, resourceMetadata?: string): Readonly<Record<string, string>> {
    if (this.httpStatus === 503) return { 'Retry-After': String(this.retryAfterSeconds ?? 5) };
    if (this.httpStatus === 429 && this.retryAfterSeconds !== undefined) {
      return { 'Retry-After': String(this.retryAfterSeconds) };
    }
    const challenge = this.#challenge();
    if (challenge === undefined) return {};
    const metadata = resourceMetadata === undefined ? {} : { resourceMetadata };
    return { 'WWW-Authenticate': formatBearerChallenge({ realm, ...challenge, ...metadata }) };
  }

  #challenge(): Omit<BearerChallenge, 'realm'> | undefined {
    switch (this.code) {
      case 'missing_token':
        return {};
      case 'invalid_request':
      case 'invalid_token':
        return { error: this.code };
      case 'insufficient_user_authentication':
        return { error: this.code, ...demandInChallenge(this.authentication) };
      case 'insufficient_scope':
        return { error: this.code, ...scopeOf(this.#scope) };
      default:
        return undefined;
    }
  }
}

/** For clients in browsers, which seldom may read the challenge. */
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

/** The name of a role may not be a scope token, and then has no place in a challenge (RFC 6750 §3). */
function scopeOf(permissions: readonly string[]): { readonly scope?: string } {
  const tokens = permissions.filter(isScopeToken);
  return tokens.length === 0 ? {} : { scope: tokens.join(' ') };
}
