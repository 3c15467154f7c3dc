/** Credential file: a small text that a platform puts into a file, and replaces there. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ConfigurationError } from '../protocol/configuration-faults.js';

/**
 * How old what was read may be: it is read again before it is used. A mounted secret is replaced by a symbolic link beside it, which watching the
 * file would miss.
 */
export const FILE_REFRESH_MS = 5000;
export const FILE_TIMEOUT_MS = 1000;

const MAX_CHARACTERS = 65_536;

/**
 * Reads it again each time, but while a read is under way gives that one: each takes one of the few threads that look up host names, too, and a file system that hangs
 * would get them all. Rejects with a `code` where it can't be read.
 */
export function credentialReader(path: string): () => Promise<string> {
  let reading: Promise<string> | undefined;
  return () =>
    (reading ??= readFile(path, 'utf8')
      .then(trimmed)
      .finally(() => (reading = undefined)));
}

/** At the start, when `parse` gives what is wrong with it, if anything is. Throws `ConfigurationError`, which names neither path nor contents: either may be a secret. */
export function checkCredentialFile(maker: string, path: unknown, parse: (text: string) => string | undefined): string {
  const fault = faultOf(path, parse);
  if (fault !== undefined) throw new ConfigurationError(`${maker} can't be used`, [fault]);
  return path as string;
}

function faultOf(path: unknown, parse: (text: string) => string | undefined): string | undefined {
  if (typeof path !== 'string' || path === '') return 'the path of a file must be given';
  try {
    return parse(trimmed(readFileSync(path, 'utf8')));
  } catch (error) {
    return `the file can't be read (${String((error as NodeJS.ErrnoException).code)})`;
  }
}

function trimmed(text: string): string {
  const found = text.trim();
  if (found === '') throw Object.assign(new Error('empty'), { code: 'empty' });
  if (found.length > MAX_CHARACTERS) throw Object.assign(new Error('too long'), { code: 'too_long' });
  return found;
}
