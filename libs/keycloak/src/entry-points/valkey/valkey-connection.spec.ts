import { once } from 'node:events';
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { canMakeCertificates, TestAuthority } from '../../../spec-support/certificates.js';
import { ValkeyConnection } from './valkey-connection.js';
import { ValkeyError } from './valkey-error.js';

const withOpenssl = canMakeCertificates ? describe : describe.skip;

const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const COMMAND = /\*\d+\r\n/g;

describe('ValkeyConnection', () => {
  it('closes the connection after an answer that no command requested', async () => {
    const server = createTcpServer((socket) => {
      ends.push(() => socket.destroy());
      socket.on('data', (sent) => socket.write('+OK\r\n'.repeat(String(sent).match(COMMAND)?.length ?? 0)));
    });
    const arrived = once(server, 'connection') as Promise<[Socket]>;
    const connection = await ValkeyConnection.open({ url: new URL(`valkey://127.0.0.1:${await portOf(server)}`) });
    const [client] = await arrived;
    const closed = once(client, 'close');
    client.write('+OK\r\n');
    await closed;
    expect(connection.isOpen).toBe(false);
    await expect(connection.send(['PING'], 1000)).rejects.toBeInstanceOf(ValkeyError);
  });

  it("starts no time-out of the client, which would outlast the command's answer", async () => {
    const timeout = jest.spyOn(AbortSignal, 'timeout');
    ends.push(() => timeout.mockRestore());
    const server = createTcpServer((socket) => {
      ends.push(() => socket.destroy());
      socket.on('data', (sent) => socket.write('+OK\r\n'.repeat(String(sent).match(COMMAND)?.length ?? 0)));
    });
    const connection = await ValkeyConnection.open({ url: new URL(`valkey://127.0.0.1:${await portOf(server)}`) });
    ends.push(() => connection.close());
    timeout.mockClear();
    await expect(connection.send(['PING'], 1000)).resolves.toBe('OK');
    expect(timeout).not.toHaveBeenCalled();
  });
});

describe('a command that times out', () => {
  it.each([
    ['closes the connection if the server does not answer', '', 1500, false],
    ['keeps the connection open if the server has just answered another command', '+OK\r\n', 100, true],
  ])('%s', async (_, answer, deadlineMs, isOpen) => {
    let isAsked = false;
    const server = createTcpServer((socket) => {
      ends.push(() => socket.destroy());
      socket.on('data', (sent) => {
        const commands = String(sent).match(COMMAND)?.length ?? 0;
        if (!isAsked) socket.write('+OK\r\n'.repeat(commands));
        else if (String(sent).includes('PING')) socket.write(answer);
      });
    });
    const connection = await ValkeyConnection.open({ url: new URL(`valkey://127.0.0.1:${await portOf(server)}`) });
    ends.push(() => connection.close());
    isAsked = true;
    const late = [connection.send(['PING'], deadlineMs), connection.send(['GET', 'a'], deadlineMs)];
    expect((await Promise.allSettled(late)).map(({ status }) => status)).toContain('rejected');
    expect(connection.isOpen).toBe(isOpen);
  });
});

withOpenssl('ValkeyConnection with TLS', () => {
  it('closes a connection whose TLS handshake completes after the deadline', async () => {
    const authority = new TestAuthority();
    ends.push(() => authority.remove());
    const { key, cert } = authority.issue('IP:127.0.0.1');
    const server = createTlsServer({ key, cert }, (socket) => socket.on('error', () => undefined));
    const onward = connect(await portOf(server), '127.0.0.1').on('error', () => undefined);
    ends.push(() => onward.destroy());
    // This server forwards nothing until the deadline is over.
    const way = createTcpServer();
    const url = new URL(`valkeys://127.0.0.1:${await portOf(way)}`);
    const arrived = once(way, 'connection') as Promise<[Socket]>;
    const opening = ValkeyConnection.open({ url, ca: authority.certificate }, 50);
    const [client] = await arrived;
    const closed = once(
      client.on('error', () => undefined),
      'close',
    );
    ends.push(() => client.destroy());
    await expect(opening).rejects.toThrow('timeout');
    client.pipe(onward).pipe(client);
    await closed;
  });
});
