import { channel } from 'node:diagnostics_channel';

/**
 * Publishes each token of an application under test, because no network traffic shows it. Subscribe to this object, not
 * by name: Node 20 may return a different channel after a channel of that name was garbage-collected.
 */
export const testTokenChannel = channel('nestjs-keycloak-s2s:testing:token');
