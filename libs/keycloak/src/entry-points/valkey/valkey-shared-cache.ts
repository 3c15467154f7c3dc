import { randomBytes } from 'node:crypto';
import type { ConnectedSharedCache, SharedCacheContext, SharedEntry, SharedLookup } from '../extension/index.js';
import { EXTEND, LOOK, PUT, RELEASE, TIME } from './cache-scripts.js';
import type { SealingKeys } from './sealing-keys.js';
import { ServerClock } from './server-clock.js';
import { serviceKeyPrefix } from './service-keys.js';
import type { ValkeyClient } from './valkey-client.js';

/** The time that other replicas wait if the replica with the lease exits. */
const LEASE_MS = 600;

/** After four fifths of the deadline, the server grants no lease, because the answer could arrive too late. */
const STILL_WAITING = 0.8;

/** Enough characters to identify a sealed text, which begins with a random salt. */
const BEGINNING = 44;

/** The format is part of the associated data, so an entry in a different format can't be decrypted. */
const FORM = '1';

type Looked = readonly [sealed: string | null, isMine: number, nowMs: number];

/** The time of the request is encrypted with the result, so nobody can make an old result look newer. */
interface Written {
  readonly t: string;
  readonly a: number;
}

const NOTHING: Written = { t: '', a: Infinity };

export class ValkeySharedCache implements ConnectedSharedCache {
  readonly #client: ValkeyClient;
  readonly #keys: SealingKeys;
  readonly #owner: readonly string[];
  readonly #prefix: string;
  readonly #clock = new ServerClock();
  readonly #id = randomBytes(12).toString('base64url');

  constructor(client: ValkeyClient, keys: SealingKeys, { issuer, clientId }: SharedCacheContext) {
    this.#client = client;
    this.#keys = keys;
    this.#owner = [FORM, issuer, clientId, 'cache'];
    this.#prefix = `${serviceKeyPrefix({ issuer, clientId })}cache:`;
  }

  async open(): Promise<void> {
    await this.#client.open();
    this.#clock.learn(Number(await this.#client.run(TIME, [])));
  }

  async look(key: string, maxAgeMs: number, noUse = ''): Promise<SharedLookup> {
    const looked = await this.#look(key, maxAgeMs, noUse);
    if (looked.kind !== 'found' || looked.text !== '') return looked;
    return this.#look(key, maxAgeMs, looked.id);
  }

  async #look(key: string, maxAgeMs: number, noUse: string): Promise<SharedLookup> {
    const name = this.#nameOf(key);
    const sentMs = performance.now();
    const waitsMs = this.#client.deadlineMs * STILL_WAITING;
    const lateMs = this.#clock.isLearned ? this.#clock.nowMs() + waitsMs : Number.MAX_SAFE_INTEGER;
    const within = Number.isFinite(maxAgeMs) ? maxAgeMs : Number.MAX_SAFE_INTEGER;
    const args = [within, this.#id, LEASE_MS, noUse, Math.ceil(lateMs)];
    const looked = (await this.#client.run(LOOK, [name, leaseOf(name)], args.map(String))) as Looked;
    const [sealed, isMine, nowMs] = looked;
    this.#clock.learn(nowMs);
    if (sealed === null) return { kind: isMine === 1 ? 'lease' : 'taken' };
    const id = sealed.slice(0, BEGINNING);
    const opened = this.#keys.open(sealed, [...this.#owner, key]);
    const { t: text, a: askedAtMs } = opened === undefined ? NOTHING : (JSON.parse(opened) as Written);
    // The result is at least the true age, because the server read its clock after `sentMs`.
    const ageMs = Math.max(nowMs - askedAtMs + (performance.now() - sentMs), this.#clock.latestMs() - askedAtMs);
    const isOfUse = askedAtMs <= nowMs && ageMs < maxAgeMs;
    return { kind: 'found', text: isOfUse ? text : '', ageMs, id };
  }

  async put(key: string, { text, ageMs, servesMs, isFinal }: SharedEntry): Promise<void> {
    // If the server's time is unknown, the stored entry could look too new.
    if (!this.#clock.isLearned) return;
    const name = this.#nameOf(key);
    const askedAtMs = Math.floor(this.#clock.nowMs() - ageMs);
    const written: Written = { t: text, a: askedAtMs };
    const sealed = this.#keys.seal(JSON.stringify(written), [...this.#owner, key]);
    const args = [sealed, askedAtMs, Math.max(1, Math.ceil(servesMs)), isFinal ? 1 : 0, this.#id, Math.floor(ageMs)];
    await this.#client.run(PUT, [name, leaseOf(name)], args.map(String));
  }

  async extend(key: string): Promise<void> {
    await this.#client.run(EXTEND, [leaseOf(this.#nameOf(key))], [this.#id, String(LEASE_MS)]);
  }

  async release(key: string): Promise<void> {
    await this.#client.run(RELEASE, [leaseOf(this.#nameOf(key))], [this.#id]);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #nameOf(key: string): string {
    return this.#prefix + this.#keys.names([...this.#owner, key])[0];
  }
}

const leaseOf = (name: string): string => `${name}:lease`;
