/** The entry point nestjs-keycloak-s2s/websockets: ws and socket.io gateways (peer `@nestjs/websockets`). */
export { guardHandshakes } from './guard-handshakes.adapter.js';
export { websocketsRequestAdapter } from './websockets-request.adapter.js';
