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
   * Random keys of 32 bytes in base64 (`openssl rand -base64 32`). All services of the realm share the keys of the
   * channel, and use them for nothing else. The first key encrypts entries, and every key decrypts entries. Do not use
   * the client's secret.
   */
  readonly keys: readonly string[];
  /**
   * Ed25519 keys to sign and verify a poller's proof of a healthy feed. Every service that is not a poller needs the
   * public keys of all pollers. Without public keys, a service reuses cached results only for
   * `introspectionTtlSeconds`.
   */
  readonly proofs?: ProofKeyOptions;
}

/**
 * Revocation channel for `forRoot({ revocationChannel })` (tried with Valkey 8.1). A stream carries denials and
 * rechecks to all services with the same realm, keys and server. Without the keys, a reader of the Valkey server can't
 * decrypt the entries, and a writer can only delete entries.
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
