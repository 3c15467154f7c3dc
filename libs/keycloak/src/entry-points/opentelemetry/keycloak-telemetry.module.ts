import { Module, type FactoryProvider } from '@nestjs/common';
import { KEYCLOAK, type ComposedKeycloak } from '../ports/call-tracing.js';
import { KeycloakTelemetry } from './keycloak-telemetry.js';

const TELEMETRY: FactoryProvider = {
  provide: Symbol('nestjs-keycloak-s2s:telemetry'),
  inject: [KEYCLOAK],
  useFactory: (keycloak: ComposedKeycloak) => new KeycloakTelemetry(keycloak),
};

/**
 * Import this module once, in the root module that imports `KeycloakModule.forRoot`. Reports the metrics and spans of
 * docs/metrics.md, and adds `traceparent` and `tracestate` to service calls.
 *
 * The module works only if the application registers an OpenTelemetry SDK before it starts. The module does NOT create
 * spans for incoming requests. No metric or span contains a token, a hash, a subject or a path.
 */
@Module({ providers: [TELEMETRY] })
export class KeycloakTelemetryModule {}
