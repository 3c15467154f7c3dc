export { letManyListen } from '../../caching/shared-signal.js';
export { sendStreaming } from '../../client/streaming-call.js';
export { KEYCLOAK } from '../../module/keycloak.module-definition.js';
export { checkServiceNames } from '../../options/service.options.js';

export type { StreamingAnswer } from '../../client/streaming-call.js';
export type { CallBody, StreamingMethod, StreamingRequest } from '../../client/streaming-exchange.js';
export type { ComposedKeycloak } from '../../module/compose-keycloak.js';
