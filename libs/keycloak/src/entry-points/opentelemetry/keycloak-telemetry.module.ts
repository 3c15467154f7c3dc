/** KeycloakTelemetryModule: reports metrics and spans of the library to OpenTelemetry. */
import { Module, type FactoryProvider } from '@nestjs/common';
import { KEYCLOAK, type ComposedKeycloak } from '../ports/call-tracing.js';
import { KeycloakTelemetry } from './keycloak-telemetry.js';

const TELEMETRY: FactoryProvider = {
  provide: Symbol('nestjs-keycloak-s2s:telemetry'),
  inject: [KEYCLOAK],
  useFactory: (keycloak: ComposedKeycloak) => new KeycloakTelemetry(keycloak),
};

/**
 * Import it once, in the root module, beside `KeycloakModule.forRoot`. The meter and the tracer `nestjs-keycloak-s2s`
 * report the metrics and spans of docs/telemetry.md. Calls of other services carry `traceparent` and `tracestate` of
 * their own span.
 *
 * It only uses OpenTelemetry's API: without an SDK that is registered before the application starts, it does nothing.
 * It does NOT create spans for incoming requests; the instrumentation of the web server does. No metric or span
 * contains a token, a hash, a subject or a path.
 */
@Module({ providers: [TELEMETRY] })
export class KeycloakTelemetryModule {}
