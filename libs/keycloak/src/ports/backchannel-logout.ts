/** The port for the door that takes logout notices: the issuers of the module, and what their notices are verified and remembered with. */
export { DeadlineCache } from '../caching/deadline-cache.js';
export { systemClock } from '../caching/clock.js';
export { withFields } from '../component-log.js';
export { KEYCLOAK, RESOLVED_OPTIONS } from '../keycloak.module-definition.js';
export { isCompactJws } from '../protocol/token-form.js';
export { unverifiedClaims } from '../protocol/unverified-claims.js';

export type { Clock } from '../caching/clock.js';
export type { ComponentLog } from '../component-log.js';
export type { ComposedKeycloak } from '../compose-keycloak.js';
export type { ResolvedKeycloakOptions } from '../keycloak.options.js';
