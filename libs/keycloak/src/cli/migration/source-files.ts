import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { extname, join } from 'node:path';
import { MigrationError } from './migration-error.js';

export interface FoundFile {
  readonly path: string;
  readonly text: string;
  readonly hasMark: boolean;
}

export interface UnreadFile {
  readonly path: string;
  readonly fault: string;
  readonly mayUseOldPackage: boolean;
}

interface Entries {
  readonly sources: readonly string[];
  readonly links: readonly string[];
}

const SOURCE = /(?<![.]d)[.][cm]?tsx?$/;

export const usesOldPackage = (text: string): boolean => /['"`]nest-keycloak-connect['"`]/.test(text);

export function findSources(paths: readonly string[]): { files: FoundFile[]; unread: UnreadFile[] } {
  const entries = paths.map(entriesBelow);
  const found = new Set(entries.flatMap(({ sources }) => sources));
  const files: FoundFile[] = [];
  const unread: UnreadFile[] = [];
  for (const path of [...found].toSorted()) {
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
      const hasMark = text.startsWith('\uFEFF');
      files.push({ path, text: hasMark ? text.slice(1) : text, hasMark });
    } catch (failure) {
      const isEncoding = (failure as NodeJS.ErrnoException).code?.startsWith('ERR_ENCODING') === true;
      unread.push({ path, fault: isEncoding ? 'it is not UTF-8' : 'it cannot be read', mayUseOldPackage: true });
    }
  }
  const links = new Set(entries.flatMap((each) => each.links));
  return { files, unread: [...unread, ...[...links].toSorted().flatMap((link) => leftLink(link, found))] };
}

function entriesBelow(given: string): Entries {
  let path: string;
  try {
    path = realpathSync(given);
  } catch {
    throw new MigrationError(`${given} does not exist`);
  }
  return lstatSync(path).isDirectory() ? entriesIn(path) : { sources: [path].filter(isSource), links: [] };
}

function entriesIn(folder: string): Entries {
  const entries = readdirSync(folder, { withFileTypes: true }).flatMap((entry): Entries[] => {
    const path = join(folder, entry.name);
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) return [];
    if (entry.isDirectory()) return [entriesIn(path)];
    if (entry.isSymbolicLink()) return [{ sources: [], links: [path] }];
    return entry.isFile() && isSource(path) ? [{ sources: [path], links: [] }] : [];
  });
  return { sources: entries.flatMap(({ sources }) => sources), links: entries.flatMap(({ links }) => links) };
}

const isSource = (path: string): boolean => SOURCE.test(path);

function leftLink(link: string, found: ReadonlySet<string>): UnreadFile[] {
  try {
    const others = sourcesBehind(link, new Set()).filter((path) => !found.has(path));
    if (others.length === 0) return [];
    const mayUseOldPackage = others.some((path) => usesOldPackage(readFileSync(path, 'latin1')));
    return [{ path: link, fault: 'it is a symbolic link', mayUseOldPackage }];
  } catch {
    if (extname(link) !== '' && !isSource(link)) return [];
    return [{ path: link, fault: 'it is a symbolic link that cannot be read', mayUseOldPackage: true }];
  }
}

function sourcesBehind(link: string, seen: Set<string>): string[] {
  const target = realpathSync(link);
  if (seen.has(target)) return [];
  seen.add(target);
  if (!lstatSync(target).isDirectory()) return [link, target].some(isSource) ? [target] : [];
  const { sources, links } = entriesIn(target);
  return [...sources, ...links.flatMap((inner) => sourcesBehind(inner, seen))];
}
