import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuthorizationServerError } from 'nestjs-keycloak-s2s';
import type { OpenIdProvider } from './openid-provider.js';
import { SessionStoreError } from './session-store-error.js';
import type { SessionStore } from './session-store.js';
import type { UserSession } from './user-session.js';

/** An access token with less remaining lifetime is refreshed, so that it does not expire during a run of the chain. */
const MIN_REMAINING_LIFETIME_MS = 10_000;

/** Longer than the calls of a refresh take, including the calls for Keycloak's keys. */
const MAX_REFRESH_MS = 15_000;
const LOOK_AGAIN_MS = 50;

/** How long a store update is retried after a lost answer, before and after the refresh token is sent. */
const INSIST_BEFORE_MS = 3000;
const INSIST_AFTER_MS = 30_000;
const ATTEMPT_AGAIN_MS = 300;
const MAX_SETTLING_MS = 5000;

/** Failures after which the refresh token is unused: Keycloak did not receive the token, or refused to process it. */
const NOT_USED =
  /^(queue_full|circuit_open|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|answered_(429|503)_.*)$/;

const NOT_SENT = { refreshSentAtMs: undefined, refreshId: undefined };

type Provider = Pick<OpenIdProvider, 'ready' | 'refresh'>;

/**
 * With `revokeRefreshToken`, a realm accepts each refresh token once, and ends the session if the token is sent again.
 * A replica therefore first records in the session that it sends the token. Only one replica succeeds, and the other
 * replicas wait for its answer. In a shared store, a token that may have been used is not sent again, and the session
 * ends when its access token expires.
 */
export class SessionRefreshes {
  readonly #inFlight = new Map<string, Promise<UserSession | undefined>>();

  constructor(
    private readonly store: SessionStore,
    private readonly provider: Provider,
  ) {}

  async freshened(key: string, session: UserSession): Promise<UserSession | undefined> {
    if (!this.#isStale(session)) return session;
    const inFlight = this.#inFlight.get(key);
    if (inFlight === undefined) return this.#start(key);
    const refreshed = await inFlight;
    // A refresh that started before the recheck was required does not count as a recheck.
    return refreshed !== undefined && this.#needsRecheck(refreshed) ? this.freshened(key, refreshed) : refreshed;
  }

  async settled(): Promise<void> {
    const ended = new AbortController();
    const all = Promise.allSettled(this.#inFlight.values()).finally(() => ended.abort());
    await Promise.race([
      all,
      sleep(MAX_SETTLING_MS, undefined, { signal: ended.signal, ref: false }).catch(() => undefined),
    ]);
  }

  #start(key: string): Promise<UserSession | undefined> {
    const refresh = this.#refresh(key).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, refresh);
    return refresh;
  }

  async #refresh(key: string): Promise<UserSession | undefined> {
    // Runs before the record in the session, so that a failure leaves no record.
    if (this.store.isShared) await this.provider.ready();
    const refreshId = randomBytes(9).toString('base64url');
    for (;;) {
      let isMine = false;
      const session = await this.#insist(INSIST_BEFORE_MS, key, (found) => {
        // An earlier attempt may have succeeded although its answer was lost.
        const wasMine = found.refreshId === refreshId;
        isMine = wasMine || (this.#isStale(found) && found.refreshSentAtMs === undefined);
        if (wasMine) return found;
        const refreshSentAtMs = this.store.clock.nowMs();
        if (isMine) return { ...found, generation: found.generation + 1, refreshSentAtMs, refreshId };
        return this.#isLost(found) ? undefined : found;
      });
      if (session === undefined || isMine) return session && this.#send(key, session);
      // Another refresh has completed, or will get no answer.
      if (!this.#isStale(session) || this.#hasNoAnswer(session)) return session;
      await sleep(LOOK_AGAIN_MS);
    }
  }

  async #send(key: string, { tokens, subject, generation }: UserSession): Promise<UserSession | undefined> {
    const conclude = (change: (session: UserSession) => UserSession | undefined) =>
      this.#insist(INSIST_AFTER_MS, key, (found) => (found.generation === generation ? change(found) : found));
    const { clock } = this.store;
    try {
      const answer = await this.provider.refresh(tokens, subject);
      if ('refused' in answer) return await conclude(() => undefined);
      const refreshed = answer.tokens.withTimes((ms) => clock.fromMonotonicMs(ms));
      return await conclude((found) => ({ ...found, tokens: refreshed, ...NOT_SENT }));
    } catch (error) {
      const mayBeSentAgain = !this.store.isShared || wasNotUsed(error);
      // 0 tells the other replicas not to wait for an answer.
      await conclude((found) => ({ ...found, ...(mayBeSentAgain ? NOT_SENT : { refreshSentAtMs: 0 }) }));
      throw error;
    }
  }

  /** The new tokens exist nowhere else, so a store that is unavailable for a moment must not lose them. */
  async #insist(
    forMs: number,
    key: string,
    change: (session: UserSession) => UserSession | undefined,
  ): Promise<UserSession | undefined> {
    for (const endMs = performance.now() + forMs; ; await sleep(ATTEMPT_AGAIN_MS)) {
      try {
        return await this.store.update(key, change);
      } catch (error) {
        if (!(error instanceof SessionStoreError) || error.reason === 'closed' || performance.now() > endMs)
          throw error;
      }
    }
  }

  #isStale({ tokens }: UserSession): boolean {
    const leftMs = tokens.expiresAtMs - this.store.clock.nowMs();
    return leftMs <= MIN_REMAINING_LIFETIME_MS || this.#needsRecheck({ tokens });
  }

  #needsRecheck({ tokens }: Pick<UserSession, 'tokens'>): boolean {
    return this.store.needsRecheck(tokens.askedAtMs);
  }

  #hasNoAnswer({ refreshSentAtMs }: UserSession): boolean {
    return refreshSentAtMs !== undefined && this.store.clock.nowMs() - refreshSentAtMs > MAX_REFRESH_MS;
  }

  /** The refresh token may be used up, and the access token is no longer valid. */
  #isLost(session: UserSession): boolean {
    const isOver = session.tokens.expiresAtMs <= this.store.clock.nowMs() || this.#needsRecheck(session);
    return isOver && this.#hasNoAnswer(session);
  }
}

const wasNotUsed = (error: unknown): boolean =>
  error instanceof AuthorizationServerError && NOT_USED.test(error.reason);
