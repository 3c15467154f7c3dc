/** The port for the entry point that receives revocations: caches, errors, option checks and the composed module. */
export { isStrictJson } from '../../authorization-server/strict-json.js';
export { awakeClock } from '../../caching/clock.js';
export { systemClock } from '../../caching/clock.js';
export { FixedSecret } from '../../client-authentication/client-authentication.js';
export { DeadlineCache } from '../../caching/deadline-cache.js';
export { withFields } from '../../resilience/component-log.js';
export { KEYCLOAK } from '../../module/keycloak.module-definition.js';
export { ConfigurationError, ConfigurationFaults } from '../../protocol/configuration-faults.js';
export { nonEmptyString, optionalText } from '../../options/option-kinds.js';
export { publishSignals } from '../../diagnostics/signal-channel.js';
export { AuthorizationServerError } from '../../protocol/authorization-server-error.js';
export { loggedFields } from '../../protocol/failure-hints.js';
export { sharedFault } from '../../caching/shared-fault.js';
export { KeycloakException } from '../../protocol/keycloak-exception.js';
export { isCompactJws } from '../../protocol/token-form.js';
export { unverifiedClaims } from '../../protocol/unverified-claims.js';

export type { AuthorizationServerFetch } from '../../authorization-server/authorization-server-fetch.js';
export type { Clock } from '../../caching/clock.js';
export type { ComponentLog } from '../../resilience/component-log.js';
export type { ComposedIssuer } from '../../module/compose-issuer.js';
export type { ComposedKeycloak } from '../../module/compose-keycloak.js';
export type { IssuedToken } from '../../protocol/issued-token.js';
export type { FeedFault } from '../../revocation/shared-feed.js';
export type { RevocationList } from '../../revocation/revocation-list.js';
export type { SignalProof } from '../../revocation/signal-proof.js';
