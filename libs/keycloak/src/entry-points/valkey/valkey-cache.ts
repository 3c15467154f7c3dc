import type { ConnectedSharedCache, SharedCache, SharedCacheContext } from '../extension/index.js';
import { checkEncryption, readSealedOptions } from './sealed-options.js';
import type { SealingKeys } from './sealing-keys.js';
import type { ValkeyAddress, ValkeyAddressOptions } from './valkey-address.js';
import { ValkeyClient } from './valkey-client.js';
import { ValkeySharedCache } from './valkey-shared-cache.js';

export interface ValkeyCacheOptions extends ValkeyAddressOptions {
  /**
   * Random keys of 32 bytes in base64 (`openssl rand -base64 32`). Every replica of this service has the keys of the
   * cache, but no other service has them. The first key encrypts entries, and every key decrypts entries. Do not use
   * the client's secret.
   */
  readonly keys: readonly string[];
}

const DEADLINE_MS = 50;

/**
 * Shared cache for `forRoot({ sharedCache })` (tried with Valkey 8.1). The rules for results in memory also apply to
 * results in the shared cache. Use separate databases or servers for the cache and for denials, because a cache may
 * lose its data.
 *
 * Without the keys, a reader of the Valkey server can't decrypt the entries. Without the keys, a writer can delete
 * entries and restore unexpired entries, but can't forge an entry.
 *
 * The cache sends nothing before the application starts. Throws `ConfigurationError`.
 */
export function valkeyCache(options: ValkeyCacheOptions): SharedCache {
  const { address, keys } = readSealedOptions(MAKER, options);
  return new ValkeyCache(address, keys);
}

const MAKER = 'valkeyCache';

class ValkeyCache implements SharedCache {
  // This class uses `#` fields, because TypeScript's `private` fields would appear in printed objects.
  readonly #address: ValkeyAddress;
  readonly #keys: SealingKeys;

  constructor(address: ValkeyAddress, keys: SealingKeys) {
    this.#address = address;
    this.#keys = keys;
  }

  check({ allowInsecureRequests }: SharedCacheContext): void {
    checkEncryption(MAKER, this.#address, allowInsecureRequests);
  }

  connect(context: SharedCacheContext): ConnectedSharedCache {
    const { url, ca } = this.#address;
    const client = new ValkeyClient({ url: url.href, ...(ca === undefined ? {} : { ca }), deadlineMs: DEADLINE_MS });
    return new ValkeySharedCache(client, this.#keys, context);
  }
}
