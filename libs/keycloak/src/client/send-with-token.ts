/** Send with token: a call with a token of the source, and once more with a renewed one when the service refuses the first. */
import { abortable } from '../caching/abortable.js';
import { letManyListen } from '../caching/shared-signal.js';
import type { IssuedToken } from '../protocol/issued-token.js';
import type { AnswerHead } from './answer-head.js';
import { refusesToken } from './service-call-failures.js';
import type { TokenRequest } from './token-request.js';
import type { TokenSources } from './token-sources.js';

export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether the request can be sent again. Default true. */
  readonly isRepeatable?: boolean;
}

/** `refused` is the token that was sent first, if another one was after it. `send` is given the header `Authorization`. Any status is a response. Throws what `tokens` and `send` throw, and the reason of the signal. */
export async function sendWithToken<R extends AnswerHead>(
  tokens: Pick<TokenSources, 'get' | 'dropRefused'>,
  request: TokenRequest,
  send: (authorization: string) => Promise<R>,
  { signal, isRepeatable = true }: SendOptions = {},
): Promise<{ readonly response: R; readonly token: IssuedToken; readonly refused: IssuedToken | undefined }> {
  letManyListen(signal);
  const held = tokens.get(request);
  let token = held instanceof Promise ? await abortable(held, signal) : held;
  let response = await send(authorizationOf(token));
  let refused: IssuedToken | undefined;
  // It may have been revoked since it was cached: one renewal, and one more try. What can't be sent again leaves a new one to the next.
  if (refusesToken(response) && tokens.dropRefused(request, token) && isRepeatable) {
    refused = token;
    token = await abortable(tokens.get(request), signal);
    response = await send(authorizationOf(token));
  }
  return { response, token, refused };
}

const authorizationOf = (token: IssuedToken): string => `Bearer ${token.reveal()}`;
