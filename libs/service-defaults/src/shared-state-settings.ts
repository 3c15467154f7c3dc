import { ConfigurationError, type KeycloakModuleOptions } from 'nestjs-keycloak-s2s';
import {
  SealingKeys,
  valkeyCache,
  ValkeyClient,
  valkeyRevocations,
  type ValkeyAddressOptions,
} from 'nestjs-keycloak-s2s/valkey';
import { readProofKeySettings } from './proof-key-settings.js';
import type { Variables } from './variables.js';

export interface SharedState {
  readonly valkey: ValkeyClient;
  readonly keys: SealingKeys;
}

export interface SharedStateSettings {
  readonly keycloak: Pick<KeycloakModuleOptions, 'revocationChannel' | 'sharedCache'>;
  readonly sharedState?: SharedState;
}

export interface SharedStateContext {
  readonly hasSessions: boolean;
  /** Whether the service polls for revocations and sends proofs of its healthy feed. */
  readonly polls: boolean;
  readonly demoMode: boolean;
}

/** DEMO: the keys and the password in compose.replicas.yml are published, so they protect nothing. */
const PUBLISHED = /DEMO[/_-]published/;

export function readSharedStateSettings(
  variables: Variables,
  { hasSessions, polls, demoMode }: SharedStateContext,
): SharedStateSettings {
  const stateUrl = variables.secret('SHARED_STATE_URL', '');
  const answersUrl = variables.secret('SHARED_ANSWERS_URL', '');
  if (stateUrl === '' && answersUrl === '') return { keycloak: {} };
  const ca = readAuthorities(variables);
  const denialKeys = stateUrl === '' ? [] : listed(variables.secret('SHARED_DENIAL_KEYS'));
  const proofs = stateUrl === '' ? {} : readProofKeySettings(variables, polls, demoMode);
  const keys = hasSessions || answersUrl !== '' ? listed(variables.secret('SHARED_STATE_KEYS')) : [];
  if (!demoMode) {
    refusePublished(variables, { SHARED_STATE_URL: [stateUrl], SHARED_ANSWERS_URL: [answersUrl] });
    refusePublished(variables, { SHARED_DENIAL_KEYS: denialKeys, SHARED_STATE_KEYS: keys });
  }
  if (keys.some((key) => denialKeys.some((other) => isSameKey(key, other)))) {
    variables.fault('SHARED_STATE_KEYS must differ from SHARED_DENIAL_KEYS, because all services have those keys');
  }
  if (placeOf(stateUrl) === placeOf(answersUrl)) {
    variables.fault('SHARED_ANSWERS_URL must name another database or server than SHARED_STATE_URL');
  }
  return {
    keycloak: {
      ...made(variables, 'SHARED_STATE_URL', 'SHARED_DENIAL_KEYS', stateUrl, (url) => ({
        // #region channel
        revocationChannel: valkeyRevocations({ url, keys: denialKeys, proofs, ...ca }),
        // #endregion channel
      })),
      ...made(variables, 'SHARED_ANSWERS_URL', 'SHARED_STATE_KEYS', answersUrl, (url) => ({
        // #region cache
        sharedCache: valkeyCache({ url, keys, ...ca }),
        // #endregion cache
      })),
    },
    ...(hasSessions
      ? made(variables, 'SHARED_STATE_URL', 'SHARED_STATE_KEYS', stateUrl, (url) => ({
          sharedState: stateAt({ url, ...ca }, keys),
        }))
      : {}),
  };
}

function made<T extends object>(
  variables: Variables,
  urlName: string,
  keysName: string,
  url: string,
  make: (url: string) => T,
): T | undefined {
  if (url === '') return undefined;
  try {
    return make(url);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const names: Readonly<Record<string, string>> = {
      url: urlName,
      keys: keysName,
      'proofs.privateKey': 'SIGNAL_PROOF_PRIVATE_KEY',
      'proofs.publicKeys': 'SIGNAL_PROOF_PUBLIC_KEYS',
    };
    for (const fault of error.faults) variables.fault(fault.replace(/^[\w.]+/, (name) => names[name] ?? name));
    return undefined;
  }
}

function stateAt(address: ValkeyAddressOptions, keys: readonly string[]): SharedState {
  const fault = SealingKeys.faultOf(keys);
  if (fault !== undefined) throw new ConfigurationError('Sessions need keys', [fault]);
  return { valkey: new ValkeyClient(address), keys: new SealingKeys(keys) };
}

const DEFAULT_PORT = '6379';

const listed = (text: string): string[] => text.split(/[\s,]+/).filter((one) => one !== '');

const isSameKey = (one: string, other: string): boolean =>
  Buffer.from(one, 'base64').equals(Buffer.from(other, 'base64'));

/** An unreadable URL counts as different from every other URL. */
function placeOf(url: string): unknown {
  if (!URL.canParse(url)) return Symbol('no place');
  const { hostname, port, pathname } = new URL(url);
  return `${hostname.toLowerCase()}:${port || DEFAULT_PORT}/${Number(pathname.slice(1))}`;
}

function readAuthorities(variables: Variables): { readonly ca?: string } {
  const certificates = variables.certificates('SHARED_STATE_CA_FILE');
  return certificates === undefined ? {} : { ca: certificates.text };
}

function refusePublished(variables: Variables, all: Readonly<Record<string, readonly string[]>>): void {
  for (const [name, values] of Object.entries(all)) {
    if (!values.some((value) => PUBLISHED.test(value))) continue;
    variables.fault(`${name} contains a published demo value: use one of your own, or set DEMO_MODE=true`);
  }
}
