/** The door nestjs-keycloak-s2s/swagger: says in an OpenAPI document what each route demands. Peer: `@nestjs/swagger`. */
export { addKeycloakSecurity } from './keycloak-security.discovery.js';

export type { DocumentedRoutesOptions } from './documented-routes.discovery.js';
export type { KeycloakSecurityOptions } from './keycloak-security.discovery.js';
