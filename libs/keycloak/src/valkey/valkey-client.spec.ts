/** ValkeyClient: what becomes of a script that the server refuses. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ValkeyClient } from './valkey-client.js';
import { ValkeyError } from './valkey-error.js';
import { ValkeyScript } from './valkey-script.js';

const COMMAND = /\*\d+\r\n/g;

let server: Server;
let sockets: Socket[];
let client: ValkeyClient;
let answer: string;

/** Answers scripts with `answer`, and everything else with OK. */
beforeEach(async () => {
  sockets = [];
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (sent) => {
      const text = String(sent);
      socket.write(text.includes('EVALSHA') ? answer : '+OK\r\n'.repeat(text.match(COMMAND)?.length ?? 0));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = new ValkeyClient({ url: `valkey://127.0.0.1:${(server.address() as AddressInfo).port}` });
});

afterEach(async () => {
  await client.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

describe('ValkeyClient', () => {
  it('rejects with the error of a script, and keeps its connection', async () => {
    answer = '-NOPERM no\r\n';
    const script = new ValkeyScript('return 1');
    await expect(client.run(script, ['key'])).rejects.toBeInstanceOf(ValkeyError);
    answer = ':1\r\n';
    expect(String(await client.run(script, ['key']))).toBe('1');
    expect(sockets).toHaveLength(1);
  });
});
