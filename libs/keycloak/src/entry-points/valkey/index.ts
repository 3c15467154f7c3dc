/**
 * Lets replicas share denials, results and tokens in Valkey, by `@redis/client`.
 *
 * @packageDocumentation
 * @category Supported
 */
export type { ProofKeyOptions } from './proof-keys.js';
export { SealingKeys } from './sealing-keys.js';
export { ServerClock } from './server-clock.js';
export { serviceKeyPrefix } from './service-keys.js';
export type { ValkeyAddressOptions } from './valkey-address.js';
export { valkeyCache } from './valkey-cache.js';
export type { ValkeyCacheOptions } from './valkey-cache.js';
export { ValkeyClient } from './valkey-client.js';
export type { ValkeyClientOptions } from './valkey-client.js';
export { ValkeyError } from './valkey-error.js';
export { valkeyRevocations } from './valkey-revocations.js';
export type { ValkeyRevocationsOptions } from './valkey-revocations.js';
export { ValkeyScript } from './valkey-script.js';
