/**
 * Access decorators for message handlers.
 *
 * @packageDocumentation
 * @category Supported
 */
export { microservicesRequestAdapter } from './microservices-request.adapter.js';

export type { MicroservicesRequestAdapterOptions } from './microservices-request.adapter.js';
