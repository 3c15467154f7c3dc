/**
 * Metrics and spans, over `@opentelemetry/api`.
 *
 * @packageDocumentation
 * @category Supported
 */
export { KeycloakTelemetryModule } from './keycloak-telemetry.module.js';
