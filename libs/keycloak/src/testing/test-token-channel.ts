import { channel } from 'node:diagnostics_channel';

/**
 * Publishes each token of a tested application, because these tokens never pass through the network. Subscribe to this
 * channel object, not to its name, because in Node 20 the name may later refer to another channel.
 */
export const testTokenChannel = channel('nestjs-keycloak-s2s:testing:token');
