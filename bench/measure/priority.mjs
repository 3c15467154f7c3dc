// Priority: Keycloak yields to what is measured, as one with a machine of its own would.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const LOWEST = '19';

/** Process ids of the Keycloaks on this machine, in containers too where we may see them. */
export function keycloakProcesses() {
  return new Set(output('pgrep', ['--full', 'java.* -Dkc[.]']).split('\n').filter(Boolean));
}

/** Gives every thread of these processes the lowest priority; what the report says of it. */
export function yieldToOthers(pids) {
  try {
    const threads = [...pids].flatMap((pid) => readdirSync(`/proc/${pid}/task`));
    if (threads.length === 0) return 'Keycloak competes with the services for the cores: its process is not seen';
    execFileSync('renice', ['-n', LOWEST, '-p', ...threads], { stdio: 'ignore' });
    return 'Keycloak at the lowest priority (renice)';
  } catch {
    return 'Keycloak competes with the services for the cores: it could not be given a lower priority';
  }
}

function output(command, args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
