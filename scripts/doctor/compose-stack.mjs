import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

const FOLDER = 'com.docker.compose.project.working_dir';
const SERVICE = 'com.docker.compose.service';
const ONE_OFF = 'com.docker.compose.oneoff';
const DOCKER_MS = 30_000;
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * @typedef {{ id: string, service: string, name: string, environment: readonly string[], state: string, health: string | undefined }} Container
 */

/**
 * Returns stopped containers too, and an empty list if Docker is not available.
 *
 * @param {readonly string[]} services
 * @returns {Promise<Container[]>}
 */
export async function composeContainers(services) {
  try {
    const ids = (await docker(['ps', '--all', '--quiet', '--no-trunc', '--filter', `label=${FOLDER}`])).trim();
    if (ids === '') return [];
    /** @type {any[]} */
    const inspected = JSON.parse(await docker(['inspect', ...ids.split('\n')]));
    return inspected
      .filter(isOurs)
      .map(containerOf)
      .filter(({ service }) => services.includes(service));
  } catch {
    return [];
  }
}

/**
 * The arguments of the command do not contain the values of `variables`.
 *
 * @param {Container} container
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [variables]
 * @returns {{ executable: string, args: string[], env: NodeJS.ProcessEnv }}
 */
export function nodeIn({ id }, args, variables = {}) {
  const names = Object.keys(variables).flatMap((name) => ['--env', name]);
  return { executable: 'docker', args: ['exec', ...names, id, 'node', ...args], env: { ...process.env, ...variables } };
}

/**
 * @param {Container} container
 * @returns {NodeJS.ProcessEnv}
 */
export const variablesOf = ({ environment }) =>
  Object.fromEntries(environment.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]));

const READ_DETAILS = `const headers = { authorization: 'Bearer ' + process.env.DOCTOR_TOKEN };
fetch('http://127.0.0.1:' + process.env.PORT + '/health/details', { headers }).then(async (answer) => console.log(await answer.text()));`;

/**
 * Reads the health details inside the container, since the port may not be published.
 *
 * @param {Container} container
 * @param {string} token
 * @returns {Promise<any>}
 */
export async function detailsIn(container, token) {
  const { args, env } = nodeIn(container, ['-e', READ_DETAILS], { DOCTOR_TOKEN: token });
  return JSON.parse(await docker(args, env));
}

/**
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
async function docker(args, env = process.env) {
  const { stdout } = await run('docker', [...args], { timeout: DOCKER_MS, maxBuffer: MAX_BYTES, env });
  return stdout;
}

/** @param {any} inspected */
function isOurs({ Config: { Labels: labels }, State: state }) {
  // A stopped container of `docker compose run` is not part of the stack.
  const isLeft = labels[ONE_OFF] === 'True' && state.Status !== 'running';
  return !isLeft && isThisFolder(labels[FOLDER]);
}

/** @param {string} folder */
function isThisFolder(folder) {
  try {
    return realpathSync(folder) === realpathSync(process.cwd());
  } catch {
    return false;
  }
}

/**
 * @param {any} inspected
 * @returns {Container}
 */
function containerOf({ Id: id, Name: name, Config: { Labels: labels, Env: environment }, State: state }) {
  const exit = state.Status === 'exited' ? ` with ${state.ExitCode}` : '';
  return {
    id,
    service: labels[SERVICE],
    name: name.replace(/^\//, ''),
    environment,
    state: `${state.Status}${exit}`,
    health: state.Health?.Status,
  };
}
