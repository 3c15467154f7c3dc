import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { MigrationError } from './migration-error.js';

export interface FoundFile {
  readonly path: string;
  readonly text: string;
  readonly hasMark: boolean;
}

export interface UnreadFile {
  readonly path: string;
  readonly fault: string;
}

const SOURCE = /(?<![.]d)[.][cm]?tsx?$/;

export function findSources(paths: readonly string[]): { files: FoundFile[]; unread: UnreadFile[] } {
  const found = new Set(paths.flatMap(pathsBelow));
  const files: FoundFile[] = [];
  const unread: UnreadFile[] = [];
  for (const path of [...found].toSorted()) {
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
      const hasMark = text.startsWith('\uFEFF');
      files.push({ path, text: hasMark ? text.slice(1) : text, hasMark });
    } catch (failure) {
      unread.push({
        path,
        fault:
          (failure as NodeJS.ErrnoException).code?.startsWith('ERR_ENCODING') === true
            ? 'it is not UTF-8'
            : 'it cannot be read',
      });
    }
  }
  return { files, unread };
}

function pathsBelow(given: string): string[] {
  let path: string;
  try {
    path = realpathSync(given);
  } catch {
    throw new MigrationError(`${given} does not exist`);
  }
  return lstatSync(path).isDirectory() ? sourcesIn(path) : [path].filter((file) => SOURCE.test(file));
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) return [];
    if (entry.isDirectory()) return sourcesIn(path);
    return entry.isFile() && SOURCE.test(entry.name) ? [path] : [];
  });
}
