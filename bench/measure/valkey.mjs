import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createClient } from '@redis/client';
import { freePort } from '../../libs/keycloak-test-servers/dist/index.js';

export async function startValkey() {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--databases', '4'];
  const server = spawn('valkey-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(server, 'spawn');
  for await (const text of server.stdout.setEncoding('utf8')) if (text.includes('Ready to accept')) break;
  server.stdout.resume();
  const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP: 2 });
  await client.connect();
  const command = (...parts) => client.sendCommand(parts);
  const info = async (section, field) =>
    Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(await command('INFO', section))[1]);
  return {
    url: `valkey://127.0.0.1:${port}`,
    command,
    info,
    cpuMicros: async () => ((await info('cpu', 'used_cpu_user')) + (await info('cpu', 'used_cpu_sys'))) * 1e6,
    stop() {
      client.destroy();
      server.kill('SIGKILL');
    },
  };
}
