/** The door nestjs-keycloak-s2s/microservices: handlers of messages over gRPC, NATS and RabbitMQ. Peer: `@nestjs/microservices`. */
export { microservicesCarrier } from './microservices.carrier.js';

export type { MicroservicesCarrierOptions } from './microservices.carrier.js';
