import { readFileSync } from 'node:fs';
import { UsageError } from './usage-error.js';

/** Throws `UsageError`, which contains nothing of the file, because a realm file may contain secrets. */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`${path} can't be read (${String((cause as NodeJS.ErrnoException).code)})`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${path} is not JSON`);
  }
}
