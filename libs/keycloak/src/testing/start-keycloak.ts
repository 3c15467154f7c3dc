// A real Keycloak for specs and scripts, in Docker or from its distribution.
import { findDocker, runInContainer } from './keycloak-container.js';
import { findDistribution } from './keycloak-distribution.js';
import { findJava } from './keycloak-java.js';
import { runFromDistribution } from './keycloak-process.js';
import { ADMIN, resolveSettings, type KeycloakSettings } from './keycloak-settings.js';
import { KeycloakUnavailableError } from './keycloak-unavailable-error.js';

export { KeycloakUnavailableError } from './keycloak-unavailable-error.js';

/** How Keycloak is run: its official image, or its official distribution on this machine's JVM. */
export type KeycloakKind = 'docker' | 'distribution';

export interface StartKeycloakOptions {
  /** Path of a realm export (JSON). It is imported into an empty, in-memory database. */
  readonly realm: string;
  /**
   * Values for the `${NAME}` placeholders of the realm file, such as client secrets. A placeholder without a value and
   * without a default is refused. It may be a function of the name under which Keycloak reaches this machine (`localhost`,
   * or `host.docker.internal` where Docker has a network of its own), for URLs that Keycloak calls.
   */
  readonly environment?: Readonly<Record<string, string>> | ((thisMachine: string) => Readonly<Record<string, string>>);
  /** TCP port on this machine. Default: a free one. */
  readonly port?: number;
  /** Version of Keycloak. Default: `26.7.4`, the one this package is tested with. */
  readonly version?: string;
  /**
   * Default: Docker when an engine answers and has the image or can pull it, otherwise the distribution (Java 17 or newer).
   * If given, the other way is not tried.
   */
  readonly using?: KeycloakKind;
  /** Seconds until Keycloak must be ready once it is launched, downloads not counted. Default: 300. */
  readonly startupTimeoutSeconds?: number;
  /** Called with a line of text for every step that may take long. */
  readonly onProgress?: (line: string) => void;
  /** Gives up, at any step: what was started is ended, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface RunningKeycloak {
  /** `http://localhost:<port>`, with no slash at its end. */
  readonly baseUrl: string;
  /** `iss` of its tokens: `<baseUrl>/realms/<realm>`. */
  readonly issuer: string;
  readonly realm: string;
  readonly version: string;
  readonly kind: KeycloakKind;
  readonly adminUsername: string;
  readonly adminPassword: string;
  /** Ends it and removes all that it wrote. May be called again; resolves when it is gone, within some 15 seconds. */
  stop(): Promise<void>;
}

/**
 * Starts a real Keycloak with a realm of your own, for tests and demonstrations: development mode, plain HTTP, in-memory
 * database, administrator `admin` with password `admin`. **Not for production.** It listens on loopback only (unless a
 * remote Docker engine runs it, which then is where `baseUrl` points).
 *
 * Resolves when health and the realm's discovery document answer: some 20-40 s on two cores. The first start from the
 * distribution downloads about 180 MB into `$XDG_CACHE_HOME/nestjs-keycloak-s2s` (`~/.cache/…`), checks it, and unpacks
 * it there. Any number may run at once; each has its own port, data and temporary folder.
 *
 * It does *not* stop by itself: call {@link RunningKeycloak.stop}, on signals too. If this process dies without that, the
 * distribution's process notices and ends itself; a container is left (testcontainers' reaper is not used, as its image is
 * one more to pull): `docker ps --filter label=nestjs-keycloak-s2s` finds it.
 *
 * @throws KeycloakUnavailableError when there is nothing to run it with; the message says what to install.
 * @throws Error with its last 30 log lines when it ended or was not ready in time; or when the realm file can't be used; or
 *   when the downloaded archive is not the published one.
 */
export async function startKeycloak(options: StartKeycloakOptions): Promise<RunningKeycloak> {
  options.signal?.throwIfAborted();
  const settings = await resolveSettings(options);
  const { kind, launch } = await choose(settings, options.using);
  settings.onProgress(
    `Starting Keycloak ${settings.version} ${kind === 'docker' ? 'in Docker' : 'from its distribution'} on port ${settings.port}`,
  );
  const { baseUrl, stop } = await launch();
  return {
    baseUrl,
    issuer: `${baseUrl}/realms/${settings.realm}`,
    realm: settings.realm,
    version: settings.version,
    kind,
    adminUsername: ADMIN.username,
    adminPassword: ADMIN.password,
    stop,
  };
}

interface Choice {
  readonly kind: KeycloakKind;
  readonly launch: () => Promise<{ readonly baseUrl: string; stop(): Promise<void> }>;
}

async function choose(settings: KeycloakSettings, using: KeycloakKind | undefined): Promise<Choice> {
  const reasons: string[] = [];
  if (using !== 'distribution') {
    const docker = await findDocker(settings);
    if (!('missing' in docker)) return { kind: 'docker', launch: () => runInContainer(docker, settings) };
    settings.onProgress(docker.missing);
    reasons.push(docker.missing);
  }
  if (using !== 'docker') {
    const java = await findJava();
    const found = 'missing' in java ? { missing: [java.missing] } : await findDistribution(settings);
    if (!('missing' in java) && !('missing' in found)) {
      return { kind: 'distribution', launch: () => runFromDistribution(found.home, java.command, settings) };
    }
    if ('missing' in found) reasons.push(...found.missing);
  }
  throw new KeycloakUnavailableError(settings.version, reasons);
}
