/** TLS options: which certificates a server is trusted by, and the check at boot. */
import { CaFile, CaFileError } from '../http/ca-file.js';
import type { TrustedAuthorities } from '../http/network.js';
import type { OptionKind } from './option-kinds.js';

/** Whom the certificate of one server must be of. There is no way to leave its verification out. */
export interface TlsOptions {
  /**
   * Path of a file with the certificates, in PEM, of the authorities that are trusted for this server INSTEAD of those of Node, which
   * `NODE_EXTRA_CA_CERTS` adds to. It is read and checked at boot, and again whenever a connection is made: new connections use what it holds then,
   * and those that are open go on. While it can't be used, the last content that could be is kept.
   */
  readonly caFile?: string | undefined;
}

/** Without a file where none is given. */
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
