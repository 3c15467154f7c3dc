import { channel } from 'node:diagnostics_channel';

/**
 * Publishes each token of an application under test, because no network traffic shows these tokens. Subscribe to this
 * object, because Node 20 may return another channel by name after a garbage collection.
 */
export const testTokenChannel = channel('nestjs-keycloak-s2s:testing:token');
