/** The door nestjs-keycloak-s2s/opentelemetry: what the library does as metrics and spans of OpenTelemetry. Peer: `@opentelemetry/api`. */
export { KeycloakTelemetryModule } from './keycloak-telemetry.module.js';
