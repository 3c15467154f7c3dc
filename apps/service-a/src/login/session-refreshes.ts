/** SessionRefreshes: refreshes the tokens of sessions, each refresh token at one replica and once. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuthorizationServerError } from 'nestjs-keycloak-s2s';
import type { OpenIdProvider } from './openid-provider.js';
import { SessionStoreError } from './session-store-error.js';
import type { SessionStore } from './session-store.js';
import type { UserSession } from './user-session.js';

/** An access token with less remaining lifetime is refreshed, so that it outlives a run of the chain. */
const MIN_REMAINING_LIFETIME_MS = 10_000;

/** A refresh whose answer did not come within this time has none: longer than the calls that it takes, those for Keycloak's keys included. */
const MAX_REFRESH_MS = 15_000;
/** While another replica refreshes, this one looks for the result. */
const LOOK_AGAIN_MS = 50;

/** For how long a change of the store is tried again whose answer was lost, and on which the session depends: before the token is sent, and after. */
const INSIST_BEFORE_MS = 3000;
const INSIST_AFTER_MS = 30_000;
const ATTEMPT_AGAIN_MS = 300;
/** When the service ends. */
const MAX_SETTLING_MS = 5000;

/** Keycloak did not get the refresh token, or says that it did nothing with it. */
const NOT_USED =
  /^(queue_full|circuit_open|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|answered_(429|503)_.*)$/;

const NOT_SENT = { refreshSentAtMs: undefined, refreshId: undefined };

type Provider = Pick<OpenIdProvider, 'ready' | 'refresh'>;

/**
 * A realm may accept each refresh token once, and end the session when it comes again (`revokeRefreshToken`). So a replica first notes in the session that it
 * sends the token, which succeeds at one of them; the others wait for its answer. In a shared store a token that may have been used is not sent again: the session
 * ends when its access token does.
 */
export class SessionRefreshes {
  readonly #inFlight = new Map<string, Promise<UserSession | undefined>>();

  constructor(
    private readonly store: SessionStore,
    private readonly provider: Provider,
  ) {}

  /** The session with tokens that are valid for some time, and were confirmed since the last recheck; undefined when it has ended. */
  async freshened(key: string, session: UserSession): Promise<UserSession | undefined> {
    if (!this.#isStale(session)) return session;
    const inFlight = this.#inFlight.get(key);
    if (inFlight === undefined) return this.#start(key);
    const refreshed = await inFlight;
    // A refresh that started before the recheck was required proves nothing.
    return refreshed !== undefined && this.#needsRecheck(refreshed) ? this.freshened(key, refreshed) : refreshed;
  }

  /** Resolves when those in flight have ended, however, and after some seconds. */
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
    // What can fail before the token is sent comes before it is noted.
    if (this.store.isShared) await this.provider.ready();
    const refreshId = randomBytes(9).toString('base64url');
    for (;;) {
      let isMine = false;
      const session = await this.#insist(INSIST_BEFORE_MS, key, (found) => {
        // The answer to the first attempt may be lost.
        const wasMine = found.refreshId === refreshId;
        isMine = wasMine || (this.#isStale(found) && found.refreshSentAtMs === undefined);
        if (wasMine) return found;
        const refreshSentAtMs = this.store.clock.nowMs();
        if (isMine) return { ...found, generation: found.generation + 1, refreshSentAtMs, refreshId };
        return this.#isLost(found) ? undefined : found;
      });
      if (session === undefined || isMine) return session && this.#send(key, session);
      // Another refresh completed in the meantime, or its answer will not come.
      if (!this.#isStale(session) || this.#hasNoAnswer(session)) return session;
      await sleep(LOOK_AGAIN_MS);
    }
  }

  /** Whatever comes of it is of no account where a newer refresh began meanwhile. */
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
      // Else nobody waits for its answer.
      await conclude((found) => ({ ...found, ...(mayBeSentAgain ? NOT_SENT : { refreshSentAtMs: 0 }) }));
      throw error;
    }
  }

  /** The new tokens are nowhere else, so that a store which is away for a moment must not lose them. */
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

  /** Its refresh token may be used, and its access token serves no more. */
  #isLost(session: UserSession): boolean {
    const isOver = session.tokens.expiresAtMs <= this.store.clock.nowMs() || this.#needsRecheck(session);
    return isOver && this.#hasNoAnswer(session);
  }
}

const wasNotUsed = (error: unknown): boolean =>
  error instanceof AuthorizationServerError && NOT_USED.test(error.reason);
