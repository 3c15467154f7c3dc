import { existsSync } from 'node:fs';
import { builtArchive } from './built-archive.js';
import { findDocker } from './docker-engine.js';
import { runInContainer } from './keycloak-container.js';
import { builtServer, findDistribution } from './keycloak-distribution.js';
import { findJava } from './keycloak-java.js';
import type { KeycloakKind, StartKeycloakOptions } from './keycloak-options.js';
import { runFromDistribution } from './keycloak-process.js';
import { resolveSettings, type KeycloakSettings } from './keycloak-settings.js';
import { KeycloakUnavailableError } from './keycloak-unavailable-error.js';
import { ADMIN, type RunningServer } from '../running-server.js';

export type { CertifiedKey, KeycloakKind, StartKeycloakOptions } from './keycloak-options.js';
export { KeycloakUnavailableError } from './keycloak-unavailable-error.js';

/** {@link RunningServer.stop} takes at most about 15 seconds. */
export interface RunningKeycloak extends RunningServer {
  readonly kind: KeycloakKind;
  /** The `https:` URL has a separate port, and is undefined without {@link StartKeycloakOptions.tls}. */
  readonly httpsUrl: string | undefined;
  /** Kills the server immediately, like a crash (SIGKILL). */
  kill(): Promise<void>;
}

/**
 * Starts a real Keycloak with your realm, for tests and demonstrations. Keycloak runs in development mode with plain
 * HTTP and an in-memory database. The administrator is `admin` with the password `admin`. The server is **not for
 * production**. Keycloak listens on loopback only. With a remote Docker engine, Keycloak
 * listens on all addresses of the engine's host, and `baseUrl` names this host.
 *
 * Resolves when health endpoint and discovery document answer, after about 10-20 s on two cores. The first start with
 * a version and its features takes about a minute, and stores the built Keycloak in
 * `$XDG_CACHE_HOME/nestjs-keycloak-s2s` (`~/.cache/…`). The first start from the distribution also downloads about 180
 * MB into that folder.
 *
 * The Java options suit a short run, not a high load. `JAVA_OPTS_APPEND` in the option `environment` replaces these
 * options.
 *
 * The server does *not* stop automatically. Call {@link RunningServer.stop}, also when your process gets a signal. If
 * this process dies first, a container keeps running. The command `docker ps --filter label=nestjs-keycloak-s2s` finds
 * the container.
 *
 * @throws KeycloakUnavailableError if this machine can't run Keycloak; the message says what to install.
 * @throws Error with the last 30 log lines if Keycloak ended or was not ready in time.
 * @throws Error if the realm file can't be used, or if the downloaded archive is not the published archive.
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
  const { kind, launch, isFirst } = await choose(settings, options.using);
  settings.onProgress(
    `Starting Keycloak ${settings.version} ${kind === 'docker' ? 'in Docker' : 'from its distribution'} on port ${settings.port}`,
  );
  settings.onProgress(
    isFirst
      ? 'The first start takes about a minute, since Keycloak builds itself; later starts take some 20 s'
      : 'That takes some 20 s; the embedded server takes two',
  );
  const { baseUrl, httpsUrl, stop, kill } = await launch();
  return {
    baseUrl,
    httpsUrl,
    issuer: `${baseUrl}/realms/${settings.realm}`,
    realm: settings.realm,
    version: settings.version,
    kind,
    features: settings.features,
    adminUsername: ADMIN.username,
    adminPassword: ADMIN.password,
    stop,
    kill,
  };
}

interface Choice {
  readonly kind: KeycloakKind;
  readonly launch: () => Promise<Pick<RunningKeycloak, 'baseUrl' | 'httpsUrl' | 'stop' | 'kill'>>;
  readonly isFirst: boolean;
}

async function choose(settings: KeycloakSettings, using: KeycloakKind | undefined): Promise<Choice> {
  const reasons: string[] = [];
  if (using !== 'distribution') {
    const docker = await findDocker(settings);
    if (!('missing' in docker)) {
      const archive = await builtArchive(docker, settings);
      return {
        kind: 'docker',
        launch: () => runInContainer(docker, settings, archive),
        isFirst: !existsSync(archive),
      };
    }
    settings.onProgress(docker.missing);
    reasons.push(docker.missing);
  }
  if (using !== 'docker') {
    const java = await findJava();
    const found = 'missing' in java ? { missing: [java.missing] } : await findDistribution(settings);
    if (!('missing' in java) && !('missing' in found)) {
      return {
        kind: 'distribution',
        launch: () => runFromDistribution(found.home, java.command, settings),
        isFirst: !existsSync(builtServer(found.home, settings.features)),
      };
    }
    if ('missing' in found) reasons.push(...found.missing);
  }
  throw new KeycloakUnavailableError(settings.version, reasons);
}
