import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ask, shownAnswer } from './attack-request.js';
import { AttackNotRun } from './attempt.js';

let server: Server | undefined;

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

describe('the request that an attack sends', () => {
  it('returns the status, code and reason from a service or Keycloak', async () => {
    const url = await serve(({ method }, response) => {
      const [status, body] =
        method === 'POST'
          ? [400, { error: 'invalid_scope', error_description: 'Invalid scopes: inventory.adjust' }]
          : [403, { error: 'No', code: 'insufficient_scope', reason: 'missing', permission: 'orders.approve' }];
      response.writeHead(status).end(JSON.stringify(body));
    });
    await expect(ask({ who: 'X', url })).resolves.toEqual({
      status: 403,
      code: 'insufficient_scope',
      reason: 'missing',
      permission: 'orders.approve',
    });
    await expect(ask({ who: 'X', url, method: 'POST', form: { a: 'b' } })).resolves.toEqual({
      status: 400,
      code: 'invalid_scope',
      reason: 'Invalid scopes: inventory.adjust',
    });
  });

  it.each(['', 'not JSON', '[1]', 'null', '"x"'])('returns only the status for the body %p', async (body) => {
    const url = await serve((_, response) => response.writeHead(404).end(body));
    await expect(ask({ who: 'X', url })).resolves.toEqual({ status: 404 });
  });

  it('does not follow redirects', async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: '/elsewhere' }).end());
    await expect(ask({ who: 'X', url })).resolves.toEqual({ status: 302 });
  });

  it('drops a field whose value contains a part of a token or is not a short plain text', () => {
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';
    const members = { code: token, reason: 'eyJzdWIiOiJ4In0', permission: '<b>' };
    expect(shownAnswer({ status: 400, members }, [token])).toEqual({ status: 400 });
    expect(shownAnswer({ status: 400, members: { code: 'x'.repeat(121), reason: 1 } })).toEqual({ status: 400 });
  });

  it('fails with AttackNotRun when the server is unreachable', async () => {
    await expect(ask({ who: 'Service C', url: 'http://127.0.0.1:9/?access_token=hush' })).rejects.toThrow(
      new AttackNotRun('Service C could not be reached.'),
    );
  });

  it('fails when the answer of the server breaks off or is too long', async () => {
    const broken = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      setTimeout(() => response.destroy(), 20);
    });
    await expect(ask({ who: 'X', url: broken })).rejects.toThrow('X could not be reached.');
    await new Promise((resolve) => server?.close(resolve));
    const endless = await serve((_, response) => response.end('x'.repeat(64 * 1024 + 1)));
    await expect(ask({ who: 'X', url: endless })).rejects.toThrow('X could not be reached.');
  });

  it('fails when the server does not answer in time', async () => {
    const url = await serve(() => {});
    const deadlines = jest.spyOn(AbortSignal, 'timeout');
    await expect(ask({ who: 'X', url })).rejects.toThrow('X did not answer in time.');
    await expect(ask({ who: 'X', url, deadlineMs: 20 })).rejects.toThrow('X did not answer in time.');
    expect(deadlines.mock.calls).toEqual([[3000], [20]]);
    deadlines.mockRestore();
  });
});
