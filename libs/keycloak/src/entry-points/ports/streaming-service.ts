/** The port for doors that call services in their own way: a StreamingServiceClient, made from the composed parts. */
export { letManyListen } from '../../caching/shared-signal.js';
export { KEYCLOAK } from '../../module/keycloak.module-definition.js';
export { checkServiceNames } from '../../options/service.options.js';

export type { ComposedKeycloak } from '../../module/compose-keycloak.js';
export type {
  StreamingAnswer,
  StreamingServiceCaller,
  StreamingServiceClient,
} from '../../client/streaming-service-client.js';
export type { CallBody, StreamingMethod, StreamingRequest } from '../../client/streaming-transport.js';
