/** Service call failures: what a caller is told of an answer that is no success, and of an exchange that failed. */
import { HttpFailure } from '../http/send-request.js';
import { connectionHint } from '../protocol/connection-failures.js';
import { BearerError } from '../protocol/bearer-error.js';
import { TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import type { IssuedToken } from '../protocol/issued-token.js';
import { ownerOf } from '../protocol/verified-access-token.js';
import { readBearerChallenge } from '../protocol/www-authenticate.js';
import { retryAfterSeconds } from '../resilience/retry-after.js';
import type { AnswerHead } from './answer-head.js';
import { demandedAuthentication } from './demanded-authentication.js';
import { refusedTokenHint } from './refused-token-hint.js';
import { safeBody, ServiceCallError } from './service-call-error.js';
import type { TokenRequest } from './token-request.js';

/** Whether the service says that the token is not good there (RFC 6750 §3.1). */
export function refusesToken({ status, headers }: AnswerHead): boolean {
  return status === 401 && readBearerChallenge(headers['www-authenticate'])?.error === 'invalid_token';
}

/**
 * The error for an answer that is no success. Of a call for the subject of a token exchange: `BearerError` `insufficient_scope` when it may not
 * do this, `insufficient_user_authentication` when it must log in again. Else `ServiceCallError`: nobody can log a service in.
 */
export function answerFailure(
  service: string,
  tokenRequest: TokenRequest,
  /** Those that were sent. */
  tokens: readonly (IssuedToken | undefined)[],
  answer: AnswerHead & { readonly body: unknown },
  forwardStatuses: readonly number[] = [],
): BearerError | ServiceCallError {
  const { status, headers, body } = answer;
  const texts = tokens.flatMap((token) => token?.reveal() ?? []);
  const safe = safeBody(body, texts.join(' '));
  if (tokenRequest.grant === TOKEN_EXCHANGE_GRANT) {
    const fields = { ...ownerOf(tokenRequest.subject), called: service, answer: safe };
    const refusal = { reason: 'refused_by_next_service', fields } as const;
    // The subject lacks something there, or further down: the service that said no knows the permission best.
    if (status === 403) {
      return new BearerError('insufficient_scope', { ...refusal, permission: safe.permission ?? tokenRequest.scope });
    }
    // A new token of the same login would be refused as well: the demand goes up the chain, to whoever logs the user in (RFC 9470 §4).
    const authentication = demandedAuthentication(answer, texts.join(' '));
    if (authentication !== undefined) {
      return new BearerError('insufficient_user_authentication', { ...refusal, authentication });
    }
  }
  const refused = status === 401 || status === 403;
  const failure = new ServiceCallError(refused ? 'service_refused' : 'service_failed', service, `answered_${status}`, {
    status,
    body: safe,
    answer: withoutTokens(body, texts),
    isPassedOn: forwardStatuses.includes(status),
    retryAfterSeconds: retryAfterSeconds(headers['retry-after'], headers['date']),
  });
  const hint = refusedTokenHint(service, answer, tokens[0]);
  return hint === undefined ? failure : failure.add({ hint });
}

const MAX_ANSWER_BYTES = 16_384;

/** For the code that made the call; nothing that has our token in it, nor more than an error needs. */
function withoutTokens(body: unknown, tokens: readonly string[]): unknown {
  const text = jsonTextOf(body);
  if (text === undefined || Buffer.byteLength(text) > MAX_ANSWER_BYTES) return undefined;
  return tokens.some((token) => text.includes(token)) ? undefined : body;
}

/** Undefined for none, and for what is nested deeper than the stack: it can be read, and not written. */
function jsonTextOf(body: unknown): string | undefined {
  try {
    return JSON.stringify(body) as string | undefined;
  } catch {
    return undefined;
  }
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
