/** testcontainers is an optional peer dependency, which only this file loads. */
import { connect } from 'node:net';
import type { ContainerRuntimeClient } from 'testcontainers';
import { firstLine } from './failed-command.js';
import type { KeycloakSettings } from './keycloak-settings.js';
import { imageName } from './keycloak-unavailable-error.js';
import { timeLimit } from '../time-limit.js';

type Testcontainers = typeof import('testcontainers');

export interface DockerEngine {
  readonly testcontainers: Testcontainers;
  readonly client: ContainerRuntimeClient;
}

const ENGINE_TIMEOUT_MS = 5000;
const PULL_PROGRESS_EVERY_MS = 15_000;

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

/** If the engine in DOCKER_HOST does not answer, testcontainers would use a local engine. */
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
    // Testcontainers ignores errors of a pull, so this code checks the image.
    if (await present()) return undefined;
    return `Docker: the image ${image.string} could not be pulled`;
  } catch (error) {
    signal.throwIfAborted();
    return `Docker: the image ${image.string} could not be pulled (${firstLine(error)})`;
  } finally {
    clearInterval(progress);
  }
}

function loadFailure(error: unknown): string {
  const text = firstLine(error);
  // The message of Node.js says "package", and the message of Jest says "module".
  if (/^Cannot find (package|module) 'testcontainers'/.test(text)) return 'is not installed';
  return `is installed, but Node ${process.version} can't load it (${text}); versions 11 are known to work`;
}

async function withTimeout<T>(timeoutMs: number, signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const limit = timeLimit(timeoutMs, signal);
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      limit.addEventListener('abort', () => reject(new Error(`timeout after ${timeoutMs / 1000} s`)), { once: true });
    }),
  ]);
}
