import { ConfigurationError, ConfigurationFaults } from '../../index.js';
import { SealingKeys } from './sealing-keys.js';
import {
  addressOf,
  checkAddress,
  isEncrypted,
  type ValkeyAddress,
  type ValkeyAddressOptions,
} from './valkey-address.js';

export function readSealedOptions(
  maker: string,
  options: ValkeyAddressOptions & { readonly keys: readonly string[] },
  others: readonly string[] = [],
): { readonly address: ValkeyAddress; readonly keys: SealingKeys } {
  const faults = new ConfigurationFaults();
  checkAddress(options, faults, ['keys', ...others]);
  const fault = SealingKeys.faultOf((Object(options) as typeof options).keys);
  if (fault !== undefined) faults.fault(fault);
  faults.throwIfFaulty((all) => new ConfigurationError(`${maker}() can't be used`, all));
  return { address: addressOf(options), keys: new SealingKeys(options.keys) };
}

/** Throws `ConfigurationError` if passwords would travel unencrypted and `allowInsecureRequests` is false. */
export function checkEncryption(maker: string, address: ValkeyAddress, allowInsecureRequests: boolean): void {
  if (isEncrypted(address) || allowInsecureRequests) return;
  throw new ConfigurationError(`${maker}() can't be used`, [
    'url must be valkeys: (or allowInsecureRequests must be true, for development)',
  ]);
}
