/** Valkey shared cache: entries of one service in Valkey, sealed, each with a lease for the replica that asks. */
import { createHash, randomBytes } from 'node:crypto';
import type { ConnectedSharedCache, SharedCacheContext, SharedEntry, SharedLookup } from '../index.js';
import { LOOK, PUT, RELEASE } from './cache-scripts.js';
import type { SealingKeys } from './sealing-keys.js';
import { ServerClock } from './server-clock.js';
import type { ValkeyClient } from './valkey-client.js';

/** Longer than a call of Keycloak takes; a replica that ends in between keeps the others waiting for no longer. */
const LEASE_MS = 1500;

/** Counts the forms of entries: what was written in another one does not open. */
const FORM = '1';

type Looked = readonly [sealed: string | null, isMine: number, nowMs: number];

/** What an entry holds: the time is sealed with it, so that nobody can make an old answer younger. */
interface Written {
  readonly t: string;
  readonly a: number;
}

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
    const owner = createHash('sha256')
      .update(JSON.stringify([issuer, clientId]))
      .digest('hex')
      .slice(0, 16);
    this.#prefix = `nestjs-keycloak-s2s:{${owner}}:cache:`;
  }

  async open(): Promise<void> {
    await this.#client.open();
  }

  async look(key: string, maxAgeMs: number): Promise<SharedLookup> {
    const name = this.#nameOf(key);
    const sentMs = performance.now();
    const args = [String(Number.isFinite(maxAgeMs) ? maxAgeMs : Number.MAX_SAFE_INTEGER), this.#id, String(LEASE_MS)];
    const [sealed, isMine, nowMs] = (await this.#client.run(LOOK, [name, leaseOf(name)], args)) as Looked;
    this.#clock.learn(nowMs);
    if (sealed === null) return { kind: isMine === 1 ? 'lease' : 'taken' };
    const opened = this.#keys.open(sealed, [...this.#owner, key]);
    // Not sealed by this service for this key: as if it were not there. Whoever asks puts the right one in its place.
    if (opened === undefined) return { kind: 'lease' };
    const { t: text, a: askedAtMs } = JSON.parse(opened) as Written;
    // The server told its time after this was sent.
    const ageMs = Math.max(nowMs - askedAtMs + (performance.now() - sentMs), Date.now() - askedAtMs);
    return nowMs < askedAtMs || !(ageMs < maxAgeMs) ? { kind: 'lease' } : { kind: 'found', text, ageMs };
  }

  async put(key: string, { text, ageMs, servesMs, isFinal }: SharedEntry): Promise<void> {
    const name = this.#nameOf(key);
    const askedAtMs = Math.floor(this.#clock.nowMs() - ageMs);
    const written: Written = { t: text, a: askedAtMs };
    const sealed = this.#keys.seal(JSON.stringify(written), [...this.#owner, key]);
    const args = [sealed, askedAtMs, Math.max(1, Math.ceil(servesMs)), isFinal ? 1 : 0, this.#id];
    await this.#client.run(PUT, [name, leaseOf(name)], args.map(String));
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
