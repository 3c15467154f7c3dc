// CPU pinning with `taskset`: core 0 for the services, the other cores for the load and Keycloak.
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const count = availableParallelism();
const pinned = count > 1 && hasTaskset();

export const pinning = pinned
  ? `services on core 0 (taskset), load on ${count === 2 ? 'core 1' : `cores 1-${count - 1}`} of ${count}`
  : `not pinned: ${count === 1 ? 'there is one core' : 'there is no taskset'}`;

export function onServicesCore(command, args) {
  return pinned ? ['taskset', ['--cpu-list', '0', command, ...args]] : [command, args];
}

export function besideServices(command, args) {
  return pinned ? ['taskset', ['--cpu-list', others(), command, ...args]] : [command, args];
}

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
