import { readFileSync } from 'node:fs';
import { isB64Token } from '../protocol/b64token.js';
import { UsageError } from './usage-error.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export function administratorToken(file: string | undefined, environment: Environment): string {
  const token = givenSecret(environment, 'KEYCLOAK_ADMIN_TOKEN', file);
  if (token !== undefined && isB64Token(token)) return token;
  if (token !== undefined) throw new UsageError('the access token of the administrator is malformed');
  throw new UsageError(
    'the access token of an administrator must be in KEYCLOAK_ADMIN_TOKEN, or in the file of --admin-token-file',
  );
}

/** No flag may contain a secret, because other users can see the flags of a process. */
export function givenSecret(environment: Environment, name: string, flag: string | undefined): string | undefined {
  const file = flag ?? nonEmpty(environment[`${name}_FILE`]);
  if (file === undefined) return nonEmpty(environment[name]?.trim());
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').trim();
  } catch (cause) {
    // Shows only the error code, because the user may have passed a secret as the path.
    throw new UsageError(`the file for ${name} can't be read (${String((cause as NodeJS.ErrnoException).code)})`);
  }
}

const nonEmpty = (text: string | undefined): string | undefined =>
  text === undefined || text === '' ? undefined : text;
