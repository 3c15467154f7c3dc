import type { CertifiedKey, StartKeycloakOptions } from './keycloak-options.js';
import { freePort } from '../free-port.js';
import { readRealmExport } from '../realm-export.js';
import { ADMIN, DEFAULT_KEYCLOAK_VERSION } from '../running-server.js';
import { environmentAt } from '../start-server-options.js';

export interface KeycloakSettings {
  readonly version: string;
  readonly realm: string;
  readonly realmJson: string;
  readonly port: number;
  readonly managementPort: number;
  readonly fetchTimeoutSeconds: number;
  readonly startupTimeoutSeconds: number;
  readonly environment: (thisMachine: string) => Readonly<Record<string, string>>;
  readonly features: readonly string[];
  readonly hostname: NonNullable<StartKeycloakOptions['hostname']>;
  readonly tls: (CertifiedKey & { readonly port: number }) | undefined;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

export async function resolveSettings(options: StartKeycloakOptions): Promise<KeycloakSettings> {
  const environment = environmentAt(options.environment);
  const { realm, json } = await readRealmExport(options.realm, environment('localhost'));
  return {
    version: options.version ?? (process.env['KEYCLOAK_VERSION'] || DEFAULT_KEYCLOAK_VERSION),
    realm,
    realmJson: json,
    port: options.port ?? (await freePort()),
    managementPort: await freePort(),
    fetchTimeoutSeconds: options.fetchTimeoutSeconds ?? 900,
    startupTimeoutSeconds: options.startupTimeoutSeconds ?? 300,
    environment,
    features: (options.features ?? []).toSorted(),
    hostname: options.hostname ?? 'fixed',
    tls: options.tls && { ...options.tls, port: await freePort() },
    onProgress: options.onProgress ?? (() => undefined),
    signal: options.signal ?? new AbortController().signal,
  };
}

export const CERTIFICATE_FILE = 'conf/server.crt.pem';
export const KEY_FILE = 'conf/server.key.pem';

export function tlsVariables(home: string, port: number) {
  return {
    KC_HTTPS_PORT: String(port),
    KC_HTTPS_CERTIFICATE_FILE: `${home}/${CERTIFICATE_FILE}`,
    KC_HTTPS_CERTIFICATE_KEY_FILE: `${home}/${KEY_FILE}`,
    // With the default setting, the management port would also use TLS.
    KC_HTTP_MANAGEMENT_SCHEME: 'http',
  };
}

/** For a server that lives for minutes, these options halve the start's CPU time. */
const QUICK_START = '-XX:TieredStopAtLevel=1 -XX:-UseG1GC -XX:+UseSerialGC';

export const javaOptions = ({ JAVA_OPTS_APPEND = QUICK_START }: Readonly<Record<string, string>>): string =>
  JAVA_OPTS_APPEND;

/** The features are the only build option that varies. */
export function keycloakVariables(
  baseUrl: string,
  ports: { http: number; management: number },
  listenOn: string,
  { features, hostname }: Pick<KeycloakSettings, 'features' | 'hostname'>,
) {
  return {
    ...(features.length === 0 ? {} : { KC_FEATURES: features.join(',') }),
    KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.username,
    KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
    // By default, brute-force protection refuses concurrent logins of one user, and tests share users.
    KC_SPI_BRUTE_FORCE_PROTECTOR__DEFAULT_BRUTE_FORCE_DETECTOR__ALLOW_CONCURRENT_REQUESTS: 'true',
    KC_DB: 'dev-mem',
    KC_HEALTH_ENABLED: 'true',
    // The issuer is fixed, but back-channel endpoints have the address that the caller used.
    ...(hostname === 'fixed' ? { KC_HOSTNAME: baseUrl, KC_HOSTNAME_BACKCHANNEL_DYNAMIC: 'true' } : {}),
    KC_HTTP_HOST: listenOn,
    KC_HTTP_PORT: String(ports.http),
    KC_HTTP_MANAGEMENT_PORT: String(ports.management),
  };
}
