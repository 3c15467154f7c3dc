// The users are in deploy/valkey/users.acl, and the settings are in docs/replicas.md.
import { randomBytes } from 'node:crypto';
import { startProcess, untilListeningOrStopped } from '../common/processes.mjs';
import { processUsers, usersFile } from './valkey-users.mjs';

/**
 * @param {string} executable
 * @param {{ port: number, prefix: string, signal: AbortSignal }} options
 */
export async function startValkey(executable, { port, prefix, signal }) {
  const passwords = new Map(processUsers().map(({ name }) => [name, randomBytes(24).toString('base64url')]));
  const settings = [
    'bind 127.0.0.1',
    `port ${port}`,
    'save ""',
    'maxmemory-policy noeviction',
    'proto-max-bulk-len 1mb',
    'loglevel warning',
    usersFile((user) => passwords.get(user) ?? ''),
  ];
  // Sends settings as input, since other users can read command line arguments.
  const valkey = startProcess(executable, ['-'], { prefix, input: settings.join('\n') });
  await untilListeningOrStopped({ name: 'Valkey', ...valkey }, [port], signal);
  const urls = Object.fromEntries(
    [...passwords].map(([user, password]) => [user, `valkey://${user}:${password}@127.0.0.1:${port}`]),
  );
  return { ...valkey, name: 'Valkey', urls };
}
