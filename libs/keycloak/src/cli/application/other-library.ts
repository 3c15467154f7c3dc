import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const NAME = 'nestjs-keycloak-s2s';

export interface OtherLibrary {
  readonly version: string;
  readonly command: string;
}

/**
 * Returns the copy of this library that a module uses, or undefined if it is this copy. Services in separate projects
 * have separate copies. One process can't create the modules of two copies.
 */
export function otherLibraryOf(reference: string): OtherLibrary | undefined {
  const [path = ''] = reference.split('#');
  if (!existsSync(path)) return undefined;
  const installed = foldersAbove(dirname(realpathSync(resolve(path))))
    .map((folder) => join(folder, 'node_modules', NAME))
    .find((folder) => existsSync(join(folder, 'package.json')));
  const own = ownFolder();
  if (installed === undefined || own === undefined || realpathSync(installed) === own) return undefined;
  const { version, bin } = manifestIn(installed);
  return { version, command: join(installed, bin[NAME] ?? '') };
}

/** Returns undefined if another program than the command runs, such as a test. */
function ownFolder(): string | undefined {
  const folders = foldersAbove(dirname(realpathSync(process.argv[1] ?? '.')));
  return folders.find((folder) => existsSync(join(folder, 'package.json')) && manifestIn(folder).name === NAME);
}

function foldersAbove(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...foldersAbove(parent)];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
}

const manifestIn = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
