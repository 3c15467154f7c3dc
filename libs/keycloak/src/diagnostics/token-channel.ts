import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../caching/clock.js';
import type { CLIENT_CREDENTIALS_GRANT, TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import { KeycloakException, type RefusalCode } from '../protocol/keycloak-exception.js';

/** The channel name for `diagnostics_channel.subscribe()`; each message is a `TokenMessage`. */
export const TOKEN_CHANNEL = 'nestjs-keycloak-s2s:token';

/**
 * A message about a call's token, published in the async context of the call. The message is frozen, and contains no
 * token, hash or claim. Background renewals are not published.
 */
export interface TokenMessage {
  readonly issuer: string;
  readonly grant: typeof CLIENT_CREDENTIALS_GRANT | typeof TOKEN_EXCHANGE_GRANT;
  /** The audience of an exchange; absent for client credentials. */
  readonly audience?: string;
  readonly scope: string;
  /**
   * The source of the token: this request (`requested`), a concurrent request (`joined`), an earlier request
   * (`reused`), or another replica (`shared`). A recent refusal of an earlier request also counts as `reused`.
   */
  readonly outcome: 'requested' | 'joined' | 'reused' | 'shared';
  readonly durationMs: number;
  /** The error code of this library, or `unexpected` for any other error. */
  readonly failed?: RefusalCode | 'unexpected';
}

export const tokenRequests = channel(TOKEN_CHANNEL);

type Outcome = () => TokenMessage['outcome'];

export type WantedToken = Pick<TokenMessage, 'grant' | 'audience' | 'scope'>;

/** The request itself must call this function, because a shared call runs in the async context of one request only. */
export function publishToken<T>(
  issuer: string,
  wanted: WantedToken,
  outcome: Outcome,
  token: T | Promise<T>,
  clock: Clock,
  startMs: number,
): T | Promise<T> {
  if (token instanceof Promise) return publishOnceSettled(issuer, wanted, outcome, token, clock, startMs);
  publish(issuer, wanted, outcome(), clock.monotonicMs() - startMs);
  return token;
}

async function publishOnceSettled<T>(
  issuer: string,
  wanted: WantedToken,
  outcome: Outcome,
  token: Promise<T>,
  clock: Clock,
  startMs: number,
): Promise<T> {
  try {
    const value = await token;
    publish(issuer, wanted, outcome(), clock.monotonicMs() - startMs);
    return value;
  } catch (error) {
    publish(
      issuer,
      wanted,
      outcome(),
      clock.monotonicMs() - startMs,
      error instanceof KeycloakException ? error.code : 'unexpected',
    );
    throw error;
  }
}

/** Copies no object, since every call publishes a message (perf: production). */
function publish(
  issuer: string,
  { grant, audience, scope }: WantedToken,
  outcome: TokenMessage['outcome'],
  durationMs: number,
  failed?: TokenMessage['failed'],
): void {
  const message: TokenMessage =
    audience === undefined
      ? { issuer, grant, scope, outcome, durationMs }
      : { issuer, grant, audience, scope, outcome, durationMs };
  tokenRequests.publish(Object.freeze(failed === undefined ? message : { ...message, failed }));
}
