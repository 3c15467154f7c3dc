import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuthorizationServerError } from 'nestjs-keycloak-s2s';
import type { OpenIdProvider } from './openid-provider.js';
import { SessionStoreError } from './session-store-error.js';
import type { SessionStore } from './session-store.js';
import type { UserSession } from './user-session.js';

/** An access token with less time left could expire during a run of the chain. */
const MIN_REMAINING_LIFETIME_MS = 10_000;

/** A refresh, including the requests for Keycloak's keys, takes at most this time. */
const MAX_REFRESH_MS = 15_000;
const LOOK_AGAIN_MS = 50;

/** A store update is retried for these times, before and after the service sends the refresh token. */
const INSIST_BEFORE_MS = 3000;
const INSIST_AFTER_MS = 30_000;
const ATTEMPT_AGAIN_MS = 300;
const MAX_SETTLING_MS = 5000;

/** After these failures, the refresh token is still unused, since Keycloak did not process the request. */
const NOT_PROCESSED =
  /^(queue_full|circuit_open|client_credential_unreadable|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|proxy_.*|certificate_refused|INVALID_CA|(CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS)_.*|answered_(429|503)_.*)$/;

const NOT_SENT = { refreshSentAtMs: undefined, refreshId: undefined };

type Provider = Pick<OpenIdProvider, 'ready' | 'refresh'>;

/**
 * With `revokeRefreshToken`, Keycloak ends a session whose refresh token is sent twice. A replica therefore marks the
 * session first, and other replicas wait for the new tokens. With a shared store, no replica resends a refresh token
 * that may be used up: the session ends when the access token expires.
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
    // Loads the metadata before the session is marked, so that a failure leaves no mark of a refresh.
    if (this.store.isShared) await this.provider.ready();
    const refreshId = randomBytes(9).toString('base64url');
    for (;;) {
      let isMine = false;
      const session = await this.#insist(INSIST_BEFORE_MS, key, (found) => {
        // An earlier update may have succeeded although the store's answer was lost.
        const wasMine = found.refreshId === refreshId;
        isMine = wasMine || (this.#isStale(found) && found.refreshSentAtMs === undefined);
        if (wasMine) return found;
        const refreshSentAtMs = this.store.clock.nowMs();
        if (isMine) return { ...found, generation: found.generation + 1, refreshSentAtMs, refreshId };
        return this.#isLost(found) ? undefined : found;
      });
      if (session === undefined || isMine) return session && this.#send(key, session);
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
      await conclude((found) => ({ ...found, ...(mayBeSentAgain ? NOT_SENT : { refreshSentAtMs: 0 }) }));
      throw error;
    }
  }

  /** Retries while the store is unavailable, since a failed update would lose the new tokens. */
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

  /** Until its access token expires, such a session is used, and each use verifies the access token. */
  #isLost(session: UserSession): boolean {
    return session.tokens.expiresAtMs <= this.store.clock.nowMs() && this.#hasNoAnswer(session);
  }
}

/** A refusal other than `invalid_grant` does not use up the refresh token. */
const wasNotUsed = (error: unknown): boolean =>
  error instanceof AuthorizationServerError &&
  (error.code === 'authorization_server_refused' || NOT_PROCESSED.test(error.reason));
