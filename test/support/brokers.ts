import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from 'keycloak-test-servers';
import { installed } from '../../scripts/common/installed.mjs';
import { untilListening } from './until-listening.js';

export const natsPath = installed('nats-server');
/** RabbitMQ's own script, because Debian's script runs as a user who can't write to the test's folder. */
export const rabbitMqPath = installed('rabbitmq-server', '/usr/lib/rabbitmq/bin');

export interface Broker {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startNats(executable: string): Promise<Broker> {
  const port = await freePort();
  const server = spawn(executable, ['-a', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  await untilListening(port);
  return {
    url: `nats://127.0.0.1:${port}`,
    stop: async () => {
      server.kill('SIGKILL');
      await once(server, 'exit');
    },
  };
}

async function untilLogged(folder: string, text: string): Promise<void> {
  const isLogged = () => readdirSync(folder).some((file) => readFileSync(join(folder, file), 'utf8').includes(text));
  while (!existsSync(folder) || !isLogged()) await sleep(50);
}

export async function startRabbitMq(executable: string): Promise<Broker> {
  const folder = mkdtempSync(join(tmpdir(), 'rabbitmq-'));
  const [port, distributionPort, epmdPort] = [await freePort(), await freePort(), await freePort()];
  writeFileSync(join(folder, 'enabled_plugins'), '[].');
  writeFileSync(join(folder, 'rabbitmq.conf'), `listeners.tcp.1 = 127.0.0.1:${port}\nloopback_users = none\n`);
  const server = spawn(executable, [], {
    stdio: 'ignore',
    detached: true,
    env: {
      ...process.env,
      HOME: folder,
      ERL_EPMD_PORT: String(epmdPort),
      // With this variable, epmd obeys `-kill`, even if epmd still lists a node.
      ERL_EPMD_RELAXED_COMMAND_CHECK: 'true',
      RABBITMQ_NODENAME: `test-${port}@localhost`,
      RABBITMQ_DIST_PORT: String(distributionPort),
      RABBITMQ_MNESIA_BASE: join(folder, 'data'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
      RABBITMQ_PID_FILE: join(folder, 'pid'),
    },
  });
  await untilListening(port);
  // RabbitMQ listens before it is complete, and a message that arrives earlier may get no answer.
  await untilLogged(join(folder, 'log'), 'Server startup complete');
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    stop: async () => {
      // The daemon epmd does not end with RabbitMQ, so the test kills epmd separately.
      process.kill(-(server.pid ?? 0), 'SIGKILL');
      await once(server, 'exit');
      const epmd = installed('epmd');
      if (epmd !== undefined) spawnSync(epmd, ['-port', String(epmdPort), '-kill']);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
