import type {
  ChannelExamination,
  ChannelQuestion,
  ConnectedRevocationChannel,
  ProofKeysStatus,
  RevocationChannel,
  RevocationChannelContext,
  RevocationReceiver,
} from '../extension/index.js';
import { examineChannel } from './channel-examination.js';
import { ProofKeys, type ProofKeyOptions } from './proof-keys.js';
import { checkEncryption, readSealedOptions } from './sealed-options.js';
import type { SealingKeys } from './sealing-keys.js';
import type { ValkeyAddress, ValkeyAddressOptions } from './valkey-address.js';
import { ValkeyRevocationChannel } from './valkey-revocation-channel.js';

export interface ValkeyRevocationsOptions extends ValkeyAddressOptions {
  /**
   * Random keys of 32 bytes in base64 (`openssl rand -base64 32`). Every service of the realm has the same keys, and
   * uses these keys for nothing else. The first key encrypts entries, and every key decrypts entries. Do not use the
   * client's secret.
   */
  readonly keys: readonly string[];
  /**
   * Ed25519 keys that sign and verify a poller's proof that the feed of revocations is healthy. A poller, which imports
   * `RevocationEventsModule`, needs the private key. Every other service needs the public keys of all pollers. A
   * service without public keys accepts no proof, and reuses cached results only for `introspectionTtlSeconds`.
   */
  readonly proofs?: ProofKeyOptions;
}

/**
 * Revocation channel for `forRoot({ revocationChannel })` (tried with Valkey 8.1). A stream carries denials and
 * rechecks to every replica of every service that has the same realm, keys and server. A process that can read the
 * Valkey server can't decrypt the entries without the keys. A process that can write to the server can only delete
 * entries.
 *
 * The channel sends nothing before the application starts. Throws `ConfigurationError`.
 */
export function valkeyRevocations(options: ValkeyRevocationsOptions): RevocationChannel {
  const { address, keys } = readSealedOptions(MAKER, options, ['proofs']);
  return new ValkeyRevocations(address, keys, new ProofKeys(MAKER, options.proofs));
}

const MAKER = 'valkeyRevocations';

class ValkeyRevocations implements RevocationChannel {
  // This class uses `#` fields, because TypeScript's `private` fields would appear in printed objects.
  readonly #address: ValkeyAddress;
  readonly #keys: SealingKeys;
  readonly #proofKeys: ProofKeys;

  constructor(address: ValkeyAddress, keys: SealingKeys, proofKeys: ProofKeys) {
    this.#address = address;
    this.#keys = keys;
    this.#proofKeys = proofKeys;
  }

  proofKeys(): ProofKeysStatus {
    return this.#proofKeys.status;
  }

  check({ allowInsecureRequests }: RevocationChannelContext): void {
    checkEncryption(MAKER, this.#address, allowInsecureRequests);
  }

  connect(context: RevocationChannelContext, receiver: RevocationReceiver): ConnectedRevocationChannel {
    return new ValkeyRevocationChannel(this.#address, this.#keys, this.#proofKeys, context, receiver);
  }
  async examine(context: RevocationChannelContext, question: ChannelQuestion): Promise<ChannelExamination> {
    return examineChannel(this.#address, this.#keys, this.#proofKeys, context, question);
  }
}
