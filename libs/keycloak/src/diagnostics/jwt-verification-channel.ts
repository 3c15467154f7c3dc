/** JWT verification channel: publishes how the signature of each caller's token was verified, where that is done here. */
import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../caching/clock.js';
import { BearerError } from '../protocol/bearer-error.js';
import { KeycloakException, type RefusalCode } from '../protocol/keycloak-exception.js';

/** The name to subscribe to with `diagnostics_channel.subscribe()`; its messages are `JwtVerificationMessage`. */
export const JWT_VERIFICATION_CHANNEL = 'nestjs-keycloak-s2s:jwt-verification';

/**
 * One for each time that the signature of a token was looked at, published in the async context of the request that brought it. It is frozen,
 * and holds no token, hash, key or claim. A token that is introspected besides, after a recheck, has a message on that channel, too.
 */
export interface JwtVerificationMessage {
  /** The issuer that is configured here, of which the token says to be. */
  readonly issuer: string;
  /** `verified`: the signature was checked for this request. `joined`: another one had it checked. `cached`: it was checked before. */
  readonly outcome: 'verified' | 'joined' | 'cached';
  /** Whether it is good; absent when that could not be told. Its claims were not judged yet. */
  readonly valid?: boolean;
  /** With what it waited for keys, if it did. */
  readonly durationMs: number;
  /** Why it could not be told: the code of the refusal, `unexpected` for any other error. */
  readonly failed?: RefusalCode | 'unexpected';
}

/** As with introspections: ask `hasSubscribers` first, and what a subscriber throws ends the process, not the request. */
export const jwtVerifications = channel(JWT_VERIFICATION_CHANNEL);

/** Known once it is over. */
type Outcome = () => JwtVerificationMessage['outcome'];

/** Publishes how `claims` were had, at once or when they are here, and gives them back; as `publishIntrospection()`. */
export function publishJwtVerification<T extends object>(
  issuer: string,
  outcome: Outcome,
  claims: T | Promise<T>,
  clock: Clock,
  startMs: number,
): T | Promise<T> {
  if (claims instanceof Promise) return publishOnceVerified(issuer, outcome, claims, clock, startMs);
  publish(issuer, outcome(), clock.monotonicMs() - startMs, { valid: true });
  return claims;
}

async function publishOnceVerified<T>(
  issuer: string,
  outcome: Outcome,
  verifying: Promise<T>,
  clock: Clock,
  startMs: number,
): Promise<T> {
  try {
    const claims = await verifying;
    publish(issuer, outcome(), clock.monotonicMs() - startMs, { valid: true });
    return claims;
  } catch (error) {
    publish(issuer, outcome(), clock.monotonicMs() - startMs, endOf(error));
    throw error;
  }
}

function endOf(error: unknown): Pick<JwtVerificationMessage, 'valid' | 'failed'> {
  if (error instanceof BearerError) return { valid: false };
  return { failed: error instanceof KeycloakException ? error.code : 'unexpected' };
}

function publish(
  issuer: string,
  outcome: JwtVerificationMessage['outcome'],
  durationMs: number,
  end: Pick<JwtVerificationMessage, 'valid' | 'failed'>,
): void {
  const message: JwtVerificationMessage = { issuer, outcome, ...end, durationMs };
  jwtVerifications.publish(Object.freeze(message));
}
