/** Test token channel: tells of each token of an application under test, which comes over no network. */
import { channel } from 'node:diagnostics_channel';

/**
 * Its messages are the texts. To be subscribed to by this object: Node 20 may have another one under its name, when one of that
 * name was collected a moment ago, as those of a spec before this one are.
 */
export const testTokenChannel = channel('nestjs-keycloak-s2s:testing:token');
