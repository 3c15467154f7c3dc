/**
 * Revocations from Keycloak: logout notices and signal feeds.
 *
 * @packageDocumentation
 * @category Supported
 */
export { BackchannelLogoutModule } from './backchannel-logout.module.js';
export { keycloakEvents } from './events/keycloak-events.js';
export { SIGNAL_SOURCE_REASONS, SignalSourceError } from './signal-source.js';
export { RevocationEventsModule } from './revocation-events.module.js';
export { sharedSignals } from './ssf/shared-signals.js';

export type { BackchannelLogoutAsyncOptions } from './backchannel-logout.module.js';
export type { BackchannelLogoutOptions } from './backchannel-logout.options.js';
export type { KeycloakEventsOptions } from './events/keycloak-events.js';
export type { BackchannelLogout, BackchannelLogoutListener } from './logout-listener.js';
export type {
  ConnectedSignalSource,
  IssuerDenial,
  Signals,
  SignalSource,
  SignalSourceContext,
  SignalSourceReason,
} from './signal-source.js';
export type {
  RevocationEventsAsyncOptions,
  RevocationEventsClientOptions,
  RevocationEventsModuleOptions,
} from './revocation-events.module.js';
export type { SharedSignalsOptions } from './ssf/shared-signals.options.js';
