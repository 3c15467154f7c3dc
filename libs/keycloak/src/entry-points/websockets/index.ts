/** The door nestjs-keycloak-s2s/websockets: gateways of ws and socket.io behind the guard. Peer: `@nestjs/websockets`. */
export { guardHandshakes } from './guard-handshakes.adapter.js';
export { websocketsRequestAdapter } from './websockets-request.adapter.js';
