import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../libs/keycloak-test-servers/src/real/keycloak-distribution.js';

/** The base until the first release. Its sessions, cached results and proofs have other keys or another format. */
const BEFORE_RELEASES = '9ce7fc5f46c41b69d1124e7a5f91094ab96bd83f';

const ROOT = resolve(import.meta.dirname, '../..');
const LIBRARY = 'libs/keycloak';

export interface PreviousVersion {
  readonly name: string;
  readonly folder: string;
  /** Whether it shares sessions, cached results and proofs with this version. Both versions always share denials. */
  readonly sharesAll: boolean;
}

/** Builds the services of the last release once per commit, in the folder that also caches Keycloak. */
export async function previousVersion(): Promise<PreviousVersion> {
  const tag = await git('describe', '--tags', '--abbrev=0', '--match=v*', 'HEAD~1').catch(() => undefined);
  const name = tag ?? BEFORE_RELEASES;
  const commit = await git('rev-parse', '--verify', '--quiet', `${name}^{commit}`).catch(() => {
    throw new Error(`This clone lacks the previous version, ${name}. Run: git fetch --unshallow --tags`);
  });
  const folder = join(cacheFolder(), `services-${commit.slice(0, 12)}`);
  if (!existsSync(folder)) await build(commit, folder);
  return { name: tag ?? commit.slice(0, 8), folder, sharesAll: commit !== BEFORE_RELEASES };
}

async function build(commit: string, folder: string): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const home = await mkdtemp(`${folder}-`);
  try {
    const archive = join(home, 'archive.tar');
    await git('archive', `--output=${archive}`, commit);
    await done(home, 'tar', '-xf', archive);
    await rm(archive);
    await done(home, 'npm', 'ci');
    await done(home, process.execPath, 'node_modules/typescript/bin/tsc', '-b');
    await pack(home);
    await rename(home, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Replaces npm's link to the library's folder, so that the services can import only what a release contains. */
async function pack(home: string): Promise<void> {
  const inLibrary = join(LIBRARY, 'node_modules/.cache/packed');
  await mkdir(join(home, inLibrary), { recursive: true });
  const packed = await done(
    join(home, LIBRARY),
    'npm',
    'pack',
    '--silent',
    '--pack-destination',
    join(home, inLibrary),
  );
  const tarball = packed.trim().split('\n').at(-1) ?? '';
  await done(join(home, inLibrary), 'tar', '-xzf', tarball);
  const { name } = JSON.parse(await readFile(join(home, LIBRARY, 'package.json'), 'utf8')) as { readonly name: string };
  const link = join(home, 'node_modules', name);
  await unlink(link);
  await symlink(join('..', inLibrary, 'package'), link);
}

/** The settings of this run, which would also change the other checkout. */
const OF_THIS_RUN = /^(npm_|INIT_CWD$|NODE_OPTIONS$|NODE_ENV$)/i;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

const git = async (...args: readonly string[]): Promise<string> => (await done(ROOT, 'git', ...args)).trim();

async function done(cwd: string, command: string, ...args: readonly string[]): Promise<string> {
  const inherited = Object.entries(process.env).filter(([name]) => !OF_THIS_RUN.test(name));
  const env = { ...Object.fromEntries(inherited), npm_config_prefer_offline: 'true', npm_config_audit: 'false' };
  const { stdout } = await promisify(execFile)(command, args, { cwd, env, maxBuffer: MAX_OUTPUT_BYTES });
  return stdout;
}
