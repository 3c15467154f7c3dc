/** Valkey cache: the settings of a shared cache in Valkey. */
import {
  ConfigurationError,
  ConfigurationFaults,
  type ConnectedSharedCache,
  type SharedCache,
  type SharedCacheContext,
} from '../index.js';
import { SealingKeys } from './sealing-keys.js';
import { addressOf, checkAddress, isEncrypted, type ValkeyAddressOptions } from './valkey-address.js';
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
  const faults = new ConfigurationFaults();
  checkAddress(options, faults);
  const fault = SealingKeys.faultOf(options.keys);
  if (fault !== undefined) faults.fault(fault);
  faults.throwIfFaulty((all) => new ConfigurationError("valkeyCache() can't be used", all));
  return new ValkeyCache(options, new SealingKeys(options.keys));
}

class ValkeyCache implements SharedCache {
  // What is private in the types alone would be printed.
  readonly #options: ValkeyAddressOptions;
  readonly #keys: SealingKeys;

  constructor(options: ValkeyAddressOptions, keys: SealingKeys) {
    this.#options = options;
    this.#keys = keys;
  }

  check({ allowInsecureRequests }: SharedCacheContext): void {
    if (isEncrypted(addressOf(this.#options)) || allowInsecureRequests) return;
    throw new ConfigurationError("valkeyCache() can't be used", [
      'url must be valkeys: (or allowInsecureRequests must be true, for development)',
    ]);
  }

  connect(context: SharedCacheContext): ConnectedSharedCache {
    const { url, ca } = this.#options;
    const client = new ValkeyClient({ url, ...(ca === undefined ? {} : { ca }), deadlineMs: DEADLINE_MS });
    return new ValkeySharedCache(client, this.#keys, context);
  }
}
