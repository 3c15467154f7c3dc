import { randomUUID } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { StartedTestContainer } from 'testcontainers';
import type { DockerEngine } from './docker-engine.js';
import { builtServer, cacheFolder } from './keycloak-distribution.js';
import type { KeycloakSettings } from './keycloak-settings.js';
import { imageName } from './keycloak-unavailable-error.js';

/** The folder of an image in which Keycloak stores the built server. */
export const BUILT_SERVER = '/opt/keycloak/lib/quarkus';

export async function builtArchive(
  { testcontainers: { ImageName }, client }: DockerEngine,
  { version, features }: KeycloakSettings,
): Promise<string> {
  const { Id } = await client.image.inspect(ImageName.fromString(imageName(version)));
  return `${builtServer(join(cacheFolder(), `image-${Id.replace('sha256:', '').slice(0, 12)}`), features)}.tar`;
}

/** If the cache is not writable, each start builds the server. */
export async function keepBuiltArchive(container: StartedTestContainer, archive: string): Promise<void> {
  if (existsSync(archive)) return;
  const copy = `${archive}-${randomUUID()}`;
  try {
    await mkdir(dirname(archive), { recursive: true });
    await pipeline(await container.copyArchiveFromContainer(BUILT_SERVER), createWriteStream(copy));
    await rename(copy, archive);
  } catch {
    await rm(copy, { force: true }).catch(() => undefined);
  }
}
