import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfigurationError } from 'nestjs-keycloak-s2s';
import { listenFault, SERVICE_PLACE } from './listen-fault.js';
import { startManagementServer } from './telemetry/management-server.js';

let server: Server | undefined;
afterEach(() => void server?.close());

async function refused(port: number, host: string): Promise<unknown> {
  const [error] = (await once(createServer().listen(port, host), 'error')) as [unknown];
  return error;
}

describe('a service that can not listen', () => {
  it('names the port if another process uses the port', async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const place = { host: '127.0.0.1', port: Number(Object(server.address())['port']) };
    expect(listenFault(await refused(place.port, place.host), place, SERVICE_PLACE)).toBe(
      `Port ${place.port} is in use. Stop the process that listens there, or set PORT`,
    );
  });

  it.each([
    // No machine has these addresses (RFC 5737, RFC 6761).
    ['192.0.2.1', 'EADDRNOTAVAIL'],
    ['http://localhost', 'ENOTFOUND'],
  ])('names the variable of an address that this machine does not have: %s', async (host, code) => {
    const error = await refused(0, host);
    // Without a network, the resolver can't know that the name does not exist.
    const words = new RegExp(`^HOST is not an address of this machine \\((?:${code}|EAI_AGAIN)\\)$`);
    expect(listenFault(error, { host, port: 0 }, SERVICE_PLACE)).toMatch(words);
  });

  it('names the variable of a port that needs more privileges', () => {
    const error = Object.assign(new Error('listen EACCES: permission denied 127.0.0.1:80'), {
      code: 'EACCES',
      syscall: 'listen',
    });
    expect(listenFault(error, { host: '127.0.0.1', port: 80 }, SERVICE_PLACE)).toBe(
      'This process may not use port 80 (EACCES). Set PORT to another port',
    );
  });

  it('reports no fault for an error that has no code', () => {
    expect(listenFault(new Error('x'), { host: '127.0.0.1', port: 80 }, SERVICE_PLACE)).toBeUndefined();
  });
});

it('startManagementServer names the variable of an address that this machine does not have', async () => {
  const starting = startManagementServer({ host: '192.0.2.1', port: 0 }, () => undefined);
  await expect(starting).rejects.toThrow(ConfigurationError);
  await expect(starting).rejects.toThrow(
    'MANAGEMENT_HOST (default: HOST) is not an address of this machine (EADDRNOTAVAIL)',
  );
});
