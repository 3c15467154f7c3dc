/** The entry point nestjs-keycloak-s2s/opentelemetry: OpenTelemetry metrics and spans (peer `@opentelemetry/api`). */
export { KeycloakTelemetryModule } from './keycloak-telemetry.module.js';
