/** The port for the metrics that count channel refusals by reason. */
export { CHANNEL_REFUSALS } from '../../revocation/channel-refusals.js';
