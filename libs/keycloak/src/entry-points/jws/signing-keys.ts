/** SigningKeys: the keys of one issuer as it published them last, renewed before they are too old, and read anew for a token that names another. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AuthorizationServerError,
  renewAfterMs,
  type Clock,
  type ComponentLog,
  type RenewalWindow,
} from '../ports/published-keys.js';
import { KeySet } from './key-set.js';
import { shownKeyId } from './published-key.js';

/**
 * The least time between the starts of two readings. Anybody can name a key that there is not, so this is how often anybody can make this service ask; and how long the first tokens
 * of a new key may have to wait, if somebody does so at that moment. jose's own 30 seconds would have them refused meanwhile.
 */
const COOL_DOWN_MS = 1000;

/** How often a reading is put off, since another one began meanwhile. */
const MAX_PAUSES = 2;

/** Requests that wait for a reading; more fail at once with 503, since nobody knows yet whether they are junk. */
const MAX_WAITING = 5000;

/** Of the time for which keys serve. */
const RENEWAL: RenewalWindow = { from: 0.5, to: 0.75 };

/** After a renewal that brought nothing. */
const RENEWAL_PAUSE_MS = 10_000;

export interface SigningKeysOptions {
  /** For how long keys serve after they were asked for. */
  readonly maxKeyAgeSeconds: number;
}

/** What reads them. */
interface Parts {
  /** The key set as the issuer publishes it now. Rejects with `AuthorizationServerError`. */
  readonly readKeys: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

/**
 * Keys that were read serve for `maxKeyAgeSeconds`, whatever happens to the issuer, and no longer. A reading that fails leaves them as they are. One that succeeds counts at once: a key that
 * is not in it has verified its last signature.
 */
export class SigningKeys {
  readonly #readKeys: () => Promise<unknown>;
  readonly #clock: Clock;
  readonly #log: ComponentLog;
  #set: KeySet | undefined;
  #endMs = -Infinity;
  #renewAtMs = Infinity;
  #begunAtMs = -Infinity;
  #inFlight: Promise<KeySet> | undefined;
  /** A reading that has not begun, so that it serves everybody who asks for one now. */
  #next: Promise<KeySet> | undefined;
  #waiting = 0;

  constructor(
    { readKeys, clock, log }: Parts,
    private readonly options: SigningKeysOptions,
    private readonly wait: (ms: number) => Promise<unknown> = sleep,
  ) {
    this.#readKeys = readKeys;
    this.#clock = clock;
    this.#log = log;
  }

  /** Undefined where there are none, or they are too old. When it is time they are renewed, in the background. */
  current(nowMs: number): KeySet | undefined {
    if (nowMs >= this.#endMs) return undefined;
    if (nowMs >= this.#renewAtMs) this.#renew(nowMs);
    return this.#set;
  }

  /** Those of now, or what a reading brings that everybody waits for together. Rejects with `AuthorizationServerError`. */
  async usable(): Promise<KeySet> {
    return this.current(this.#clock.monotonicMs()) ?? this.#inFlight ?? this.#read();
  }

  /** What a reading brings that begins after this. Rejects with `AuthorizationServerError`. */
  async newer(): Promise<KeySet> {
    if (this.#waiting >= MAX_WAITING) {
      throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'queue_full' });
    }
    this.#waiting += 1;
    try {
      return await (this.#next ??= this.#readNext());
    } finally {
      this.#waiting -= 1;
    }
  }

  async #readNext(): Promise<KeySet> {
    for (let pauses = 0; ; pauses += 1) {
      // It began too early to know of the key that is looked for.
      await this.#inFlight?.catch(() => undefined);
      const pauseMs = this.#begunAtMs + COOL_DOWN_MS - this.#clock.monotonicMs();
      // Where there are no keys any more, others read without a pause: that must not put this off for ever.
      if (!(pauseMs > 0) || pauses === MAX_PAUSES) break;
      await this.wait(pauseMs);
    }
    this.#next = undefined;
    return this.#inFlight ?? this.#read();
  }

  #renew(nowMs: number): void {
    this.#renewAtMs = nowMs + RENEWAL_PAUSE_MS;
    if (this.#inFlight !== undefined) return;
    this.#read().catch((error: unknown) => {
      const reason = error instanceof AuthorizationServerError ? error.reason : 'unexpected';
      const leftSeconds = Math.max(0, Math.round((this.#endMs - this.#clock.monotonicMs()) / 1000));
      this.#log.warn("Keycloak's signing keys can't be read again: those of before serve on", { reason, leftSeconds });
    });
  }

  #read(): Promise<KeySet> {
    const begunAtMs = this.#clock.monotonicMs();
    this.#begunAtMs = begunAtMs;
    const reading = this.#readFrom(begunAtMs).finally(() => {
      if (this.#inFlight === reading) this.#inFlight = undefined;
    });
    this.#inFlight = reading;
    return reading;
  }

  async #readFrom(begunAtMs: number): Promise<KeySet> {
    const set = KeySet.of(await this.#readKeys(), this.#set);
    const servesMs = this.options.maxKeyAgeSeconds * 1000;
    this.#endMs = begunAtMs + servesMs;
    this.#renewAtMs = begunAtMs + renewAfterMs(servesMs, RENEWAL);
    this.#replaceBy(set);
    return set;
  }

  #replaceBy(set: KeySet): void {
    const former = this.#set;
    this.#set = set;
    const withdrawn = former?.withdrawAllBut(set) ?? [];
    const known = new Set(former?.keys);
    const added = set.keys.filter((key) => !known.has(key));
    if (added.length + withdrawn.length > 0) {
      const ids = (keys: readonly { readonly keyId: string }[]) => keys.map(({ keyId }) => shownKeyId(keyId));
      this.#log.log("Keycloak's signing keys were read", { added: ids(added), withdrawn: ids(withdrawn) });
    }
    const knownFaults = new Set(former?.faultyKeys.map(({ keyId, fault }) => `${fault} ${keyId}`));
    for (const { keyId, fault } of set.faultyKeys) {
      if (knownFaults.has(`${fault} ${keyId}`)) continue;
      const words = 'Keycloak publishes a key that must not be used: tokens that name it are not accepted';
      this.#log.error(words, { keyId: shownKeyId(keyId), fault });
    }
  }
}
