/** Valkey cache: the settings of a shared cache in Valkey. */
import type { ConnectedSharedCache, SharedCache, SharedCacheContext } from '../extension/index.js';
import { checkEncryption, readSealedOptions } from './sealed-options.js';
import type { SealingKeys } from './sealing-keys.js';
import type { ValkeyAddress, ValkeyAddressOptions } from './valkey-address.js';
import { ValkeyClient } from './valkey-client.js';
import { ValkeySharedCache } from './valkey-shared-cache.js';

export interface ValkeyCacheOptions extends ValkeyAddressOptions {
  /**
   * Random keys of 32 bytes in base64 (`openssl rand -base64 32`), the same at every replica of this service, and at no other service: the first one seals, all of
   * them open. They are not the client's secret.
   */
  readonly keys: readonly string[];
}

/** A slow server costs a request no more than this; then Keycloak is asked. */
const DEADLINE_MS = 50;

/**
 * For `forRoot({ sharedCache })`: introspection answers and tokens that one replica has asked for serve all replicas of this service (tried with Valkey 8.1), by the rules for what a
 * process keeps itself. Use another database or server than for denials: it may forget everything at any time. Who reads it learns nothing; who writes it can
 * delete entries, or put one back within its time, and no more.
 *
 * It sends nothing before the application starts. Throws `ConfigurationError`.
 */
export function valkeyCache(options: ValkeyCacheOptions): SharedCache {
  const { address, keys } = readSealedOptions(MAKER, options);
  return new ValkeyCache(address, keys);
}

const MAKER = 'valkeyCache';

class ValkeyCache implements SharedCache {
  // What is private in the types alone would be printed.
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
