import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuthorizationServerError, BearerError, type VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { SIGNAL_CHANNEL, type SignalMessage } from 'nestjs-keycloak-s2s/diagnostics';
import { tokenInWords, type AttackAnswer, type KnownToken } from 'demo';
import type { AttackTools } from '../attacks/attack-tools.js';
import { storyOf, type ReceivedSignal, type WatchStory } from './watch-story.js';
import { WatchedToken } from './watched-token.js';

/** The page never shows `accessToken`, the access token of the session. */
export interface WatchedSession {
  readonly username: string;
  readonly caller: VerifiedAccessToken;
  readonly accessToken: string;
}

export type WatchTools = Pick<AttackTools, 'verifier' | 'knownTokens'>;

const EVERY_MS = 200;

/** The watch continues for this time after the last refusal, because the signal may arrive later. */
const LINGER_MS = 3500;

const MAX_RECEIVED = 20;

export class SessionWatch {
  readonly #tokens: WatchedToken[];
  readonly #received: ReceivedSignal[] = [];

  constructor(
    private readonly session: WatchedSession,
    private readonly tools: WatchTools,
    private readonly tell: (story: WatchStory) => void,
  ) {
    this.#tokens = [new WatchedToken(this.#atA(), { everyMs: EVERY_MS })];
  }

  async run(signal: AbortSignal): Promise<void> {
    const listener = (message: unknown): void => this.#receive(message as SignalMessage);
    subscribe(SIGNAL_CHANNEL, listener);
    try {
      this.#tellAnew();
      await Promise.all([this.#watch(this.#tokens[0], signal), this.#watchOthers(signal)]);
      await sleep(LINGER_MS, undefined, { signal, ref: false }).catch(() => undefined);
    } finally {
      unsubscribe(SIGNAL_CHANNEL, listener);
    }
  }

  /** Watches nothing for a user who may not use Service B, since this user has no tokens for other services. */
  async #watchOthers(signal: AbortSignal): Promise<void> {
    const { knownTokens } = this.tools;
    const { caller } = this.session;
    const atC = () => knownTokens.atC(caller);
    // Gets separate tokens, so that the user's first run of the chain still calls Keycloak.
    const found = await Promise.allSettled([knownTokens.atB(caller, 'attacks.replay'), atC()]);
    const others = found.flatMap((one, at) => {
      if (one.status === 'rejected') return [];
      return new WatchedToken(one.value, { everyMs: EVERY_MS, ...(at === 0 ? {} : { renew: atC }) });
    });
    this.#tokens.push(...others);
    await Promise.all(others.map((token) => this.#watch(token, signal)));
  }

  #watch(token: WatchedToken | undefined, signal: AbortSignal): Promise<void> | undefined {
    return token?.run(signal, () => this.#tellAnew());
  }

  #atA(): KnownToken {
    const { accessToken } = this.session;
    const { verifier } = this.tools;
    const { expiresAt } = tokenInWords(accessToken);
    return {
      service: 'Service A',
      expiresAt,
      present: () => verifier.verify(accessToken).then(() => ACCEPTED, refusal),
    };
  }

  #receive({ issuer, occurredAtMs }: SignalMessage): void {
    if (occurredAtMs === undefined || issuer !== this.session.caller.issuer) return;
    this.#received.push({ receivedAtMs: Date.now(), occurredAtMs });
    if (this.#received.length > MAX_RECEIVED) this.#received.shift();
    this.#tellAnew();
  }

  #tellAnew(): void {
    this.tell(storyOf(this.#tokens, this.#received));
  }
}

const ACCEPTED: AttackAnswer = { status: 200 };

function refusal(error: unknown): AttackAnswer {
  if (error instanceof BearerError || error instanceof AuthorizationServerError)
    return { status: error.httpStatus, code: error.code };
  throw error;
}
