import { CaFile, CaFileError } from '../http/ca-file.js';
import type { TrustedAuthorities } from '../http/network.js';
import type { OptionKind } from './option-kinds.js';

/** Certificates are always verified. */
export interface TlsOptions {
  /**
   * The path of a PEM file with this server's authorities, INSTEAD of Node's. `NODE_EXTRA_CA_CERTS` adds further
   * authorities to Node's authorities.
   *
   * The file is read and checked at boot, and again for each new connection. Open connections stay open. While the file
   * is unusable, its last usable content stays in use.
   */
  readonly caFile?: string | undefined;
}

export const trustedAuthorities: OptionKind<TrustedAuthorities> = (name, given = {}, { faults }) => {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    faults.fault(`${name} must be { caFile }, with the path of a file`);
    return {};
  }
  const { caFile, ...others } = given as Readonly<Record<string, unknown>>;
  for (const other of Object.keys(others)) faults.fault(`${name} has an unknown member "${other}"`);
  if (caFile === undefined) return {};
  if (typeof caFile !== 'string' || caFile.trim() === '') {
    faults.fault(`${name}.caFile must be the path of a file`);
    return {};
  }
  try {
    return { caFile: CaFile.read(caFile) };
  } catch (error) {
    if (!(error instanceof CaFileError)) throw error;
    faults.fault(`${name}.caFile ${error.message}`);
    return {};
  }
};
