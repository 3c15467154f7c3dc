/**
 * Access decorators for gateways, and an adapter that guards handshakes.
 *
 * @packageDocumentation
 * @category Supported
 */
export { guardHandshakes } from './guard-handshakes.adapter.js';
export { websocketsRequestAdapter } from './websockets-request.adapter.js';
