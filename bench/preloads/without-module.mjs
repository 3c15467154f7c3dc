// Leaves KeycloakTelemetryModule empty: the SDK, the context manager and the instrumentation of the server remain.
import 'reflect-metadata';
import { KeycloakTelemetryModule } from 'nestjs-keycloak-s2s/opentelemetry';

const PROVIDERS = 'providers';
if (!Reflect.hasMetadata(PROVIDERS, KeycloakTelemetryModule)) {
  throw new Error('KeycloakTelemetryModule has no providers, so this file does not find what it removes');
}
Reflect.defineMetadata(PROVIDERS, [], KeycloakTelemetryModule);
