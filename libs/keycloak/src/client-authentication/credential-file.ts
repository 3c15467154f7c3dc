import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ConfigurationError } from '../protocol/configuration-faults.js';

/**
 * The age at which the content is read again. The file is not watched, because a mounted secret is replaced through a
 * symbolic link.
 */
export const FILE_REFRESH_MS = 5000;
export const FILE_TIMEOUT_MS = 1000;

const MAX_CHARACTERS = 65_536;

/** On a hanging file system, separate reads could block Node's whole thread pool. */
export function credentialReader(path: string): () => Promise<string> {
  let reading: Promise<string> | undefined;
  return () =>
    (reading ??= readFile(path, 'utf8')
      .then(trimmed)
      .finally(() => (reading = undefined)));
}

/** The `ConfigurationError` shows neither path nor content, because both may be secrets. */
export function checkCredentialFile(maker: string, path: unknown, parse: (text: string) => string | undefined): string {
  const fault = faultOf(path, parse);
  if (fault !== undefined) throw new ConfigurationError(`${maker} can't be used`, [fault]);
  return path as string;
}

function faultOf(path: unknown, parse: (text: string) => string | undefined): string | undefined {
  if (typeof path !== 'string' || path === '') return 'the path of the file is missing';
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
