import { abortable } from '../caching/abortable.js';
import { letManyListen } from '../caching/shared-signal.js';
import { BearerError } from '../protocol/bearer-error.js';
import { TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import type { IssuedToken } from '../protocol/issued-token.js';
import { mayBeSentAgain, refusesToken } from './service-call-failures.js';
import type { Exchange, ServiceAnswer, ServiceTransport } from './service-transport.js';
import type { TokenRequest } from './token-request.js';
import type { TokenSources } from './token-sources.js';
import type { TraceHeaders } from './trace-headers.js';

export interface Sent<Answer extends ServiceAnswer> {
  readonly response: Answer;
  readonly token: IssuedToken;
  readonly refused: IssuedToken | undefined;
}

export async function sendWithToken<Answer extends ServiceAnswer>(
  transport: ServiceTransport,
  tokens: Pick<TokenSources, 'get' | 'dropRefused'>,
  request: TokenRequest,
  exchange: Exchange<Answer>,
  path: string,
  trace: TraceHeaders,
): Promise<Sent<Answer>> {
  const { signal } = exchange;
  if (signal !== undefined) letManyListen(signal);
  const held = tokens.get(request);
  let token = held instanceof Promise ? await abortable(held, signal) : held;
  let response = await transport.send(exchange, path, `Bearer ${token.reveal()}`, trace);
  let refused: IssuedToken | undefined;
  // The token may have been revoked, so it is dropped even if the request can't be repeated.
  if (response.status === 401 && refusesToken(response) && tokens.dropRefused(request, token)) {
    if (exchange.isRepeatable && mayBeSentAgain(response, exchange.method)) {
      refused = token;
      token = await abortable(tokens.get(request), signal);
      response = await transport.send(exchange, path, `Bearer ${token.reveal()}`, trace);
    } else if (request.grant === TOKEN_EXCHANGE_GRANT) await testSubject(tokens, request, signal);
  }
  return { response, token, refused };
}

/** Throws the `BearerError` of another exchange, because the called service does not say whether the subject is valid. */
async function testSubject(
  tokens: Pick<TokenSources, 'get'>,
  request: TokenRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await abortable(tokens.get(request), signal);
  } catch (error) {
    if (error instanceof BearerError || signal?.aborted === true) throw error;
  }
}
