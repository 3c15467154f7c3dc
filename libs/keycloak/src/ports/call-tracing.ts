/** The port for the door that measures and follows what the library does. */
export { KEYCLOAK } from '../keycloak.module-definition.js';

export type { ComposedKeycloak } from '../compose-keycloak.js';
export type { CallTracing, ObservedCall, TracedCall } from '../client/call-observation.js';
