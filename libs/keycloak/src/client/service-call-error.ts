/** ServiceCallError: a call to the next service that came to nothing, without the request that it was. */
import { ownProperty } from '../protocol/claims.js';
import type { ServiceCallErrorReason } from '../protocol/refusal-reasons.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';

/**
 * - `service_unavailable` (503): not reachable, the connection broke before an answer, or no call was made (`queue_full`, `circuit_open`).
 * - `service_timeout` (504): no whole answer within the time set.
 * - `service_refused` (502): it refused our token, twice, or this service itself.
 * - `service_failed` (502): it answered 5xx, another 4xx, a redirect, too much, or not JSON, or broke its answer off.
 */
export type ServiceCallErrorCode = 'service_unavailable' | 'service_timeout' | 'service_refused' | 'service_failed';

/** What is kept of the other service's answer: names, no text that could hold more than it should. */
export interface SafeBody {
  readonly code?: string;
  readonly permission?: string;
}

export interface ServiceCallDetails {
  /** The other service's status, when it answered. */
  readonly status?: number | undefined;
  readonly body?: SafeBody;
  /** One line that we or Node wrote, for the log. */
  readonly detail?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** What it sent, parsed. */
  readonly answer?: unknown;
  /** Whether callers of this service are answered with its status. */
  readonly isPassedOn?: boolean;
}

/** Holds no headers, no configuration and no `cause`, since those of HTTP clients carry the request with its token. */
export class ServiceCallError extends KeycloakException<ServiceCallErrorReason> {
  /** The other service's status, when it answered. */
  readonly status: number | undefined;
  readonly body: SafeBody;
  // Private, so that nothing that prints the error shows them.
  readonly #answer: unknown;
  readonly #isPassedOn: boolean;

  constructor(
    readonly code: ServiceCallErrorCode,
    /** The name the service was registered with. */
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
   * What the other service sent with its error: parsed JSON, of 16 KiB at most, or undefined. It is that service's own text, not checked, and
   * printed by nothing: read from it what was agreed, and keep it out of logs and answers. Undefined where it holds our token.
   */
  get answer(): unknown {
    return this.#answer;
  }

  /** That of the code; with `forwardStatuses` the other service's. */
  override get httpStatus(): number {
    return this.#isPassedOn && this.status !== undefined ? this.status : super.httpStatus;
  }
}

/** The name of a permission may be that of a role: letters of any alphabet, and single blanks. */
const NAMES: Readonly<Record<keyof SafeBody, RegExp>> = {
  code: /^[\w.:/-]{1,64}$/,
  permission: /^(?=.{1,64}$)[\p{L}\p{M}\p{N}_.:/-]+(?: [\p{L}\p{M}\p{N}_.:/-]+)*$/u,
};

/** From this length on, what also stands in our token does not stand there by chance. */
const PIECE_OF_TOKEN = 12;

export const isPieceOfToken = (text: string, token: string): boolean =>
  text.length >= PIECE_OF_TOKEN && token.includes(text);

/** Takes the fields of a `SafeBody` out of whatever the other service sent, but nothing that is a piece of our token. */
export function safeBody(answer: unknown, token: string): SafeBody {
  const name = (field: keyof SafeBody): object => {
    const value = ownProperty(answer, field);
    if (typeof value !== 'string' || !NAMES[field].test(value)) return {};
    return isPieceOfToken(value, token) ? {} : { [field]: value };
  };
  return { ...name('code'), ...name('permission') };
}
