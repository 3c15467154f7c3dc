import { channel } from 'node:diagnostics_channel';

/**
 * Publishes each token of a tested application: no network traffic shows these tokens. Subscribe to this object: Node
 * 20 may later return another channel by name.
 */
export const testTokenChannel = channel('nestjs-keycloak-s2s:testing:token');
