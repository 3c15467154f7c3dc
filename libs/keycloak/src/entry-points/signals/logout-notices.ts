import { setTimeout as sleep } from 'node:timers/promises';
import { AuthorizationServerError, type RevocationList } from '../../index.js';
import { RepeatedLines } from '../diagnostics/index.js';
import { unverifiedClaims, type ComponentLog } from '../ports/signals.js';
import { LogoutTokenError, type LogoutClaims } from './logout-claims.js';
import type { BackchannelLogoutListener } from './logout-listener.js';
import type { LogoutTokens } from './logout-tokens.js';
import type { RepeatedRechecks } from './repeated-rechecks.js';

export interface IssuerNotices {
  readonly issuer: string;
  readonly tokens: Pick<LogoutTokens, 'check' | 'release'>;
  readonly rechecks: Pick<RepeatedRechecks, 'require' | 'stop'>;
}

export type NoticeOutcome =
  { readonly kind: 'taken' | 'refused' } | { readonly kind: 'unavailable'; readonly retryAfterSeconds: number };

const RETRY_AFTER_SECONDS = 5;

/** Keycloak waits five seconds for the response, so the service must report an incomplete logout earlier. */
const LISTENER_MS = 4000;

export class LogoutNotices {
  readonly #repeated = new RepeatedLines();

  constructor(
    private readonly issuers: readonly IssuerNotices[],
    private readonly revocations: Pick<RevocationList, 'deny'>,
    private readonly listener: BackchannelLogoutListener,
    private readonly maxTokenBytes: number,
    private readonly log: ComponentLog,
    private readonly listenerMs = LISTENER_MS,
  ) {}

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

  onApplicationShutdown(): void {
    for (const { rechecks } of this.issuers) rechecks.stop();
    this.#repeated.end();
  }

  /** Anybody can send notices, so repeated log lines are only counted. */
  #say(level: 'warn' | 'error', words: string, fields: Readonly<Record<string, string>>): void {
    const summarize = (unwritten: object): void =>
      this.log[level](`${words} (similar lines were left out)`, { ...fields, ...unwritten });
    if (this.#repeated.admits(JSON.stringify([words, fields]), summarize)) this.log[level](words, fields);
  }

  #textOf(token: unknown): string {
    if (typeof token !== 'string' || token === '') throw new LogoutTokenError('logout_token_missing');
    if (token.length > this.maxTokenBytes) throw new LogoutTokenError('token_too_long');
    return token;
  }

  /** The unverified `iss` names the issuer whose keys must then verify the token. */
  #issuerOf(text: string): IssuerNotices {
    const { iss } = unverifiedClaims(text);
    const named = this.issuers.find(({ issuer }) => issuer === iss);
    if (named === undefined) throw new LogoutTokenError('other_issuer');
    return named;
  }

  async #end({ tokens }: IssuerNotices, { tokenId, endsOffline, ...logout }: LogoutClaims): Promise<NoticeOutcome> {
    const { issuer, sessionId: sid, subject: sub } = logout;
    // Deny first: Keycloak still reports the tokens as active while it sends the logout notice.
    this.#deny({ ...logout, endsOffline });
    try {
      await this.#inTime(() => this.listener.ended(logout));
    } catch (error) {
      tokens.release(tokenId);
      const reason = nameOf(error);
      this.log.error('A session ended, but the listener of this application failed', { issuer, sid, sub, reason });
      return { kind: 'unavailable', retryAfterSeconds: RETRY_AFTER_SECONDS };
    }
    this.log.log('Session ended', { audit: 'session_ended', issuer, sid, sub });
    return { kind: 'taken' };
  }

  /** Uses the issuer's clock, because this machine's clock may be behind. */
  #deny({ issuer, sessionId, subject, issuedAt, endsOffline }: Omit<LogoutClaims, 'tokenId'>): void {
    const except = endsOffline ? {} : { exceptOffline: true as const };
    if (sessionId !== undefined) this.revocations.deny({ issuer, sid: sessionId, ...except });
    // Also denies the tokens issued in the same second as the notice, since token times are whole seconds.
    else if (subject !== undefined) this.revocations.deny({ issuer, sub: subject, issuedBefore: issuedAt + 1 });
  }

  /** An unverified notice is not trusted, so tokens are rechecked instead of denied. */
  async #unverified({ issuer, rechecks }: IssuerNotices, error: unknown): Promise<NoticeOutcome> {
    if (error instanceof LogoutTokenError) throw error;
    const { reason, retryAfterSeconds = RETRY_AFTER_SECONDS } =
      error instanceof AuthorizationServerError ? error : { reason: nameOf(error) };
    const words = 'Logout token not verified. The service asks its issuer about every token again';
    this.#say('error', words, { issuer, reason });
    rechecks.require();
    try {
      await this.#inTime(() => this.listener.unverified?.());
    } catch (failure) {
      this.#say('error', 'The listener of this application failed', { issuer, reason: nameOf(failure) });
    }
    return { kind: 'unavailable', retryAfterSeconds };
  }

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

/** An error's message may contain any text, so only the error's name is logged. */
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');
