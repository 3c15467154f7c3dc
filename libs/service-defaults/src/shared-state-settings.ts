/** Shared state settings: what the replicas of all services share, and where. */
import { readFileSync } from 'node:fs';
import { ConfigurationError, type KeycloakModuleOptions } from 'nestjs-keycloak-s2s';
import { valkeyRevocations } from 'nestjs-keycloak-s2s/valkey';
import type { Variables } from './variables.js';

/** How the options of the library are called here. */
const NAMES: Readonly<Record<string, string>> = { url: 'SHARED_STATE_URL', keys: 'SHARED_DENIAL_KEYS' };

/**
 * Variables: `SHARED_STATE_URL` or `SHARED_STATE_URL_FILE` (`valkeys://…`; default: nothing is shared), `SHARED_DENIAL_KEYS` or
 * `SHARED_DENIAL_KEYS_FILE` (with blanks or commas between them), and `SHARED_STATE_CA_FILE`.
 */
export function readSharedStateSettings(variables: Variables): Pick<KeycloakModuleOptions, 'revocationChannel'> {
  const url = variables.secret('SHARED_STATE_URL', '');
  if (url === '') return {};
  const keyList = variables.secret('SHARED_DENIAL_KEYS');
  const keys = keyList.split(/[\s,]+/).filter((key) => key !== '');
  const caFile = variables.text('SHARED_STATE_CA_FILE', '');
  let ca: string | undefined;
  try {
    ca = caFile === '' ? undefined : readFileSync(caFile, 'utf8');
  } catch {
    variables.fault("SHARED_STATE_CA_FILE points to a file that can't be read");
  }
  try {
    // #region channel
    return { revocationChannel: valkeyRevocations({ url, keys, ...(ca === undefined ? {} : { ca }) }) };
    // #endregion channel
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    for (const fault of error.faults) variables.fault(fault.replace(/^\w+/, (name) => NAMES[name] ?? name));
    return {};
  }
}
