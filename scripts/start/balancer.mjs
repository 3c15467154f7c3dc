// HAProxy in front of local replicas, with the settings that compose.replicas.yml also uses
// (deploy/haproxy/common.cfg).
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess, untilListeningOrStopped } from '../common/processes.mjs';

export const COMMON_SETTINGS = fileURLToPath(new URL('../../deploy/haproxy/common.cfg', import.meta.url));

/**
 * @typedef {object} Balanced
 * @property {string} name
 * @property {number} port
 * @property {readonly number[]} replicas
 * @property {string} [host] the address to listen on (default: loopback)
 * @property {readonly string[]} [settings] further lines of the section
 */

/** @param {readonly Balanced[]} all */
export function balancerConfiguration(all) {
  return all
    .map(({ name, port, replicas, host = '127.0.0.1', settings = [] }) => {
      const servers = replicas.map((replica, index) => `server ${replicaName(name, index)} 127.0.0.1:${replica}`);
      return [`listen ${name}`, `bind ${host}:${port}`, ...settings, ...servers].join('\n  ');
    })
    .join('\n\n')
    .concat('\n');
}

/**
 * @param {string} service
 * @param {number} index
 */
export const replicaName = (service, index) => `${service}.${index + 1}`;

/**
 * @param {string} executable
 * @param {readonly Balanced[]} all
 * @param {{ prefix: string, signal: AbortSignal }} options
 */
export async function startBalancer(executable, all, { prefix, signal }) {
  const folder = await mkdtemp(join(tmpdir(), 'haproxy-'));
  const file = join(folder, 'replicas.cfg');
  await writeFile(file, balancerConfiguration(all));
  const { end, stop } = startProcess(executable, ['-db', '-f', COMMON_SETTINGS, '-f', file], { prefix });
  const balancer = {
    name: 'HAProxy',
    end,
    stop: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  const ports = all.map(({ port }) => port);
  await untilListeningOrStopped(balancer, ports, signal);
  return balancer;
}
