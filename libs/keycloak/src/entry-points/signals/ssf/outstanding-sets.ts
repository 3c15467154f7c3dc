/** OutstandingSets: acknowledges a stream's event tokens late, so that several replicas see them (RFC 8936 §2). */
import { DeadlineCache, KeycloakException, type Clock } from '../../ports/signals.js';
import { SignalSourceError } from '../signal-source.js';
import { isObject, unexpected, type JsonObject } from './transmitter-answers.js';
import type { TransmitterClient } from './transmitter-client.js';

/** The time after which a token is acknowledged, so that a replica that polls twice in this time sees each token. */
const ACKNOWLEDGE_AFTER_MS = 30_000;

/** During a longer pause between polls, other replicas may acknowledge tokens that this replica did not see. */
export const MAX_GAP_MS = ACKNOWLEDGE_AFTER_MS / 2;

/**
 * The age at which an event token is acknowledged at once. If a replica still lacks such a token, the page that it read
 * was truncated.
 */
const OLD_SECONDS = 600;

/** Keycloak returns at most a thousand tokens of about a kilobyte, and a response may have at most one megabyte. */
const MAX_EVENTS = 800;
const MAX_READ = 2000;
const MAX_PAGES = 10;

/** Keycloak briefly omits tokens from a response while another poll holds these tokens. */
const MAX_AGAIN = 2;

/** If a token is missing for three seconds, another receiver has acknowledged it: polls hold tokens only briefly. */
const TAKEN_AFTER_MS = 3000;

const MAX_KNOWN = 20_000;
const REMEMBERED_MS = 600_000;

const MAX_JTI_LENGTH = 1024;

const SHRINKS_BY = 4;

interface Seen {
  readonly firstSeenMs: number;
  /** False if a long pause preceded the first read, because another replica may then acknowledge the token soon. */
  readonly isNew: boolean;
  isDone: boolean;
  isOld: boolean;
}

export interface ReadSets {
  readonly sets: ReadonlyMap<string, unknown>;
  readonly isCutOff: boolean;
  /** True if expected tokens are missing. Then unknown tokens may be missing too. */
  readonly isShort: boolean;
  /** True if tokens are missing for so long that another receiver or a replaced stream must be the cause. */
  readonly isTakenByOthers: boolean;
}

export class OutstandingSets {
  readonly #seen: DeadlineCache<Seen>;
  #readAtMs = -Infinity;
  #shown: readonly string[] = [];
  #missing: ReadonlyMap<string, number> = new Map();
  #maxEvents = MAX_EVENTS;

  constructor(
    private readonly client: Pick<TransmitterClient, 'post'>,
    private readonly clock: Clock,
    /** A trial acknowledges no tokens, because the running service still has to read them. */
    private readonly isTrial: boolean,
  ) {
    this.#seen = new DeadlineCache(MAX_KNOWN, clock);
  }

  async read(url: string, beganMs: number): Promise<ReadSets> {
    const due = this.#shown.filter((jti) => this.#isDue(jti, beganMs)).slice(0, MAX_EVENTS);
    const awaited = new Set([
      ...this.#shown.filter((jti) => this.#mustComeAgain(jti, beganMs)),
      ...this.#missing.keys(),
    ]);
    const { sets, isCutOff } = await this.#readPages(url, due, awaited);
    this.#note(sets, beganMs);
    const missing = isCutOff ? [] : [...awaited].filter((jti) => !sets.has(jti));
    const sinceMs = (jti: string): number => this.#missing.get(jti) ?? beganMs;
    const isTaken = (jti: string): boolean => beganMs - sinceMs(jti) >= TAKEN_AFTER_MS;
    const isTakenByOthers = missing.some(isTaken);
    this.#missing = new Map(missing.filter((jti) => !isTaken(jti)).map((jti) => [jti, sinceMs(jti)]));
    return { sets, isCutOff, isShort: missing.length > 0, isTakenByOthers };
  }

  /** Forgets the expected tokens, because the stream may have been replaced. */
  startAnew(): void {
    this.#readAtMs = -Infinity;
    this.#shown = [];
    this.#missing = new Map();
  }

  isDone(jti: string): boolean {
    return this.#seen.get(jti)?.isDone === true;
  }

  ageMs(jti: string, nowMs: number): number {
    return nowMs - (this.#seen.get(jti)?.firstSeenMs ?? nowMs);
  }

  done(jti: string, ageSeconds = 0): void {
    const seen = this.#seen.get(jti);
    if (seen === undefined) return;
    seen.isDone = true;
    seen.isOld = ageSeconds > OLD_SECONDS;
  }

  async #readPages(
    url: string,
    due: readonly string[],
    awaited: ReadonlySet<string>,
  ): Promise<{ readonly sets: Map<string, unknown>; readonly isCutOff: boolean }> {
    const sets = new Map<string, unknown>();
    let again = 0;
    for (let page = 0; page < MAX_PAGES && sets.size < MAX_READ; page += 1) {
      const found = await this.#page(url, page === 0 ? due : []);
      if (found === 'too_large') return { sets, isCutOff: true };
      const before = sets.size;
      for (const [jti, set] of Object.entries(found.sets)) sets.set(jti, set);
      const isLate = [...awaited].some((jti) => !sets.has(jti));
      if (found.isMore) {
        // Unacknowledged tokens come first, so the next page would contain the same tokens.
        if (sets.size === before) return { sets, isCutOff: true };
      } else if (!isLate || again === MAX_AGAIN) {
        this.#maxEvents = Math.min(MAX_EVENTS, this.#maxEvents * SHRINKS_BY);
        return { sets, isCutOff: false };
      } else {
        again += 1;
      }
    }
    return { sets, isCutOff: true };
  }

  async #page(
    url: string,
    due: readonly string[],
  ): Promise<{ readonly sets: JsonObject; readonly isMore: boolean } | 'too_large'> {
    for (let tries = 0; tries < 2; tries += 1) {
      const request = { ack: due, maxEvents: this.#maxEvents, returnImmediately: true };
      const answer = await this.client.post(url, request).catch(tooLarge);
      if (answer !== 'too_large') return pageOf(answer.status, answer.body);
      this.#maxEvents = Math.ceil(this.#maxEvents / SHRINKS_BY);
    }
    return 'too_large';
  }

  #note(sets: ReadonlyMap<string, unknown>, beganMs: number): void {
    const isNew = beganMs - this.#readAtMs <= MAX_GAP_MS;
    for (const jti of sets.keys()) {
      const seen = this.#seen.get(jti) ?? { firstSeenMs: beganMs, isNew, isDone: false, isOld: false };
      this.#seen.set(jti, seen, REMEMBERED_MS);
    }
    this.#shown = [...sets.keys()];
    this.#readAtMs = beganMs;
  }

  #isDue(jti: string, nowMs: number): boolean {
    if (this.isTrial) return false;
    const seen = this.#seen.get(jti);
    return seen?.isDone === true && (seen.isOld || nowMs - seen.firstSeenMs >= ACKNOWLEDGE_AFTER_MS);
  }

  #mustComeAgain(jti: string, nowMs: number): boolean {
    const seen = this.#seen.get(jti);
    return seen?.isDone === true && seen.isNew && !seen.isOld && nowMs - seen.firstSeenMs < MAX_GAP_MS;
  }
}

/** Throws `SignalSourceError`. */
function pageOf(status: number, body: unknown): { readonly sets: JsonObject; readonly isMore: boolean } {
  if (status === 404)
    throw new SignalSourceError('stream_missing', 'The stream no longer exists. The service creates a new one.');
  if (status !== 200)
    throw unexpected(
      `The transmitter answers ${status} when the stream is polled. Check that the stream is for polling.`,
    );
  const { sets = {}, moreAvailable } = Object(body) as JsonObject;
  if (!isObject(body) || !isObject(sets))
    throw unexpected('The transmitter does not answer a poll in the expected format.');
  if (Object.keys(sets).some((jti) => jti.length > MAX_JTI_LENGTH)) throw unexpected('The jti of a token is too long.');
  return { sets, isMore: moreAvailable === true };
}

function tooLarge(error: unknown): 'too_large' {
  if (error instanceof KeycloakException && error.reason === 'answer_too_large') return 'too_large';
  throw error;
}
