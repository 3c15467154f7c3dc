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

/** Idempotent methods (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY', 'PUT', 'DELETE']);

/** Whether the answer refuses the token (RFC 6750 §3.1). */
export function refusesToken({ status, headers }: AnswerHead): boolean {
  return status === 401 && readBearerChallenge(headers['www-authenticate'])?.error === 'invalid_token';
}

/**
 * Whether the request can be sent again after an answer that refuses its token. A 401 means that the request was not
 * applied (RFC 9110 §15.5.2), unless the service states that its handler had begun.
 */
export function mayBeSentAgain({ headers }: AnswerHead, method: string): boolean {
  return IDEMPOTENT.has(method) || readBearerChallenge(headers['www-authenticate'])?.mayBeApplied === false;
}

/** Returns a `BearerError` only for an exchanged token, because a service can't log in again. */
export function answerFailure(
  service: string,
  tokenRequest: TokenRequest,
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
    // The called service knows best which permission the subject lacks.
    if (status === 403) {
      const permission = safe.permission ?? tokenRequest.scope;
      return new BearerError('insufficient_scope', { ...refusal, permission, scopes: [] });
    }
    // Only the client at which the user logs in can satisfy the demand (RFC 9470 §4).
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

function withoutTokens(body: unknown, tokens: readonly string[]): unknown {
  const text = jsonTextOf(body);
  if (text === undefined || Buffer.byteLength(text) > MAX_ANSWER_BYTES) return undefined;
  return tokens.some((token) => text.includes(token)) ? undefined : body;
}

/** Returns undefined if `body` is nested too deeply. */
function jsonTextOf(body: unknown): string | undefined {
  try {
    return JSON.stringify(body) as string | undefined;
  } catch {
    return undefined;
  }
}

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

/** Services may close idle connections at any time, so idempotent requests are repeated. */
export function isWorthAnother(error: unknown, method: string): boolean {
  return error instanceof HttpFailure && error.isConnectionBroken && IDEMPOTENT.has(method);
}
