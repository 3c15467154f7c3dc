/** The entry point nestjs-keycloak-s2s/microservices: gRPC, NATS and RabbitMQ (peer `@nestjs/microservices`). */
export { microservicesRequestAdapter } from './microservices-request.adapter.js';

export type { MicroservicesRequestAdapterOptions } from './microservices-request.adapter.js';
