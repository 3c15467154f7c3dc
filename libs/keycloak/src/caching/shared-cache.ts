export interface SharedCacheContext {
  readonly issuer: string;
  readonly clientId: string;
  /** Whether passwords may be sent unencrypted. */
  readonly allowInsecureRequests: boolean;
}

/** A lookup returns an entry, or says which replica must obtain the value. */
export type SharedLookup =
  /** The value was requested at least `ageMs` ago. `id` is unique to this entry. */
  | { readonly kind: 'found'; readonly text: string; readonly ageMs: number; readonly id: string }
  /**
   * The key has no entry, and this replica got the lease. The caller must call `extend` regularly, and finally call
   * `put` or `release`.
   */
  | { readonly kind: 'lease' }
  /** The key has no entry yet, and another replica is obtaining the value. */
  | { readonly kind: 'taken' };

export interface SharedEntry {
  readonly text: string;
  /** The age of the value, counted from the request for the value. */
  readonly ageMs: number;
  /** The remaining time for which the value can be used. */
  readonly servesMs: number;
  /** A final entry replaces entries that are not final. An entry that is not final never replaces a final entry. */
  readonly isFinal: boolean;
}

/** Every method except `close` rejects if the cache does not answer in time. */
export interface ConnectedSharedCache {
  /** The application start waits at most one second for the promise of `open()`. */
  open(): Promise<void>;
  /**
   * Skips entries whose value was requested more than `maxAgeMs` ago, and skips the entry with the id `noUse`. The
   * implementation may hide `key` from the cache server.
   */
  look(key: string, maxAgeMs: number, noUse?: string): Promise<SharedLookup>;
  /**
   * Stores the entry and ends this replica's lease. If `key` has an entry already, the more recently requested value
   * stays.
   */
  put(key: string, entry: SharedEntry): Promise<void>;
  /** Extends the lease to about half a second, so other replicas wait only briefly for a stopped replica. */
  extend(key: string): Promise<void>;
  /** Ends this replica's lease, and stores no entry. */
  release(key: string): Promise<void>;
  close(): Promise<void>;
}

/** The type of `forRoot({ sharedCache })`, for example `valkeyCache()` from `nestjs-keycloak-s2s/valkey`. */
export interface SharedCache {
  /**
   * Checks the settings, and sends no data. If the settings are unusable, throws an error with a message for the
   * operator.
   */
  check(context: SharedCacheContext): void;
  /** Creates a cache that sends no data before `open`. */
  connect(context: SharedCacheContext): ConnectedSharedCache;
}
