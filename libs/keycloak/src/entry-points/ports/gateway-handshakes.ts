export { KeycloakException } from '../../protocol/keycloak-exception.js';
export { GatewayHandshakes } from '../../resource-server/gateway-handshakes.discovery.js';

export type { GuardedGateway } from '../../resource-server/gateway-handshakes.discovery.js';
