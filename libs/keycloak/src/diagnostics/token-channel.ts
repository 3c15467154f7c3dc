/** Token channel: tells who subscribes how each token for a call was had. */
import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../caching/clock.js';
import type { CLIENT_CREDENTIALS_GRANT, TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import { Refusal, type RefusalCode } from '../protocol/refusal.js';

/** The name to subscribe to with `diagnostics_channel.subscribe()`; its messages are `TokenMessage`. */
export const TOKEN_CHANNEL = 'nestjs-keycloak-s2s:token';

/**
 * One for each time that a token was wanted, published in the async context of who wanted it. It is frozen, and holds no
 * token, hash or claim. Renewals in the background belong to no request, and are not told; the token they replace is
 * `reused` meanwhile. Nor is a token told that was not asked for because its subject's is denied.
 */
export interface TokenMessage {
  readonly grant: typeof CLIENT_CREDENTIALS_GRANT | typeof TOKEN_EXCHANGE_GRANT;
  /** Of an exchange; with client credentials the scope alone decides the audience. */
  readonly audience?: string;
  readonly scope: string;
  /**
   * `requested`: the server was asked for this. `joined`: another request had asked for the same. `reused`: it was there,
   * or the refusal was that the server had just given.
   */
  readonly outcome: 'requested' | 'joined' | 'reused';
  readonly durationMs: number;
  /** Why there was none: the code of the refusal, `unexpected` for any other error. */
  readonly failed?: RefusalCode | 'unexpected';
}

/** As with introspections: ask `hasSubscribers` first, and what a subscriber throws ends the process, not the request. */
export const tokenRequests = channel(TOKEN_CHANNEL);

/** What is wanted, of which the channel tells no more than this. */
export type WantedToken = Pick<TokenMessage, 'grant' | 'audience' | 'scope'>;

/** Publishes; `startMs` is when it was wanted. */
export function publishToken(
  { grant, audience, scope }: WantedToken,
  outcome: TokenMessage['outcome'],
  clock: Clock,
  startMs: number,
  failed?: TokenMessage['failed'],
): void {
  const message: TokenMessage = {
    grant,
    ...(audience === undefined ? {} : { audience }),
    scope,
    outcome,
    durationMs: clock.monotonicMs() - startMs,
    ...(failed === undefined ? {} : { failed }),
  };
  tokenRequests.publish(Object.freeze(message));
}

/** What a message says of an error. */
export function failureCode(error: unknown): RefusalCode | 'unexpected' {
  return error instanceof Refusal ? error.code : 'unexpected';
}
