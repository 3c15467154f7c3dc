/** LogoutNotices: what follows from a logout notice, or from one that can't be verified. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AuthorizationServerError, type RevocationList } from '../../index.js';
import { RepeatedLines } from '../diagnostics/index.js';
import { unverifiedClaims, type ComponentLog } from '../ports/signals.js';
import { LogoutTokenError, type LogoutClaims } from './logout-claims.js';
import type { BackchannelLogoutListener } from './logout-listener.js';
import type { LogoutTokens } from './logout-tokens.js';
import type { RepeatedRechecks } from './repeated-rechecks.js';

/** What is of one issuer. */
export interface IssuerNotices {
  readonly issuer: string;
  readonly tokens: Pick<LogoutTokens, 'check' | 'release'>;
  readonly rechecks: Pick<RepeatedRechecks, 'require' | 'stop'>;
}

/** `refused`: the sender's fault. `unavailable`: the keys of the issuer, or the listener, `retryAfterSeconds` from now at best. */
export type NoticeOutcome =
  { readonly kind: 'taken' | 'refused' } | { readonly kind: 'unavailable'; readonly retryAfterSeconds: number };

const RETRY_AFTER_SECONDS = 5;

/** Keycloak waits for five seconds; then it does not learn any more that something was left undone. */
const LISTENER_MS = 4000;

/** A notice is the signed word of an issuer that a session has ended, so nothing but its signature has to be shown. */
export class LogoutNotices {
  readonly #repeated = new RepeatedLines();

  constructor(
    private readonly issuers: readonly IssuerNotices[],
    private readonly revocations: Pick<RevocationList, 'deny'>,
    private readonly listener: BackchannelLogoutListener,
    /** A longer token is refused unread. */
    private readonly maxTokenBytes: number,
    private readonly log: ComponentLog,
    /** A listener that takes longer goes on by itself: nobody waits for it. */
    private readonly listenerMs = LISTENER_MS,
  ) {}

  /** `token`: what stands for `logout_token` in the form, which may be anything. */
  async take(token: unknown): Promise<NoticeOutcome> {
    try {
      const text = this.#textOf(token);
      const named = this.#issuerOf(text);
      return await named.tokens.check(text).then(
        async (claims) => this.#end(named, claims),
        async (error: unknown) => this.#unverified(named, error),
      );
    } catch (error) {
      if (!(error instanceof LogoutTokenError)) throw error;
      this.#say('warn', 'Logout token refused', { reason: error.reason });
      return { kind: 'refused' };
    }
  }

  /** Nest calls it. */
  onApplicationShutdown(): void {
    for (const { rechecks } of this.issuers) rechecks.stop();
    this.#repeated.end();
  }

  /** Anybody may send notices: of those with the same fate some are written, and the others are counted. */
  #say(level: 'warn' | 'error', words: string, fields: Readonly<Record<string, string>>): void {
    const summarize = (unwritten: object): void =>
      this.log[level](`${words}, as were others`, { ...fields, ...unwritten });
    if (this.#repeated.admits(JSON.stringify([words, fields]), summarize)) this.log[level](words, fields);
  }

  #textOf(token: unknown): string {
    if (typeof token !== 'string' || token === '') throw new LogoutTokenError('logout_token_missing');
    if (token.length > this.maxTokenBytes) throw new LogoutTokenError('token_too_long');
    return token;
  }

  /** Whom it names proves nothing: it is verified by the keys of that one, and must be for this service's client there. */
  #issuerOf(text: string): IssuerNotices {
    const { iss } = unverifiedClaims(text);
    const named = this.issuers.find(({ issuer }) => issuer === iss);
    if (named === undefined) throw new LogoutTokenError('other_issuer');
    return named;
  }

  async #end({ tokens }: IssuerNotices, { tokenId, endsOffline, ...logout }: LogoutClaims): Promise<NoticeOutcome> {
    const { issuer, sessionId: sid, subject: sub } = logout;
    // This comes first: while Keycloak sends the notice, it still reports the session's tokens as active.
    this.#deny({ ...logout, endsOffline });
    try {
      await this.#inTime(() => this.listener.ended(logout));
    } catch (error) {
      tokens.release(tokenId);
      const reason = nameOf(error);
      this.log.error('A session has ended, and the listener of this application failed', { issuer, sid, sub, reason });
      return { kind: 'unavailable', retryAfterSeconds: RETRY_AFTER_SECONDS };
    }
    this.log.log('Session ended', { audit: 'session_ended', issuer, sid, sub });
    return { kind: 'taken' };
  }

  /** Denies the tokens of the session; for a whole user, those that were issued until then. By the clock of the issuer: this one's may be behind. */
  #deny({ issuer, sessionId, subject, issuedAt, endsOffline }: Omit<LogoutClaims, 'tokenId'>): void {
    const except = endsOffline ? {} : { exceptOffline: true as const };
    if (sessionId !== undefined) this.revocations.deny({ issuer, sid: sessionId, ...except });
    // Tokens carry whole seconds: those of the notice's own second are among them.
    else if (subject !== undefined) this.revocations.deny({ issuer, sub: subject, issuedBefore: issuedAt + 1 });
  }

  /** It comes once, and could be about any session of the issuer: nothing of it is believed, and the issuer is asked about all. */
  async #unverified({ issuer, rechecks }: IssuerNotices, error: unknown): Promise<NoticeOutcome> {
    if (error instanceof LogoutTokenError) throw error;
    const { reason, retryAfterSeconds = RETRY_AFTER_SECONDS } =
      error instanceof AuthorizationServerError ? error : { reason: nameOf(error) };
    const words = 'Logout token not verified: its issuer will be asked about every token again';
    this.#say('error', words, { issuer, reason });
    rechecks.require();
    try {
      await this.#inTime(() => this.listener.unverified?.());
    } catch (failure) {
      this.#say('error', 'The listener of this application failed', { issuer, reason: nameOf(failure) });
    }
    return { kind: 'unavailable', retryAfterSeconds };
  }

  /** Throws what the listener throws, or that it took too long. */
  async #inTime(listen: () => Promise<void> | undefined): Promise<void> {
    const waiting = new AbortController();
    const late = sleep(this.listenerMs, undefined, { signal: waiting.signal, ref: false }).then(() => {
      throw new ListenerTimeout();
    });
    try {
      await Promise.race([listen(), late]);
    } finally {
      waiting.abort();
      late.catch(() => undefined);
    }
  }
}

class ListenerTimeout extends Error {
  override readonly name = 'timeout';
}

/** Its message may be about anything; its name is one that somebody chose for a class. */
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');
