import { EMBEDDED_SERVER_NAME } from './embedded/start-authorization-server.js';
import { realmNameIn } from './realm-export.js';
import { ADMIN, type RunningServer } from './running-server.js';
import type { StartServerOptions } from './start-server-options.js';
import { timeLimit } from './time-limit.js';

const TIMEOUT_MS = 10_000;

export async function findExternalServer(url: string, options: StartServerOptions): Promise<RunningServer> {
  const { baseUrl, realm } = await addressOf(url, options.realm);
  const { issuer, isEmbedded } = await discover(baseUrl, realm, options.signal);
  options.onProgress?.(`Using the server at ${baseUrl}`);
  const { KC_BOOTSTRAP_ADMIN_USERNAME, KC_BOOTSTRAP_ADMIN_PASSWORD } = process.env;
  return {
    baseUrl,
    issuer,
    realm,
    version: 'unknown',
    kind: isEmbedded ? 'embedded' : 'external',
    features: [],
    adminUsername: orElse(KC_BOOTSTRAP_ADMIN_USERNAME, ADMIN.username),
    adminPassword: orElse(KC_BOOTSTRAP_ADMIN_PASSWORD, ADMIN.password),
    stop: () => Promise.resolve(),
  };
}

async function addressOf(url: string, realmFile: string): Promise<{ baseUrl: string; realm: string }> {
  const [, base = '', realm] = /^(.*?)(?:\/realms\/([^/]+))?\/*$/.exec(url) ?? [];
  const baseUrl = base.replace(/\/+$/, '');
  return { baseUrl, realm: realm === undefined ? await realmNameIn(realmFile) : decodeURIComponent(realm) };
}

interface Discovered {
  readonly issuer: string;
  readonly isEmbedded: boolean;
}

async function discover(baseUrl: string, realm: string, signal: AbortSignal | undefined): Promise<Discovered> {
  const url = `${baseUrl}/realms/${encodeURIComponent(realm)}/.well-known/openid-configuration`;
  try {
    const response = await fetch(url, { signal: timeLimit(TIMEOUT_MS, signal) });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const document = (await response.json()) as { readonly issuer?: unknown };
    if (typeof document.issuer !== 'string') throw new Error('its answer names no issuer');
    return { issuer: document.issuer, isEmbedded: response.headers.get('server') === EMBEDDED_SERVER_NAME };
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(`No Keycloak with the realm ${realm}: ${url} (${reasonOf(error)})`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || message || String(error);
}

const orElse = (variable: string | undefined, otherwise: string): string =>
  variable === undefined || variable === '' ? otherwise : variable;
