export interface SharedCacheContext {
  readonly issuer: string;
  readonly clientId: string;
  /** Whether passwords may be sent unencrypted. */
  readonly allowInsecureRequests: boolean;
}

/** The result of a lookup: an entry, or whether this replica should obtain the value. */
export type SharedLookup =
  /** `ageMs`: the minimum age, counted from when the value was requested. `id` is unique to this entry. */
  | { readonly kind: 'found'; readonly text: string; readonly ageMs: number; readonly id: string }
  /** No entry, and this replica got the lease. The caller must `extend` the lease until it calls `put` or `release`. */
  | { readonly kind: 'lease' }
  /** No entry yet, but another replica is obtaining the value. */
  | { readonly kind: 'taken' };

export interface SharedEntry {
  readonly text: string;
  /** Counted from when the value was requested. */
  readonly ageMs: number;
  /** How long it can be used, from now. */
  readonly servesMs: number;
  /** A final entry replaces an older or newer entry that is not final, and is never replaced by such an entry. */
  readonly isFinal: boolean;
}

/** Every method except `close` rejects if the cache does not answer in time. */
export interface ConnectedSharedCache {
  /** Called at application start, which waits at most one second for it. */
  open(): Promise<void>;
  /**
   * Skips entries requested more than `maxAgeMs` ago, and the entry with the id `noUse`, which the caller found
   * unusable. The cache server need not learn `key` itself.
   */
  look(key: string, maxAgeMs: number, noUse?: string): Promise<SharedLookup>;
  /**
   * Stores the entry and ends this replica's lease. If there are two entries, the entry that was requested later stays.
   */
  put(key: string, entry: SharedEntry): Promise<void>;
  /** The lease lasts about half a second, so that other replicas do not wait long for a stopped replica. */
  extend(key: string): Promise<void>;
  /** Ends this replica's lease without an entry. */
  release(key: string): Promise<void>;
  close(): Promise<void>;
}

/** The type of `forRoot({ sharedCache })`, for example `valkeyCache()` from `nestjs-keycloak-s2s/valkey`. */
export interface SharedCache {
  /** Sends nothing. Throws if the settings can't be used, with a message for the operator. */
  check(context: SharedCacheContext): void;
  /** Sends nothing before `open`. */
  connect(context: SharedCacheContext): ConnectedSharedCache;
}
