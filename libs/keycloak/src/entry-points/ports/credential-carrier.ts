/** The port for doors that bring credentials out of other contexts than HTTP. */
export { BearerError } from '../../protocol/bearer-error.js';
export { refusedEvent } from '../../resource-server/transport.exception.js';

export type {
  CallContext,
  CarriedRefusal,
  CarriedRequest,
  CredentialCarrier,
  LongLivedConnection,
} from '../../resource-server/credential.carrier.js';
