import type { ConfigurationFaults } from '../../index.js';
import { faultOfCertificates } from '../ports/certificates.js';

export interface ValkeyAddressOptions {
  /**
   * `valkeys://<user>:<password>@<host>:<port>/<database>`, or `valkey:` without TLS for development. `rediss:` means
   * `valkeys:`, and `redis:` means `valkey:`. User, password, port (6379) and database (0) can be left out.
   */
  readonly url: string;
  /** Certificates of the trusted authorities, in PEM; by default the authorities that Node trusts. */
  readonly ca?: string;
}

export interface ValkeyAddress {
  readonly url: URL;
  readonly ca?: string | undefined;
}

const ENCRYPTED = new Set(['valkeys:', 'rediss:']);
const PROTOCOLS = new Set([...ENCRYPTED, 'valkey:', 'redis:']);

export function checkAddress(
  options: ValkeyAddressOptions,
  faults: ConfigurationFaults,
  otherNames: readonly string[],
): void {
  const { url: text, ca, ...others } = Object(options) as ValkeyAddressOptions;
  for (const other of Object.keys(others)) if (!otherNames.includes(other)) faults.fault(`unknown option "${other}"`);
  checkUrl(text, faults);
  const fault = ca === undefined ? undefined : typeof ca === 'string' ? faultOfCertificates(ca) : 'must be a text';
  if (fault !== undefined) faults.fault(`ca ${fault}`);
}

function checkUrl(text: string, faults: ConfigurationFaults): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !PROTOCOLS.has(url.protocol) || url.hostname === '') {
    faults.fault('url must be valkeys://<host>:<port>, and the protocol can also be valkey, rediss or redis');
  } else if (!/^(\/\d{0,4})?$/.test(url.pathname) || url.search !== '' || url.hash !== '') {
    faults.fault('url must end with the host, the port, or the number of a database');
  } else if (!isDecodable(url.username) || !isDecodable(url.password)) {
    faults.fault('url has a user or password with a "%" that is not encoded (%25)');
  }
}

export const addressOf = ({ url, ca }: ValkeyAddressOptions): ValkeyAddress => ({ url: new URL(url), ca });

export const isEncrypted = ({ url }: ValkeyAddress): boolean => ENCRYPTED.has(url.protocol);

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
