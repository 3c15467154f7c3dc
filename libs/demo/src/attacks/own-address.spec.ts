import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { HttpAdapterHost } from '@nestjs/core';
import { ownAddress } from './own-address.js';

const server: Server = createServer();
const host = { httpAdapter: { getHttpServer: () => server } } as unknown as HttpAdapterHost;

afterEach(() => new Promise((resolve) => void server.close(resolve)));

describe('the local address of a service', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['::', '[::1]'],
  ])('that listens on %s is %s with the port of the service', async (listensOn, expected) => {
    await new Promise<void>((resolve) => server.listen(0, listensOn, resolve));
    expect(ownAddress(host)).toMatch(new RegExp(`^http://${expected.replaceAll(/[[\]]/g, String.raw`\$&`)}:\\d+$`));
  });

  it('throws before the service listens', () => {
    expect(() => ownAddress(host)).toThrow('This service is not listening yet.');
  });
});
