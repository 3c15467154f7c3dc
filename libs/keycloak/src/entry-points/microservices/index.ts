/** The door nestjs-keycloak-s2s/microservices: handlers of messages over gRPC, NATS and RabbitMQ. Peer: `@nestjs/microservices`. */
export { microservicesRequestAdapter } from './microservices-request.adapter.js';

export type { MicroservicesRequestAdapterOptions } from './microservices-request.adapter.js';
