/** Keycloak's distribution, unpacked once into a cache that all runs share and none writes to. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fetchArchive, verifyKnownArchive } from './keycloak-archive.js';
import type { KeycloakSettings } from './keycloak-settings.js';

/** Where distributions are kept: `$XDG_CACHE_HOME` or `~/.cache`, and in it `nestjs-keycloak-s2s`. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment['XDG_CACHE_HOME'];
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.cache'), 'nestjs-keycloak-s2s');
}

/**
 * The folder of the unpacked release, got and unpacked first if need be, or a sentence for each way that failed. An archive
 * `keycloak-<version>.tar.gz` that was laid into the cache folder by hand is used instead of a download.
 */
export async function findDistribution(settings: KeycloakSettings): Promise<{ home: string } | { missing: string[] }> {
  const cache = cacheFolder();
  const home = join(cache, `keycloak-${settings.version}`);
  // It is renamed into place once complete: if it is there, it is whole.
  if (existsSync(home)) return { home };
  await mkdir(cache, { recursive: true });
  const workFolder = await mkdtemp(join(cache, `.getting-${settings.version}-`));
  try {
    const laid = `${home}.tar.gz`;
    let archive = laid;
    if (existsSync(laid)) {
      await verifyKnownArchive(laid, settings.version);
    } else {
      const fetched = await fetchArchive(workFolder, settings);
      if ('missing' in fetched) return fetched;
      archive = fetched.path;
    }
    settings.onProgress(`Unpacking Keycloak ${settings.version} into ${home}`);
    await promisify(execFile)('tar', ['-xzf', archive, '-C', workFolder], { signal: settings.signal });
    await renameUnlessThere(join(workFolder, `keycloak-${settings.version}`), home);
    return { home };
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

/** Where the server that Keycloak builds for its options at the first start is kept: later starts skip that step. */
export function builtServer(home: string): string {
  return `${home}-built`;
}

/** Keeps the built server of a run that became ready. */
export async function keepBuiltServer(builtByRun: string, home: string): Promise<void> {
  if (existsSync(builtServer(home))) return;
  const copy = await mkdtemp(`${builtServer(home)}-`);
  try {
    await cp(builtByRun, copy, { recursive: true });
    await renameUnlessThere(copy, builtServer(home));
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** Another process may have been quicker, and its folder is as good as ours. */
async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}
