// Priority: Keycloak yields to what is measured, as one with a machine of its own would.
import { execFileSync } from 'node:child_process';

/** Process ids of the Keycloaks on this machine, in containers too where we may see them. */
export function keycloakProcesses() {
  return new Set(output('pgrep', ['--full', 'java.* -Dkc[.]']).split('\n').filter(Boolean));
}

/** Lets these processes, every thread of them, run only when nobody else wants to; what the report says of it. */
export function yieldToOthers(pids) {
  if (pids.size === 0) return 'Keycloak competes with the services for the cores: its process is not seen';
  try {
    for (const pid of pids) execFileSync('chrt', ['--all-tasks', '--idle', '--pid', '0', pid], { stdio: 'ignore' });
    return 'Keycloak runs when nobody else wants to (chrt --idle)';
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
