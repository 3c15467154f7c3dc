export { RESOLVED_OPTIONS } from '../../module/keycloak.module-definition.js';
export { nameOfClient } from '../../resource-server/allowed-client.js';
export { RouteReport } from '../../resource-server/route-report.discovery.js';

export type { ResolvedIssuerOptions } from '../../options/issuer.options.js';
export type { ResolvedKeycloakOptions } from '../../options/keycloak.options.js';
export type { AllowedClient } from '../../resource-server/allowed-client.js';
export type { ReportedRoute } from '../../resource-server/route-report.discovery.js';
export type { RouteAccess } from '../../resource-server/route-access.js';
