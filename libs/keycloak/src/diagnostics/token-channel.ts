/** Token channel: publishes how each token for a call was had. */
import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../caching/clock.js';
import type { CLIENT_CREDENTIALS_GRANT, TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import { KeycloakException, type RefusalCode } from '../protocol/keycloak-exception.js';

/** The name to subscribe to with `diagnostics_channel.subscribe()`; its messages are `TokenMessage`. */
export const TOKEN_CHANNEL = 'nestjs-keycloak-s2s:token';

/**
 * One for each time that a token was wanted, published in the async context of who wanted it. It is frozen, and holds no
 * token, hash or claim. Renewals in the background belong to no request, and are not published; the token they replace is
 * `reused` meanwhile. Nor is a token published that was not asked for because its subject's is denied.
 */
export interface TokenMessage {
  /** Where it comes from. */
  readonly issuer: string;
  readonly grant: typeof CLIENT_CREDENTIALS_GRANT | typeof TOKEN_EXCHANGE_GRANT;
  /** Of an exchange; with client credentials the scope alone decides the audience. */
  readonly audience?: string;
  readonly scope: string;
  /**
   * `requested`: the server was asked for this. `joined`: another request had asked for the same. `reused`: it was there,
   * or the refusal was that the server had just given. `shared`: another replica had asked for it.
   */
  readonly outcome: 'requested' | 'joined' | 'reused' | 'shared';
  readonly durationMs: number;
  /** Why there was none: the code of the refusal, `unexpected` for any other error. */
  readonly failed?: RefusalCode | 'unexpected';
}

/** As with introspections: ask `hasSubscribers` first, and what a subscriber throws ends the process, not the request. */
export const tokenRequests = channel(TOKEN_CHANNEL);

/** Known once the token is here. */
type Outcome = () => TokenMessage['outcome'];

/** What is wanted: all that is published of a request. */
export type WantedToken = Pick<TokenMessage, 'issuer' | 'grant' | 'audience' | 'scope'>;

/**
 * Publishes how `token` was had, at once or when it is here, and gives it back. `startMs` is when it was wanted. Called by the code that
 * wants it: an `await` of its own keeps that context, which a flight that another request began does not have.
 */
export function publishToken<T>(
  wanted: WantedToken,
  outcome: Outcome,
  token: T | Promise<T>,
  clock: Clock,
  startMs: number,
): T | Promise<T> {
  if (token instanceof Promise) return publishOnceSettled(wanted, outcome, token, clock, startMs);
  publish(wanted, outcome(), clock.monotonicMs() - startMs);
  return token;
}

async function publishOnceSettled<T>(
  wanted: WantedToken,
  outcome: Outcome,
  token: Promise<T>,
  clock: Clock,
  startMs: number,
): Promise<T> {
  try {
    const value = await token;
    publish(wanted, outcome(), clock.monotonicMs() - startMs);
    return value;
  } catch (error) {
    publish(
      wanted,
      outcome(),
      clock.monotonicMs() - startMs,
      error instanceof KeycloakException ? error.code : 'unexpected',
    );
    throw error;
  }
}

function publish(
  { issuer, grant, audience, scope }: WantedToken,
  outcome: TokenMessage['outcome'],
  durationMs: number,
  failed?: TokenMessage['failed'],
): void {
  const message: TokenMessage = {
    issuer,
    grant,
    ...(audience === undefined ? {} : { audience }),
    scope,
    outcome,
    durationMs,
    ...(failed === undefined ? {} : { failed }),
  };
  tokenRequests.publish(Object.freeze(message));
}
