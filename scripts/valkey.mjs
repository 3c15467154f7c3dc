// A Valkey server for replicas on this machine: on loopback, with a password of its own, and set up as docs/replicas.md says.
import { randomBytes } from 'node:crypto';
import { startProcess, untilListeningOrStopped } from './processes.mjs';

const USER = 'services';
/** What the library needs, and no more. */
export const RIGHTS = ['~nestjs-keycloak-s2s:*', '+@read', '+@write', '+@scripting', '+@connection', '+info', '+time'];

/**
 * Starts one that keeps nothing when it ends. `url` has the password.
 *
 * @param {string} executable
 * @param {{ port: number, prefix: string, signal: AbortSignal }} options
 */
export async function startValkey(executable, { port, prefix, signal }) {
  const password = randomBytes(24).toString('base64url');
  const settings = [
    'bind 127.0.0.1',
    `port ${port}`,
    'save ""',
    'maxmemory-policy noeviction',
    'proto-max-bulk-len 1mb',
    'loglevel warning',
    'user default off',
    `user ${USER} on >${password} ${RIGHTS.join(' ')}`,
  ];
  // Not as arguments: others on this machine can read those.
  const valkey = startProcess(executable, ['-'], { prefix, input: settings.join('\n') });
  await untilListeningOrStopped({ name: 'Valkey', ...valkey }, [port], signal);
  return { ...valkey, name: 'Valkey', url: `valkey://${USER}:${password}@127.0.0.1:${port}` };
}
