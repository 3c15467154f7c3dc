/** The port for doors that carry denials between replicas. */
export type {
  ConnectedRevocationChannel,
  RevocationChannel,
  RevocationChannelContext,
  RevocationReceiver,
  SharedRevocation,
} from '../revocation/revocation-channel.js';
