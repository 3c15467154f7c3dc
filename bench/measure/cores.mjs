// Cores: one for the services, the rest for the load and for Keycloak, where `taskset` can tell them apart.
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const count = availableParallelism();
const pinned = count > 1 && hasTaskset();

/** What the report says of it. */
export const pinning = pinned
  ? `services on core 0 (taskset), load on ${count === 2 ? 'core 1' : `cores 1-${count - 1}`} of ${count}`
  : `not pinned: ${count === 1 ? 'there is one core' : 'there is no taskset'}`;

/** `command` and `args`, run on the services' core. */
export function onServicesCore(command, args) {
  return pinned ? ['taskset', ['--cpu-list', '0', command, ...args]] : [command, args];
}

/** `command` and `args`, run where the load is. */
export function besideServices(command, args) {
  return pinned ? ['taskset', ['--cpu-list', others(), command, ...args]] : [command, args];
}

/** Moves this process, every thread of it, away from the services' core. */
export function moveAside() {
  if (pinned) execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', others(), String(process.pid)]);
}

function others() {
  return count === 2 ? '1' : `1-${count - 1}`;
}

function hasTaskset() {
  try {
    execFileSync('taskset', ['--cpu-list', '0', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
