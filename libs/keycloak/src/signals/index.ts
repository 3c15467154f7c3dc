/** The door nestjs-keycloak-s2s/signals: hears of revocations when they happen. */
export { keycloakEvents } from './events/keycloak-events.js';
export { SignalSourceError } from './signal-source.js';
export { SignalsModule } from './signals.module.js';

export type { KeycloakEventsOptions } from './events/keycloak-events.js';
export type {
  ConnectedSignalSource,
  IssuerDenial,
  Signals,
  SignalSource,
  SignalSourceContext,
  SignalSourceReason,
} from './signal-source.js';
export type { SignalsModuleOptions } from './signals.module.js';
