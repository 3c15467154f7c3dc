/** What one run of Keycloak is told, the same in a container and from the distribution. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { StartKeycloakOptions } from './keycloak-options.js';
import { ADMIN } from './running-server.js';
import { environmentAt } from './start-server-options.js';

export const DEFAULT_KEYCLOAK_VERSION = '26.7.4';

/** {@link StartKeycloakOptions}, read and completed. */
export interface KeycloakSettings {
  readonly version: string;
  readonly realm: string;
  readonly realmJson: string;
  readonly port: number;
  readonly managementPort: number;
  readonly fetchTimeoutSeconds: number;
  readonly startupTimeoutSeconds: number;
  /** What fills the realm's placeholders, given the name under which Keycloak reaches this machine. */
  readonly environment: (thisMachine: string) => Readonly<Record<string, string>>;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

export async function resolveSettings(options: StartKeycloakOptions): Promise<KeycloakSettings> {
  const realmJson = await readFile(options.realm, 'utf8');
  const environment = environmentAt(options.environment);
  const missing = unfilledPlaceholders(realmJson, environment('localhost'));
  if (missing.length > 0) {
    throw new Error(`The realm file ${options.realm} needs values in options.environment for: ${missing.join(', ')}`);
  }
  return {
    version: options.version ?? DEFAULT_KEYCLOAK_VERSION,
    realm: realmName(realmJson, options.realm),
    realmJson,
    port: options.port ?? (await freePort()),
    managementPort: await freePort(),
    fetchTimeoutSeconds: options.fetchTimeoutSeconds ?? 900,
    startupTimeoutSeconds: options.startupTimeoutSeconds ?? 300,
    environment,
    onProgress: options.onProgress ?? (() => undefined),
    signal: options.signal ?? new AbortController().signal,
  };
}

/** Keycloak's own settings, as environment variables. Build options among them (database, health) never vary. */
export function keycloakVariables(baseUrl: string, ports: { http: number; management: number }, listenOn: string) {
  return {
    KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.username,
    KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
    // With brute-force protection Keycloak refuses a login of a user who has another under way; tests share users.
    KC_SPI_BRUTE_FORCE_PROTECTOR__DEFAULT_BRUTE_FORCE_DETECTOR__ALLOW_CONCURRENT_REQUESTS: 'true',
    KC_DB: 'dev-mem',
    KC_HEALTH_ENABLED: 'true',
    // The issuer is always this address, however the server was reached; its other endpoints follow the caller's.
    KC_HOSTNAME: baseUrl,
    KC_HOSTNAME_BACKCHANNEL_DYNAMIC: 'true',
    KC_HTTP_HOST: listenOn,
    KC_HTTP_PORT: String(ports.http),
    KC_HTTP_MANAGEMENT_PORT: String(ports.management),
  };
}

/** `${NAME}` placeholders without a default and without a value: Keycloak would import them as they stand. */
export function unfilledPlaceholders(realmJson: string, environment: Readonly<Record<string, string>>): string[] {
  const names = [...realmJson.matchAll(/\$\{([A-Z][A-Z0-9_]*)\}/g)].map((match) => match[1] ?? '');
  return [...new Set(names)].filter((name) => environment[name] === undefined);
}

/** The `realm` of a realm export. */
export function realmName(realmJson: string, path: string): string {
  const parsed: unknown = JSON.parse(realmJson);
  if (typeof parsed === 'object' && parsed !== null && 'realm' in parsed && typeof parsed.realm === 'string') {
    return parsed.realm;
  }
  throw new Error(`${path} is no realm export: it has no "realm" at its top`);
}

/** A port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port');
  return address.port;
}
