export { microservicesRequestAdapter } from './microservices-request.adapter.js';

export type { MicroservicesRequestAdapterOptions } from './microservices-request.adapter.js';
