/** A real Keycloak for specs and scripts, in Docker or from its distribution. */
import { findDocker, runInContainer } from './keycloak-container.js';
import { findDistribution } from './keycloak-distribution.js';
import { findJava } from './keycloak-java.js';
import type { KeycloakKind, StartKeycloakOptions } from './keycloak-options.js';
import { runFromDistribution } from './keycloak-process.js';
import { resolveSettings, type KeycloakSettings } from './keycloak-settings.js';
import { KeycloakUnavailableError } from './keycloak-unavailable-error.js';
import { ADMIN, type RunningServer } from '../running-server.js';

export type { KeycloakKind, StartKeycloakOptions } from './keycloak-options.js';
export { KeycloakUnavailableError } from './keycloak-unavailable-error.js';

/** {@link RunningServer.stop} takes it some 15 seconds at most. */
export interface RunningKeycloak extends RunningServer {
  readonly kind: KeycloakKind;
  /** As `stop`, but as a crash does it (SIGKILL): at once, and whatever is under way is lost. */
  kill(): Promise<void>;
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
 * It does *not* stop by itself: call {@link RunningServer.stop}, on signals too. If this process dies without that, the
 * distribution's process notices and ends itself; a container is left (testcontainers' reaper is not used, as its image is
 * one more to pull): `docker ps --filter label=nestjs-keycloak-s2s` finds it.
 *
 * @throws KeycloakUnavailableError when there is nothing to run it with; the message says what to install.
 * @throws Error with its last 30 log lines when it ended or was not ready in time; or when the realm file can't be used; or
 *   when the downloaded archive is not the published one.
 */
export async function startKeycloak(options: StartKeycloakOptions): Promise<RunningKeycloak> {
  options.signal?.throwIfAborted();
  try {
    return await start(options);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  }
}

async function start(options: StartKeycloakOptions): Promise<RunningKeycloak> {
  const settings = await resolveSettings(options);
  const { kind, launch } = await choose(settings, options.using);
  settings.onProgress(
    `Starting Keycloak ${settings.version} ${kind === 'docker' ? 'in Docker' : 'from its distribution'} on port ${settings.port}`,
  );
  const { baseUrl, stop, kill } = await launch();
  return {
    baseUrl,
    issuer: `${baseUrl}/realms/${settings.realm}`,
    realm: settings.realm,
    version: settings.version,
    kind,
    adminUsername: ADMIN.username,
    adminPassword: ADMIN.password,
    stop,
    kill,
  };
}

interface Choice {
  readonly kind: KeycloakKind;
  readonly launch: () => Promise<Pick<RunningKeycloak, 'baseUrl' | 'stop' | 'kill'>>;
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
