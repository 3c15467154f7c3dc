/** KeycloakTelemetryModule: gives metrics and spans of the library to OpenTelemetry. */
import { Module, type FactoryProvider } from '@nestjs/common';
import { KEYCLOAK, type ComposedKeycloak } from '../ports/call-tracing.js';
import { KeycloakTelemetry } from './keycloak-telemetry.js';

const TELEMETRY: FactoryProvider = {
  provide: Symbol('nestjs-keycloak-s2s:telemetry'),
  inject: [KEYCLOAK],
  useFactory: (keycloak: ComposedKeycloak) => new KeycloakTelemetry(keycloak),
};

/**
 * Imported once, in the root module, beside `KeycloakModule.forRoot`. While the application runs, the meter and the tracer `nestjs-keycloak-s2s` have the
 * metrics and spans of docs/telemetry.md, and calls of other services carry `traceparent` and `tracestate` of their own span.
 *
 * It takes OpenTelemetry's API alone: register an SDK before the application starts, else all of this does nothing. It does NOT make spans of requests that this
 * service is asked; the instrumentation of the web server does. No metric and no span holds a token, a hash, a subject or a path.
 */
@Module({ providers: [TELEMETRY] })
export class KeycloakTelemetryModule {}
