import { AuthorizationServerError } from '../ports/published-keys.js';
import { PublishedKey, unusable, type KeyFault } from './published-key.js';

const MAX_KEYS = 100;

export interface FaultyKey {
  readonly keyId: string;
  readonly fault: KeyFault;
}

export class KeySet {
  readonly #byId = new Map<string, readonly PublishedKey[]>();
  readonly #faults = new Map<string, KeyFault>();

  private constructor(published: readonly Readonly<Record<string, unknown>>[], former: KeySet | undefined) {
    for (const members of published) this.#add(members);
    for (const [keyId, keys] of this.#byId) {
      if (keys.some((key) => keys.some((other) => key.isLike(other)))) this.#faults.set(keyId, 'ambiguous');
    }
    this.#keepFormer(former);
  }

  /**
   * Throws `AuthorizationServerError` (`signing_keys_malformed`) for a key set that is invalid (RFC 7517 §5) or has no
   * signature keys.
   */
  static of(given: unknown, former?: KeySet): KeySet {
    const { keys } = Object(given) as { readonly keys?: unknown };
    if (!Array.isArray(keys) || keys.length > MAX_KEYS || !keys.every(isObject)) throw malformed();
    const set = new KeySet(keys, former);
    if (set.keys.length === 0 && set.#faults.size === 0) throw malformed();
    return set;
  }

  get keys(): readonly PublishedKey[] {
    return [...this.#byId].flatMap(([keyId, keys]) => (this.#faults.has(keyId) ? [] : keys));
  }

  get faultyKeys(): readonly FaultyKey[] {
    return [...this.#faults].map(([keyId, fault]) => ({ keyId, fault }));
  }

  has(keyId: string): boolean {
    return this.#byId.has(keyId);
  }

  isFaulty(keyId: string): boolean {
    return this.#faults.has(keyId);
  }

  find(keyId: string, algorithm: string): PublishedKey | undefined {
    const fault = this.#faults.get(keyId);
    if (fault !== undefined) throw unusable(keyId, fault);
    return this.#byId.get(keyId)?.find((key) => key.isFor(algorithm));
  }

  withdrawAllBut(next: KeySet): readonly PublishedKey[] {
    const kept = new Set(next.keys);
    const withdrawn = this.keys.filter((key) => !kept.has(key));
    for (const key of withdrawn) key.isPublished = false;
    return withdrawn;
  }

  #add(members: Readonly<Record<string, unknown>>): void {
    const { kid } = members;
    if (typeof kid !== 'string' || kid === '') return;
    const key = PublishedKey.of(members);
    const others = this.#byId.get(kid) ?? [];
    this.#byId.set(kid, key instanceof PublishedKey ? [...others, key] : others);
    if (typeof key === 'string') this.#faults.set(kid, key);
  }

  #keepFormer(former: KeySet | undefined): void {
    const known = new Map(former?.keys.map((key) => [key.identity, key]));
    for (const [keyId, keys] of this.#byId) {
      this.#byId.set(
        keyId,
        keys.map((key) => known.get(key.identity) ?? key),
      );
    }
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function malformed(): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_unavailable', { reason: 'signing_keys_malformed' });
}
