export { CHANNEL_REFUSALS } from '../../revocation/channel-refusals.js';
