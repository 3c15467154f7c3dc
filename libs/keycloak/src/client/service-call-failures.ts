/** Service call failures: what a caller is told of an answer that is no success, and of an exchange that failed. */
import { HttpFailure } from '../http/send-request.js';
import { connectionHint } from '../protocol/connection-failures.js';
import { BearerError } from '../protocol/bearer-error.js';
import { TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import type { IssuedToken } from '../protocol/issued-token.js';
import { bearerChallengeError } from '../protocol/www-authenticate.js';
import { retryAfterSeconds } from '../resilience/retry-after.js';
import { safeBody, ServiceCallError } from './service-call-error.js';
import type { TokenRequest } from './token-request.js';

/** The part of an answer that says how the call ended. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Whether the service says that the token is not good there (RFC 6750 §3.1). */
export function refusesToken({ status, headers }: AnswerHead): boolean {
  return status === 401 && bearerChallengeError(headers['www-authenticate']) === 'invalid_token';
}

/**
 * The error for an answer that is no success. `BearerError` `insufficient_scope` when the subject of a token exchange may not do this,
 * else `ServiceCallError`.
 */
export function answerFailure(
  service: string,
  tokenRequest: TokenRequest,
  /** Those that were sent. */
  tokens: readonly (IssuedToken | undefined)[],
  { status, headers, body }: AnswerHead & { readonly body: unknown },
  passOn: readonly number[] = [],
): BearerError | ServiceCallError {
  const texts = tokens.flatMap((token) => token?.reveal() ?? []);
  const safe = safeBody(body, texts.join(' '));
  if (status === 403 && tokenRequest.grant === TOKEN_EXCHANGE_GRANT) {
    // The subject lacks something there, or further down: the service that said no knows the permission best.
    const permission = safe.permission ?? tokenRequest.scope;
    const fields = { called: service, answer: safe };
    return new BearerError('insufficient_scope', { reason: 'refused_by_next_service', permission, fields });
  }
  const refused = status === 401 || status === 403;
  return new ServiceCallError(refused ? 'service_refused' : 'service_failed', service, `answered_${status}`, {
    status,
    body: safe,
    answer: withoutTokens(body, texts),
    isPassedOn: passOn.includes(status),
    retryAfterSeconds: retryAfterSeconds(headers['retry-after']),
  });
}

const MAX_ANSWER_LENGTH = 16_384;

/** For the code that made the call; nothing that has our token in it, nor more than an error needs. */
function withoutTokens(body: unknown, tokens: readonly string[]): unknown {
  const text = JSON.stringify(body) as string | undefined;
  if (text === undefined || text.length > MAX_ANSWER_LENGTH) return undefined;
  return tokens.some((token) => text.includes(token)) ? undefined : body;
}

/** `ServiceCallError` for an `HttpFailure`; any other error as it is. */
export function serviceFailure(service: string, error: unknown): unknown {
  if (!(error instanceof HttpFailure)) return error;
  const { reason, detail } = error;
  if (reason === 'timeout') return new ServiceCallError('service_timeout', service, reason, { detail });
  const hasBegun = reason === 'answer_too_large' || reason === 'answer_broken_off';
  const failure = new ServiceCallError(hasBegun ? 'service_failed' : 'service_unavailable', service, reason, {
    detail,
  });
  return failure.add(connectionHint(reason));
}

/** Methods that may be sent twice (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY', 'PUT', 'DELETE']);

/** A kept connection may be closed by the other side just as a request goes out: what can be sent twice is. */
export function isWorthAnother(error: unknown, method: string): boolean {
  return error instanceof HttpFailure && error.isConnectionBroken && IDEMPOTENT.has(method);
}
