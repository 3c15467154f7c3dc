/** Valkey revocations: the settings of a revocation channel over Valkey. */
import type {
  ChannelExamination,
  ChannelQuestion,
  ConnectedRevocationChannel,
  RevocationChannel,
  RevocationChannelContext,
  RevocationReceiver,
} from '../index.js';
import { examineChannel } from './channel-examination.js';
import { checkEncryption, readSealedOptions } from './sealed-options.js';
import type { SealingKeys } from './sealing-keys.js';
import type { ValkeyAddress, ValkeyAddressOptions } from './valkey-address.js';
import { ValkeyRevocationChannel } from './valkey-revocation-channel.js';

export interface ValkeyRevocationsOptions extends ValkeyAddressOptions {
  /**
   * Random keys of 32 bytes in base64 (`openssl rand -base64 32`), the same at every service of the realm and used for nothing else: the first one seals, all of
   * them open. They are not the client's secret.
   */
  readonly keys: readonly string[];
}

/**
 * For `forRoot({ revocationChannel })`: denials and rechecks reach every replica of every service that has the same realm, keys and server, by a stream
 * (tried with Valkey 8.1). Who reads the server learns nothing of them; who writes it can delete them, and no more.
 *
 * It sends nothing before the application starts. Throws `ConfigurationError`.
 */
export function valkeyRevocations(options: ValkeyRevocationsOptions): RevocationChannel {
  const { address, keys } = readSealedOptions(MAKER, options);
  return new ValkeyRevocations(address, keys);
}

const MAKER = 'valkeyRevocations';

class ValkeyRevocations implements RevocationChannel {
  // What is private in the types alone would be printed.
  readonly #address: ValkeyAddress;
  readonly #keys: SealingKeys;

  constructor(address: ValkeyAddress, keys: SealingKeys) {
    this.#address = address;
    this.#keys = keys;
  }

  check({ allowInsecureRequests }: RevocationChannelContext): void {
    checkEncryption(MAKER, this.#address, allowInsecureRequests);
  }

  connect(context: RevocationChannelContext, receiver: RevocationReceiver): ConnectedRevocationChannel {
    return new ValkeyRevocationChannel(this.#address, this.#keys, context, receiver);
  }
  async examine(context: RevocationChannelContext, question: ChannelQuestion): Promise<ChannelExamination> {
    return examineChannel(this.#address, this.#keys, context, question);
  }
}
