export { KEYCLOAK } from '../../module/keycloak.module-definition.js';

export type { ComposedKeycloak } from '../../module/compose-keycloak.js';
export type { CallTracing, ObservedCall, TracedCall } from '../../client/call-observation.js';
