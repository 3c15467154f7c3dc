import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ValkeyClient } from './valkey-client.js';
import { ValkeyError } from './valkey-error.js';
import { ValkeyScript } from './valkey-script.js';

const DEADLINE_MS = 900;
const COMMAND = /\*\d+\r\n/g;

let server: Server;
let sockets: Socket[];
let client: ValkeyClient;
let answer: string;
let delayMs: number;

beforeEach(async () => {
  sockets = [];
  delayMs = 0;
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (sent) => {
      const text = String(sent);
      const reply = text.includes('EVALSHA') ? answer : '+OK\r\n'.repeat(text.match(COMMAND)?.length ?? 0);
      setTimeout(() => socket.write(reply), delayMs);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  client = new ValkeyClient({ url: `valkey://127.0.0.1:${port}`, deadlineMs: DEADLINE_MS });
});

afterEach(async () => {
  await client.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

describe('ValkeyClient', () => {
  it('keeps the connection open if a script fails', async () => {
    answer = '-NOPERM no\r\n';
    const script = new ValkeyScript('return 1');
    await expect(client.run(script, ['key'])).rejects.toBeInstanceOf(ValkeyError);
    answer = ':1\r\n';
    expect(String(await client.run(script, ['key']))).toBe('1');
    expect(sockets).toHaveLength(1);
  });

  it('includes the time for the connection in the deadline of a script', async () => {
    const leftTo = async (): Promise<number> => {
      const script = { run: async (...[, , , leftMs]: readonly number[]) => leftMs };
      return (await client.run(script as never, ['key'])) as number;
    };
    answer = ':1\r\n';
    delayMs = 50;
    expect(await leftTo()).toBeLessThan(DEADLINE_MS - 40);
    expect(await leftTo()).toBeGreaterThan(1);
  });
});
