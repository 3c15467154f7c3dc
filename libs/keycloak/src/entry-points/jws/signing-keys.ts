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
 * The minimum time between the starts of two reads of the keys, because anybody can send an unknown key id. The first
 * tokens that are signed with a new key may have to wait for this time. With 30 seconds (jose's default), the service
 * would refuse the first tokens of a new key.
 */
const COOL_DOWN_MS = 1000;

const MAX_PAUSES = 2;

/** The maximum number of waiting requests; further requests get 503 instead of 401, since their tokens may be valid. */
const MAX_WAITING = 5000;

const RENEWAL: RenewalWindow = { from: 0.5, to: 0.75 };

const RENEWAL_PAUSE_MS = 10_000;

export interface SigningKeysOptions {
  readonly maxKeyAgeSeconds: number;
}

interface Parts {
  readonly readKeys: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

/** After a failed read, the previous keys stay in use until they are too old. */
export class SigningKeys {
  readonly #readKeys: () => Promise<unknown>;
  readonly #clock: Clock;
  readonly #log: ComponentLog;
  #set: KeySet | undefined;
  #endMs = -Infinity;
  #renewAtMs = Infinity;
  #begunAtMs = -Infinity;
  #inFlight: Promise<KeySet> | undefined;
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

  current(nowMs: number): KeySet | undefined {
    if (nowMs >= this.#endMs) return undefined;
    if (nowMs >= this.#renewAtMs) this.#renew(nowMs);
    return this.#set;
  }

  async usable(): Promise<KeySet> {
    return this.current(this.#clock.monotonicMs()) ?? this.#inFlight ?? this.#read();
  }

  /** Returns the keys from a read that begins after the call of `newer()`. */
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
      // A read in progress may have begun before the issuer published the key.
      await this.#inFlight?.catch(() => undefined);
      const pauseMs = this.#begunAtMs + COOL_DOWN_MS - this.#clock.monotonicMs();
      // If there are no current keys, other requests also start reads, which extend the wait to at most `MAX_PAUSES`
      // pauses.
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
      this.#log.warn("Keycloak's signing keys can't be read again. The previous keys stay in use", {
        reason,
        leftSeconds,
      });
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
      const words = 'Keycloak publishes a key that must not be used. Tokens that name it are refused';
      this.#log.error(words, { keyId: shownKeyId(keyId), fault });
    }
  }
}
