import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../caching/clock.js';
import { BearerError } from '../protocol/bearer-error.js';
import { KeycloakException, type RefusalCode } from '../protocol/keycloak-exception.js';

/** The channel name for `diagnostics_channel.subscribe()`; each message is a `JwtVerificationMessage`. */
export const JWT_VERIFICATION_CHANNEL = 'nestjs-keycloak-s2s:jwt-verification';

/**
 * Reports a signature check of a caller's token in the request's async context. The message is frozen, and contains no
 * token, hash, key or claim.
 */
export interface JwtVerificationMessage {
  /** The configured issuer that the token names. */
  readonly issuer: string;
  /**
   * The source of the result: this request (`verified`), a concurrent request (`joined`) or an earlier request
   * (`cached`).
   */
  readonly outcome: 'verified' | 'joined' | 'cached';
  /** Whether the signature is valid; absent if the check failed. The claims are not verified yet. */
  readonly valid?: boolean;
  /** The duration of the check, including the wait for keys. */
  readonly durationMs: number;
  /** The library's error code of a failed check, or `unexpected` for other errors. */
  readonly failed?: RefusalCode | 'unexpected';
}

export const jwtVerifications = channel(JWT_VERIFICATION_CHANNEL);

type Outcome = () => JwtVerificationMessage['outcome'];

/** The request itself must call this function, because a shared call runs in the async context of one request only. */
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
