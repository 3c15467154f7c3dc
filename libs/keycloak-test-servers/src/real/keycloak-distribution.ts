import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { firstLine } from './failed-command.js';
import { fetchArchive, verifyKnownArchive } from './keycloak-archive.js';
import type { KeycloakSettings } from './keycloak-settings.js';
import { unzip } from './unzip.js';

export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment['XDG_CACHE_HOME'];
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.cache'), 'nestjs-keycloak-s2s');
}

/** If the cache folder has an archive `keycloak-<version>.zip`, no download is necessary. */
export async function findDistribution(settings: KeycloakSettings): Promise<{ home: string } | { missing: string[] }> {
  const cache = cacheFolder();
  const home = join(cache, `keycloak-${settings.version}`);
  // The distribution gets this folder name only after unpacking, so an existing folder is complete.
  if (existsSync(home)) return { home };
  let workFolder: string;
  try {
    await mkdir(cache, { recursive: true });
    workFolder = await mkdtemp(join(cache, `.getting-${settings.version}-`));
  } catch (error) {
    return { missing: [`Keycloak's distribution: the cache folder ${cache} can't be written (${firstLine(error)})`] };
  }
  try {
    let archive = `${home}.zip`;
    if (existsSync(archive)) {
      await verifyKnownArchive(archive, settings.version);
    } else {
      const fetched = await fetchArchive(workFolder, settings);
      if ('missing' in fetched) return fetched;
      archive = fetched.path;
    }
    settings.onProgress(`Unpacking Keycloak ${settings.version} into ${home}`);
    await unzip(archive, workFolder, settings.signal);
    await renameUnlessThere(join(workFolder, `keycloak-${settings.version}`), home);
    return { home };
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

export function builtServer(home: string, features: readonly string[]): string {
  return [`${home}-built`, ...features].join('+');
}

export async function keepBuiltServer(builtByRun: string, cache: string): Promise<void> {
  if (existsSync(cache)) return;
  const copy = await mkdtemp(`${cache}-`);
  try {
    await cp(builtByRun, copy, { recursive: true });
    await renameUnlessThere(copy, cache);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** If another process has already created the folder, the existing folder stays. */
async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}
