/** The port for the door that refuses handshakes of WebSockets. */
export { Refusal } from '../../protocol/refusal.js';
export { GatewayHandshakes } from '../../resource-server/gateway-handshakes.discovery.js';

export type { GuardedGateway } from '../../resource-server/gateway-handshakes.discovery.js';
