/** Shared cache: answers and tokens that the replicas of one service keep for each other. Doors implement it. */

export interface SharedCacheContext {
  readonly issuer: string;
  readonly clientId: string;
  /** Whether passwords may travel unencrypted. */
  readonly allowInsecureRequests: boolean;
}

/** What is in the cache under a key, or whether this replica is the one to ask for it. */
export type SharedLookup =
  /** `ageMs`: how long ago it was asked for, at least that. `id`: of this entry and no other. */
  | { readonly kind: 'found'; readonly text: string; readonly ageMs: number; readonly id: string }
  /** Nothing, and nobody else asks: `put` or `release` is expected, and `extend` until then. */
  | { readonly kind: 'lease' }
  /** Nothing yet, but another replica asks. */
  | { readonly kind: 'taken' };

export interface SharedEntry {
  readonly text: string;
  /** How long ago it was asked for. */
  readonly ageMs: number;
  /** For how long it is of use, from now. */
  readonly servesMs: number;
  /** Takes the place of whatever is there, and is not replaced by what is not final. */
  readonly isFinal: boolean;
}

/** Each but `close` rejects when the cache can't be asked in time: then this replica goes on by itself. */
export interface ConnectedSharedCache {
  /** Called at the start of the application, which waits for it: a second at most. */
  open(): Promise<void>;
  /** What was asked for at most `maxAgeMs` ago, but for the entry that was found to be of no use. The cache need not learn `key` itself. */
  look(key: string, maxAgeMs: number, noUse?: string): Promise<SharedLookup>;
  /** Keeps it, and ends this replica's lease. Of two the one that was asked for later stays. */
  put(key: string, entry: SharedEntry): Promise<void>;
  /** A lease lasts for half a second, so that nobody waits for a replica that has ended; this makes it last for another one. */
  extend(key: string): Promise<void>;
  /** Ends this replica's lease: nothing came of it. */
  release(key: string): Promise<void>;
  /** Does not reject. */
  close(): Promise<void>;
}

/** For `forRoot({ sharedCache })`, such as `valkeyCache()` of `nestjs-keycloak-s2s/valkey`. */
export interface SharedCache {
  /** Throws for settings that can't be used, in plain words; called at boot, sends nothing. */
  check(context: SharedCacheContext): void;
  /** Sends nothing before `open`. */
  connect(context: SharedCacheContext): ConnectedSharedCache;
}
