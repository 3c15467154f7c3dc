import type { ConnectedSharedCache, SharedCache, SharedCacheContext } from '../extension/index.js';
import { checkEncryption, readSealedOptions } from './sealed-options.js';
import type { SealingKeys } from './sealing-keys.js';
import type { ValkeyAddress, ValkeyAddressOptions } from './valkey-address.js';
import { ValkeyClient } from './valkey-client.js';
import { ValkeySharedCache } from './valkey-shared-cache.js';

export interface ValkeyCacheOptions extends ValkeyAddressOptions {
  /**
   * Random keys of 32 bytes in base64 (`openssl rand -base64 32`), the same at every replica of this service, and at no
   * other service. The first key seals, and all keys open. Do not use the client's secret.
   */
  readonly keys: readonly string[];
}

const DEADLINE_MS = 50;

/**
 * Shared cache for `forRoot({ sharedCache })` (tried with Valkey 8.1). All replicas of this service reuse the
 * introspection results and tokens that one replica requested, by the same rules as results in memory. Use another
 * database or server than for denials, because the cache may be lost at any time.
 *
 * A reader of the server learns nothing. A writer can only delete entries, or put an entry back within its lifetime.
 *
 * It sends nothing before the application starts. Throws `ConfigurationError`.
 */
export function valkeyCache(options: ValkeyCacheOptions): SharedCache {
  const { address, keys } = readSealedOptions(MAKER, options);
  return new ValkeyCache(address, keys);
}

const MAKER = 'valkeyCache';

class ValkeyCache implements SharedCache {
  // Uses `#` fields, because TypeScript's `private` fields would be printed.
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
