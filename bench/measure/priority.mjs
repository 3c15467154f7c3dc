// Lowers Keycloak's priority, so that the measured processes get CPU time first.
import { execFileSync } from 'node:child_process';

export function keycloakProcesses() {
  return new Set(output('pgrep', ['--full', 'java.* -Dkc[.]']).split('\n').filter(Boolean));
}

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
