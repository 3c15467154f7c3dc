/** Valkey revocations: the settings of a revocation channel over Valkey. */
import {
  ConfigurationError,
  ConfigurationFaults,
  type ConnectedRevocationChannel,
  type RevocationChannel,
  type RevocationChannelContext,
  type RevocationReceiver,
} from '../index.js';
import { SealingKeys } from './sealing-keys.js';
import type { ValkeyAddress } from './valkey-connection.js';
import { ValkeyRevocationChannel } from './valkey-revocation-channel.js';

export interface ValkeyRevocationsOptions {
  /**
   * `valkeys://<user>:<password>@<host>:<port>/<database>`; `valkey:` without TLS is for development. `rediss:` and `redis:` are the same. User, password,
   * port (6379) and database (0) can be left out.
   */
  readonly url: string;
  /**
   * Random keys of 32 bytes in base64 (`openssl rand -base64 32`), the same at every service of the realm and used for nothing else: the first one seals, all of
   * them open. They are not the client's secret.
   */
  readonly keys: readonly string[];
  /** Certificates of the authorities that are trusted for the server, in PEM. Default: those of Node. */
  readonly ca?: string;
}

/**
 * For `forRoot({ revocationChannel })`: denials and rechecks reach every replica of every service that has the same realm, keys and server, by a stream
 * (tried with Valkey 8.1). Who reads the server learns nothing of them; who writes it can delete them, and no more.
 *
 * It sends nothing before the application starts. Throws `ConfigurationError`.
 */
export function valkeyRevocations(options: ValkeyRevocationsOptions): RevocationChannel {
  const faults = new ConfigurationFaults();
  const { url: text, keys, ca } = options;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !PROTOCOLS.has(url.protocol) || url.hostname === '') {
    faults.fault('url must be valkeys://<host>:<port>, or valkey:, rediss:, redis:');
  } else if (!/^(\/\d{0,4})?$/.test(url.pathname) || url.search !== '' || url.hash !== '') {
    faults.fault('url must end with the host, the port, or the number of a database');
  } else if (!isDecodable(url.username) || !isDecodable(url.password)) {
    faults.fault('url has a user or password with a "%" that is not encoded (%25)');
  }
  const fault = SealingKeys.faultOf(keys);
  if (fault !== undefined) faults.fault(fault);
  faults.throwIfFaulty((all) => new ConfigurationError("valkeyRevocations() can't be used", all));
  return new ValkeyRevocations({ url: new URL(text), ca }, new SealingKeys(keys));
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const PROTOCOLS = new Set(['valkeys:', 'valkey:', 'rediss:', 'redis:']);
const ENCRYPTED = new Set(['valkeys:', 'rediss:']);

class ValkeyRevocations implements RevocationChannel {
  // What is private in the types alone would be printed.
  readonly #address: ValkeyAddress;
  readonly #keys: SealingKeys;

  constructor(address: ValkeyAddress, keys: SealingKeys) {
    this.#address = address;
    this.#keys = keys;
  }

  check({ allowInsecureRequests }: RevocationChannelContext): void {
    if (ENCRYPTED.has(this.#address.url.protocol) || allowInsecureRequests) return;
    throw new ConfigurationError("valkeyRevocations() can't be used", [
      'url must be valkeys: (or allowInsecureRequests must be true, for development)',
    ]);
  }

  connect(context: RevocationChannelContext, receiver: RevocationReceiver): ConnectedRevocationChannel {
    return new ValkeyRevocationChannel(this.#address, this.#keys, context, receiver);
  }
}
