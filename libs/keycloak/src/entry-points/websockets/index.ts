export { guardHandshakes } from './guard-handshakes.adapter.js';
export { websocketsRequestAdapter } from './websockets-request.adapter.js';
