/** Signal feed: asks its sources again and again, denies and rechecks what they say, and proves that it does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal, type Clock, type ComponentLog, type ComposedIssuer, type RevocationList } from '../ports/signals.js';
import { SignalSourceError, type ConnectedSignalSource, type Signals, type SignalSource } from './signal-source.js';

export interface SignalFeedOptions {
  readonly sources: readonly SignalSource[];
  /** From the beginning of one poll to that of the next. */
  readonly pollMs: number;
}

type FollowedIssuer = Pick<
  ComposedIssuer,
  'options' | 'signals' | 'signalFetch' | 'tokenEndpoint' | 'clock' | 'clockSkew' | 'loggers'
>;

const MAX_PROOF_EVERY_MS = 5000;
const MIN_PROOF_EVERY_MS = 500;

/** What a server may be ahead of this service. */
const MAX_AHEAD_SECONDS = 60;

/** After failures, from one poll to the next at most. */
const LONGEST_PAUSE_MS = 5000;

interface Followed {
  readonly name: string;
  readonly source: ConnectedSignalSource;
  /** The start of the last poll by which it was proven that it tells all. */
  provenAtMs: number;
  /** The start of the last poll that had an answer. */
  readUntilMs: number | undefined;
  failures: number;
  /** What the log has it as. */
  isHeard: boolean | undefined;
}

/**
 * It opens nothing: what a source says is refused or asked about once more, and a source that says nothing for a while has answers serve no longer than without it. All sources must be proven for that they serve longer.
 */
export class SignalFeed {
  readonly #clock: Clock;
  readonly #log: ComponentLog;
  readonly #followed: readonly Followed[];
  readonly #closing = new AbortController();
  #running: Promise<unknown> | undefined;
  /** When something may have been missed last: only polls that began later prove anything. */
  #gapMs = -Infinity;

  constructor(
    private readonly at: FollowedIssuer,
    private readonly revocations: Pick<RevocationList, 'deny' | 'recheck'>,
    private readonly options: SignalFeedOptions,
  ) {
    const { clock, clockSkew, tokenEndpoint } = at;
    const { issuer, realmUrl, clientId, introspectionTtlSeconds } = at.options;
    this.#clock = clock;
    this.#log = at.loggers('Signals');
    const { fetch } = at.signalFetch();
    const login = (scope = '') => tokenEndpoint.clientCredentials(scope);
    const serverSeconds = () => clock.epochSeconds() - (clockSkew.measured?.aheadSeconds ?? 0);
    const half = (introspectionTtlSeconds * 1000) / 2;
    const proofEveryMs = Math.max(MIN_PROOF_EVERY_MS, Math.min(MAX_PROOF_EVERY_MS, half));
    this.#followed = options.sources.map((source) => ({
      name: source.name,
      source: source.connect({ issuer, realmUrl, clientId, fetch, login, clock, serverSeconds, proofEveryMs }),
      provenAtMs: -Infinity,
      readUntilMs: undefined,
      failures: 0,
      isHeard: undefined,
    }));
  }

  /** Begins to ask. Throws `Error` where another feed does already: a gap in one must not be covered by the other's proof. */
  start(): void {
    if (this.at.signals.isFollowed)
      throw new Error('A signal feed runs already: import SignalsModule once, with all sources');
    this.at.signals.follow();
    this.#running = Promise.all(this.#followed.map((one) => this.#follow(one)));
  }

  /** Ends when the polls that are under way have ended. Does not reject. */
  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #follow(one: Followed): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const beganMs = this.#clock.monotonicMs();
      await this.#poll(one, beganMs);
      const pauseMs = Math.min(LONGEST_PAUSE_MS, this.options.pollMs * 2 ** Math.min(one.failures, 8));
      const untilMs = beganMs + (one.failures === 0 ? this.options.pollMs : pauseMs * (0.5 + Math.random() / 2));
      await this.#pause(Math.max(0, untilMs - this.#clock.monotonicMs()));
    }
  }

  async #poll(one: Followed, beganMs: number): Promise<void> {
    let signals: Signals;
    try {
      signals = await one.source.poll(beganMs - (one.readUntilMs ?? beganMs));
    } catch (error) {
      this.#fail(one, error);
      return;
    }
    one.readUntilMs = beganMs;
    this.#apply(signals);
    if (!signals.isWhole) this.#interrupt(one);
    if (signals.fault !== undefined) {
      this.#fail(one, signals.fault);
      return;
    }
    one.failures = 0;
    if (signals.isWhole && signals.isProven) this.#prove(one, beganMs);
  }

  #apply({ denials, rechecks }: Signals): void {
    const { issuer } = this.at.options;
    // A time in the future would keep the user out until then.
    const latest = Math.ceil(this.#clock.epochSeconds()) + MAX_AHEAD_SECONDS;
    for (const denial of denials) {
      const until = 'sub' in denial ? { issuedBefore: Math.min(denial.issuedBefore, latest) } : {};
      this.revocations.deny({ issuer, ...denial, ...until });
    }
    for (const recheck of rechecks) {
      this.revocations.recheck(recheck === 'everything' ? { issuer } : { issuer, ...recheck });
    }
  }

  #prove(one: Followed, beganMs: number): void {
    one.provenAtMs = beganMs;
    if (one.isHeard !== true) this.#log.log('Revocations are heard of', { source: one.name });
    one.isHeard = true;
    const provenUntilMs = Math.min(...this.#followed.map(({ provenAtMs }) => provenAtMs));
    if (provenUntilMs > this.#gapMs) this.at.signals.prove(provenUntilMs);
  }

  #interrupt(one: Followed): void {
    this.#gapMs = this.#clock.monotonicMs();
    this.#log.warn('There was more than is read at once: answers are asked for anew', { source: one.name });
    this.at.signals.interrupt();
  }

  #fail(one: Followed, error: unknown): void {
    one.failures += 1;
    // One poll that fails is made good by the next.
    if (one.isHeard === false || (one.failures === 1 && isPassing(error))) return;
    one.isHeard = false;
    const words = 'Revocations are not heard of: answers serve for introspectionTtlSeconds, as without a feed';
    this.#log.error(words, { source: one.name, ...reasonOf(error) });
  }

  /** Ends early when the application ends. */
  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined);
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof Refusal && error.code === 'authorization_server_unavailable';

function reasonOf(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof SignalSourceError) return { reason: error.reason, hint: error.hint };
  if (error instanceof Refusal) return { reason: error.reason, ...error.fields };
  // The text of any other error may be anybody's.
  return { reason: 'unexpected', name: error instanceof Error ? error.name : typeof error };
}
