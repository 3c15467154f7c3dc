/** The port for channel refusals: the reasons that metrics count. */
export { CHANNEL_REFUSALS } from '../../revocation/channel-refusals.js';
