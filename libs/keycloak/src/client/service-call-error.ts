import { ownProperty } from '../protocol/claims.js';
import type { ServiceCallErrorReason } from '../protocol/refusal-reasons.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';

/**
 * - `service_unavailable` (503): The connection failed before the answer, or the call was not made (`queue_full`,
 *   `circuit_open`).
 * - `service_timeout` (504): The answer was not complete in time.
 * - `service_refused` (502): The called service refused this service with 403, or the token with 401. After a
 *   401, a repeatable call is first repeated with a renewed token.
 * - `service_failed` (502): The called service answered with a redirect or another error, or the body was too large,
 *   incomplete or not JSON.
 */
export type ServiceCallErrorCode = 'service_unavailable' | 'service_timeout' | 'service_refused' | 'service_failed';

/** The part of the called service's answer that may be logged: a code and a permission, but no free text. */
export interface SafeBody {
  readonly code?: string;
  readonly permission?: string;
}

export interface ServiceCallDetails {
  readonly status?: number | undefined;
  readonly body?: SafeBody;
  /** Explains the cause in one log line, in words of this library or Node. */
  readonly detail?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly answer?: unknown;
  readonly isPassedOn?: boolean;
}

/** Omits headers, configuration and `cause`, because the HTTP client's error contains the token. */
export class ServiceCallError extends KeycloakException<ServiceCallErrorReason> {
  /** The status of the called service's answer; undefined without an answer. */
  readonly status: number | undefined;
  readonly body: SafeBody;
  // `#answer` and `#isPassedOn` are private, so that they are not printed with the error.
  readonly #answer: unknown;
  readonly #isPassedOn: boolean;

  constructor(
    readonly code: ServiceCallErrorCode,
    /** The registered name of the service. */
    readonly service: string,
    reason: ServiceCallErrorReason,
    { status, body = {}, detail, retryAfterSeconds, answer, isPassedOn = false }: ServiceCallDetails = {},
  ) {
    super(code, {
      reason,
      detail,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      fields: { called: service, ...(status === undefined ? {} : { answered: status, answer: body }) },
    });
    this.status = status;
    this.body = body;
    this.#answer = answer;
    this.#isPassedOn = isPassedOn;
  }

  /**
   * Returns the parsed error body, which is unchecked and never printed. Keep the body out of logs and answers. The
   * result is undefined if the body exceeds 16 KiB, is not JSON or contains our token.
   */
  get answer(): unknown {
    return this.#answer;
  }

  /** Returns the called service's status if `forwardStatuses` contains this status, otherwise the status of `code`. */
  override get httpStatus(): number {
    return this.#isPassedOn && this.status !== undefined ? this.status : super.httpStatus;
  }
}

/** A permission may be a role name, which may contain letters of any alphabet and single spaces. */
const NAMES: Readonly<Record<keyof SafeBody, RegExp>> = {
  code: /^[\w.:/-]{1,64}$/,
  permission: /^(?=.{1,64}$)[\p{L}\p{M}\p{N}_.:/-]+(?: [\p{L}\p{M}\p{N}_.:/-]+)*$/u,
};

const PIECE_OF_TOKEN = 12;

export const isPieceOfToken = (text: string, token: string): boolean =>
  text.length >= PIECE_OF_TOKEN && token.includes(text);

export function safeBody(answer: unknown, token: string): SafeBody {
  const name = (field: keyof SafeBody): object => {
    const value = ownProperty(answer, field);
    if (typeof value !== 'string' || !NAMES[field].test(value)) return {};
    return isPieceOfToken(value, token) ? {} : { [field]: value };
  };
  return { ...name('code'), ...name('permission') };
}
