/** Keycloak in a container, with testcontainers (an optional peer dependency, loaded only here). */
import { connect } from 'node:net';
import type { ContainerRuntimeClient, WaitStrategy } from 'testcontainers';
import { firstLine } from './failed-command.js';
import { LogTail, waitUntilReady } from './keycloak-readiness.js';
import { keycloakVariables, type KeycloakSettings } from './keycloak-settings.js';
import { imageName } from './keycloak-unavailable-error.js';

type Testcontainers = typeof import('testcontainers');

export interface KeycloakContainer {
  readonly baseUrl: string;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface DockerEngine {
  readonly testcontainers: Testcontainers;
  readonly client: ContainerRuntimeClient;
}

const ENGINE_TIMEOUT_MS = 5000;
const PULL_PROGRESS_EVERY_MS = 15_000;
/** Marks the containers, to find those of a killed process: `docker ps --filter label=nestjs-keycloak-s2s`. */
const LABEL = 'nestjs-keycloak-s2s';

/** Finds an engine that answers and has the image, which it pulls if necessary; otherwise returns the reason in a sentence. */
export async function findDocker(settings: KeycloakSettings): Promise<DockerEngine | { missing: string }> {
  let testcontainers: Testcontainers;
  try {
    testcontainers = await import('testcontainers');
  } catch (error) {
    return { missing: `Docker: the package testcontainers (an optional peer dependency) ${loadFailure(error)}` };
  }
  let client: ContainerRuntimeClient;
  try {
    await assertDockerHostAnswers();
    client = await withTimeout(ENGINE_TIMEOUT_MS, settings.signal, testcontainers.getContainerRuntimeClient());
  } catch (error) {
    settings.signal.throwIfAborted();
    return { missing: `Docker: no engine answers (${firstLine(error)})` };
  }
  const missing = await pullFailure(testcontainers, client, settings);
  return missing === undefined ? { testcontainers, client } : { missing };
}

export async function runInContainer(engine: DockerEngine, settings: KeycloakSettings): Promise<KeycloakContainer> {
  const network = sharesNetwork(engine.client) ? 'host' : 'bridge';
  const host = engine.client.info.containerRuntime.host;
  const baseUrl = `http://${host}:${settings.port}`;
  const log = new LogTail();
  const container = await prepare(engine, settings, network, baseUrl)
    .withLogConsumer((stream) => log.read(stream))
    .start();
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
    return { baseUrl, stop, kill };
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
      ? { http: settings.port, management: settings.managementPort }
      : { http: 8080, management: 9000 };
  const container = new KeycloakImage(imageName(settings.version))
    .withCommand(['start-dev', '--import-realm'])
    .withEnvironment({
      ...settings.environment(network === 'host' ? 'localhost' : 'host.docker.internal'),
      ...keycloakVariables(baseUrl, ports, network === 'host' ? '127.0.0.1' : '0.0.0.0'),
    })
    .withCopyContentToContainer([
      { content: settings.realmJson, target: `/opt/keycloak/data/import/${settings.realm}-realm.json`, mode: 0o644 },
    ])
    .withLabels({ [LABEL]: String(process.pid) })
    // Otherwise testcontainers starts its reaper, which is another image to pull.
    .withAutoCleanup(false)
    .withWaitStrategy(noWait());
  return network === 'host'
    ? container.withNetworkMode('host')
    : container
        .withExposedPorts({ container: ports.http, host: settings.port }, ports.management)
        .withExtraHosts([{ host: 'host.docker.internal', ipAddress: 'host-gateway' }]);
}

/**
 * Whether the host network of the engine is the network of this machine. Then a container can listen on loopback only, and
 * `localhost` is the same for Keycloak and this process. That is not so in a virtual machine (Docker Desktop), for a remote
 * engine, or for a rootless one, whose socket is in a user's folder.
 */
function sharesNetwork({ info: { containerRuntime } }: ContainerRuntimeClient): boolean {
  return (
    process.platform === 'linux' &&
    containerRuntime.host === 'localhost' &&
    !/desktop/i.test(containerRuntime.operatingSystem) &&
    !/^\/(run\/user|home)\//.test(containerRuntime.remoteSocketPath)
  );
}

/** If the engine in DOCKER_HOST does not answer, testcontainers would use a local engine; this function throws instead. */
async function assertDockerHostAnswers(): Promise<void> {
  const dockerHost = process.env['DOCKER_HOST'];
  if (dockerHost === undefined || dockerHost === '') return;
  const url = new URL(dockerHost);
  const socket =
    url.protocol === 'unix:' ? connect(url.pathname) : connect(Number(url.port || 2375), url.hostname || 'localhost');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(ENGINE_TIMEOUT_MS, () => reject(new Error('timeout')));
      socket.once('connect', resolve).once('error', reject);
    });
  } catch (error) {
    throw new Error(`DOCKER_HOST is ${dockerHost}: ${firstLine(error)}`, { cause: error });
  } finally {
    socket.destroy();
  }
}

async function pullFailure(
  { ImageName }: Testcontainers,
  client: ContainerRuntimeClient,
  { version, fetchTimeoutSeconds, onProgress, signal }: KeycloakSettings,
): Promise<string | undefined> {
  const image = ImageName.fromString(imageName(version));
  const present = () => client.image.exists(image).catch(() => false);
  if (await present()) return undefined;
  onProgress(`Pulling ${image.string} (once, timeout ${fetchTimeoutSeconds} s)`);
  const began = performance.now();
  const progress = setInterval(() => {
    onProgress(`Pulling ${image.string} (${Math.round((performance.now() - began) / 1000)} s)`);
  }, PULL_PROGRESS_EVERY_MS);
  try {
    await withTimeout(
      fetchTimeoutSeconds * 1000,
      signal,
      client.image.pull(image, { force: true, platform: undefined }),
    );
    // An error during a pull is in its stream, which testcontainers does not read.
    if (await present()) return undefined;
    return `Docker: the image ${image.string} could not be pulled`;
  } catch (error) {
    signal.throwIfAborted();
    return `Docker: the image ${image.string} could not be pulled (${firstLine(error)})`;
  } finally {
    clearInterval(progress);
  }
}

/** Describes whether the package is not installed, or is broken: a wrong version, or a missing dependency. */
function loadFailure(error: unknown): string {
  const text = firstLine(error);
  // Node says "package", Jest "module". Both also report a missing dependency of testcontainers in this way.
  if (/^Cannot find (package|module) 'testcontainers'/.test(text)) return 'is not installed';
  return `is installed, but Node ${process.version} can't load it (${text}); versions 11 are known to work`;
}

/** Disables the wait of testcontainers: {@link waitUntilReady} checks readiness, for containers and distributions alike. */
function noWait(): WaitStrategy {
  return {
    waitUntilReady: () => Promise.resolve(),
    withStartupTimeout: () => noWait(),
    isStartupTimeoutSet: () => true,
    getStartupTimeout: () => 0,
  };
}

async function withTimeout<T>(timeoutMs: number, signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      limit.addEventListener('abort', () => reject(new Error(`timeout after ${timeoutMs / 1000} s`)), { once: true });
    }),
  ]);
}
