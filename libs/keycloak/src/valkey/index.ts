/** The door nestjs-keycloak-s2s/valkey: what replicas share over Valkey. Peer: `@redis/client`. */
export { valkeyRevocations } from './valkey-revocations.js';
export type { ValkeyRevocationsOptions } from './valkey-revocations.js';
