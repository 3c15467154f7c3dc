export { KeycloakTelemetryModule } from './keycloak-telemetry.module.js';
