import { createReadStream, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ContainerRuntimeClient, WaitStrategy } from 'testcontainers';
import { BUILT_SERVER, keepBuiltArchive } from './built-archive.js';
import type { DockerEngine } from './docker-engine.js';
import { LogTail, waitUntilReady } from './keycloak-readiness.js';
import {
  CERTIFICATE_FILE,
  KEY_FILE,
  javaOptions,
  keycloakVariables,
  tlsVariables,
  type KeycloakSettings,
} from './keycloak-settings.js';
import { imageName } from './keycloak-unavailable-error.js';

export interface KeycloakContainer {
  readonly baseUrl: string;
  readonly httpsUrl: string | undefined;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const LABEL = 'nestjs-keycloak-s2s';
const HOME = '/opt/keycloak';

export async function runInContainer(
  engine: DockerEngine,
  settings: KeycloakSettings,
  archive: string,
): Promise<KeycloakContainer> {
  const network = sharesNetwork(engine.client) ? 'host' : 'bridge';
  const host = engine.client.info.containerRuntime.host;
  const baseUrl = `http://${host}:${settings.port}`;
  const log = new LogTail();
  const prepared = prepare(engine, settings, network, baseUrl).withLogConsumer((stream) => log.read(stream));
  if (existsSync(archive)) {
    prepared.withCopyArchivesToContainer([{ tar: createReadStream(archive), target: dirname(BUILT_SERVER) }]);
  }
  const container = await prepared.start();
  let stopped: Promise<unknown> | undefined;
  const stop = async (): Promise<void> => {
    await (stopped ??= container.stop());
  };
  const kill = async (): Promise<void> => {
    if (stopped === undefined) await engine.client.container.getById(container.getId()).kill();
    await stop();
  };
  try {
    const managementPort = network === 'host' ? settings.managementPort : container.getMappedPort(9000);
    await waitUntilReady({
      healthUrl: `http://${host}:${managementPort}/health/ready`,
      issuer: `${baseUrl}/realms/${settings.realm}`,
      timeoutSeconds: settings.startupTimeoutSeconds,
      ended: async () => {
        const { State } = await engine.client.container.getById(container.getId()).inspect();
        return State.Running ? undefined : `exit code ${State.ExitCode}`;
      },
      lastLines: log.lines,
      onProgress: settings.onProgress,
      signal: settings.signal,
    });
    await keepBuiltArchive(container, archive);
    const httpsUrl = settings.tls && `https://${host}:${settings.tls.port}`;
    return { baseUrl, httpsUrl, stop, kill };
  } catch (error) {
    await stop();
    throw error;
  }
}

function prepare(engine: DockerEngine, settings: KeycloakSettings, network: 'host' | 'bridge', baseUrl: string) {
  const { GenericContainer } = engine.testcontainers;
  const onLoopback = engine.client.info.containerRuntime.host === 'localhost';

  class KeycloakImage extends GenericContainer {
    protected override async beforeContainerCreated(): Promise<void> {
      const bindings = (this.hostConfig.PortBindings ?? {}) as Record<string, { HostIp?: string }[]>;
      for (const binding of Object.values(bindings).flat()) {
        if (onLoopback) binding.HostIp = '127.0.0.1';
      }
    }
  }

  const ports =
    network === 'host'
      ? { http: settings.port, https: settings.tls?.port ?? 0, management: settings.managementPort }
      : { http: 8080, https: 8443, management: 9000 };
  const environment = settings.environment(network === 'host' ? 'localhost' : 'host.docker.internal');
  const container = new KeycloakImage(imageName(settings.version))
    .withCommand(['start-dev', '--import-realm'])
    .withEnvironment({
      ...environment,
      JAVA_OPTS_APPEND: javaOptions(environment),
      ...keycloakVariables(baseUrl, ports, network === 'host' ? '127.0.0.1' : '0.0.0.0', settings),
      ...(settings.tls && tlsVariables(HOME, ports.https)),
    })
    .withCopyContentToContainer([
      { content: settings.realmJson, target: `${HOME}/data/import/${settings.realm}-realm.json`, mode: 0o644 },
      ...tlsFiles(settings),
    ])
    .withLabels({ [LABEL]: String(process.pid) })
    // With the default setting, testcontainers would pull and start an image that removes containers.
    .withAutoCleanup(false)
    .withWaitStrategy(noWait());
  return network === 'host'
    ? container.withNetworkMode('host')
    : container
        .withExposedPorts(
          { container: ports.http, host: settings.port },
          ...(settings.tls ? [{ container: ports.https, host: settings.tls.port }] : []),
          ports.management,
        )
        .withExtraHosts([{ host: 'host.docker.internal', ipAddress: 'host-gateway' }]);
}

/** In the container, Keycloak runs as another user, which must be able to read the key. */
function tlsFiles({ tls }: KeycloakSettings) {
  if (tls === undefined) return [];
  return [
    { content: tls.cert, target: `${HOME}/${CERTIFICATE_FILE}`, mode: 0o644 },
    { content: tls.key, target: `${HOME}/${KEY_FILE}`, mode: 0o644 },
  ];
}

/**
 * Returns false for a remote or rootless engine, and in a virtual machine (Docker Desktop). The socket of a rootless
 * engine is in a user's folder.
 */
function sharesNetwork({ info: { containerRuntime } }: ContainerRuntimeClient): boolean {
  return (
    process.platform === 'linux' &&
    containerRuntime.host === 'localhost' &&
    !/desktop/i.test(containerRuntime.operatingSystem) &&
    !/^\/(run\/user|home)\//.test(containerRuntime.remoteSocketPath)
  );
}

function noWait(): WaitStrategy {
  return {
    waitUntilReady: () => Promise.resolve(),
    withStartupTimeout: () => noWait(),
    isStartupTimeoutSet: () => true,
    getStartupTimeout: () => 0,
  };
}
