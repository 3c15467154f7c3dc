/** Shared state settings: what the replicas of all services share, and where. */
import { readFileSync } from 'node:fs';
import { ConfigurationError, type KeycloakModuleOptions } from 'nestjs-keycloak-s2s';
import { SealingKeys, ValkeyClient, valkeyRevocations, type ValkeyAddressOptions } from 'nestjs-keycloak-s2s/valkey';
import type { Variables } from './variables.js';

/** Where the replicas of one service keep what is theirs alone, and the keys that seal it. */
export interface SharedState {
  readonly valkey: ValkeyClient;
  readonly keys: SealingKeys;
}

export interface SharedStateSettings {
  readonly keycloak: Pick<KeycloakModuleOptions, 'revocationChannel'>;
  readonly sharedState?: SharedState;
}

/** How the options of the library are called here. */
const NAMES: Readonly<Record<string, string>> = { url: 'SHARED_STATE_URL', keys: 'SHARED_DENIAL_KEYS' };

/**
 * Variables: `SHARED_STATE_URL` or `SHARED_STATE_URL_FILE` (`valkeys://…`; default: nothing is shared), `SHARED_DENIAL_KEYS` or
 * `SHARED_DENIAL_KEYS_FILE` (with blanks or commas between them), `SHARED_STATE_CA_FILE`, and for a service with sessions `SHARED_STATE_KEYS` or
 * `SHARED_STATE_KEYS_FILE`.
 */
export function readSharedStateSettings(variables: Variables, hasSessions: boolean): SharedStateSettings {
  const url = variables.secret('SHARED_STATE_URL', '');
  if (url === '') return { keycloak: {} };
  const keys = listed(variables.secret('SHARED_DENIAL_KEYS'));
  const address = { url, ...readAuthorities(variables) };
  const ownKeys = hasSessions ? listed(variables.secret('SHARED_STATE_KEYS')) : [];
  const fault = hasSessions ? SealingKeys.faultOf(ownKeys) : undefined;
  if (fault !== undefined) variables.fault(fault.replace(/^keys/, 'SHARED_STATE_KEYS'));
  if (ownKeys.some((key) => keys.includes(key))) {
    variables.fault('SHARED_STATE_KEYS must be other keys than SHARED_DENIAL_KEYS, which all services have');
  }
  try {
    // #region channel
    const keycloak = { revocationChannel: valkeyRevocations({ ...address, keys }) };
    // #endregion channel
    const isWhole = hasSessions && fault === undefined;
    return { keycloak, ...(isWhole ? { sharedState: stateAt(address, ownKeys) } : {}) };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    for (const one of error.faults) variables.fault(one.replace(/^\w+/, (name) => NAMES[name] ?? name));
    return { keycloak: {} };
  }
}

function stateAt(address: ValkeyAddressOptions, keys: readonly string[]): SharedState {
  return { valkey: new ValkeyClient(address), keys: new SealingKeys(keys) };
}

/** With blanks or commas between them. */
const listed = (text: string): string[] => text.split(/[\s,]+/).filter((one) => one !== '');

function readAuthorities(variables: Variables): { readonly ca?: string } {
  const file = variables.text('SHARED_STATE_CA_FILE', '');
  try {
    return file === '' ? {} : { ca: readFileSync(file, 'utf8') };
  } catch {
    variables.fault("SHARED_STATE_CA_FILE points to a file that can't be read");
    return {};
  }
}
