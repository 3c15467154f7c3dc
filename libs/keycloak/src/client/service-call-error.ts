import { ownProperty } from '../protocol/claims.js';
import type { ServiceCallErrorReason } from '../protocol/refusal-reasons.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';

/**
 * - `service_unavailable` (503): the service is unreachable, the connection broke before an answer, or no call was made
 *   (`queue_full`, `circuit_open`).
 * - `service_timeout` (504): the answer of the service was not complete in time.
 * - `service_refused` (502): the called service refused our token (401), even after a renewal, or refused this service
 *   (403).
 * - `service_failed` (502): the called service answered with a 5xx, another 4xx or a redirect, or the answer is too
 *   large, not JSON, or incomplete.
 */
export type ServiceCallErrorCode = 'service_unavailable' | 'service_timeout' | 'service_refused' | 'service_failed';

/** The part of the called service's answer that is safe to log: two names and no free text. */
export interface SafeBody {
  readonly code?: string;
  readonly permission?: string;
}

export interface ServiceCallDetails {
  readonly status?: number | undefined;
  readonly body?: SafeBody;
  /** The cause in one line for the log, written by this library or by Node. */
  readonly detail?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly answer?: unknown;
  readonly isPassedOn?: boolean;
}

/**
 * The error has no headers, configuration or `cause`, because an HTTP client's error
 * contains the request with the token.
 */
export class ServiceCallError extends KeycloakException<ServiceCallErrorReason> {
  /** The status of the called service's answer; undefined if the called service did not answer. */
  readonly status: number | undefined;
  readonly body: SafeBody;
  // These fields are private, so that they are not printed with the error.
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
   * The called service's error body as parsed JSON; undefined if the body exceeds 16 KiB, is not JSON, or contains our
   * token. The library does not check or print the body; keep the body out of logs and answers.
   */
  get answer(): unknown {
    return this.#answer;
  }

  /** The status that belongs to `code`, or the status of the called service if `forwardStatuses` lists that status. */
  override get httpStatus(): number {
    return this.#isPassedOn && this.status !== undefined ? this.status : super.httpStatus;
  }
}

/** A permission may be the name of a role, with letters of any alphabet and single spaces. */
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
