import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { JsonTransport, type PathRequest } from '../../spec-support/json-transport.js';
import { CALL_BOUNDS } from '../../spec-support/next-service.js';

type Handler = (socket: Socket, request: string, at: number) => unknown;

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';
const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function listen(handler: Handler) {
  const seen: string[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    let request = '';
    socket.on('data', (chunk) => {
      request += chunk.toString('latin1');
      if (/^[^G].*\r\n\r\n$/s.test(request)) return;
      seen.push(request);
      handler(socket, request, seen.length);
      request = '';
    });
  });
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { origin: `127.0.0.1:${port}`, seen, connections: () => connections };
}

/** Ignores unused connections, because undici opens a new connection in place of each closed connection. */
async function allAreClosed(): Promise<boolean> {
  const used = [...sockets].filter((socket) => socket.bytesRead > 0);
  await Promise.all(used.map((socket) => socket.closed || new Promise((resolve) => socket.once('close', resolve))));
  return used.length > 0;
}

const transport = (origin: string, { scheme = 'http', timeoutMs = 60_000 } = {}): JsonTransport =>
  new JsonTransport({
    name: 'service-c',
    baseUrl: `${scheme}://${origin}`,
    timeoutMs,
    maxResponseBytes: 1024,
    ...CALL_BOUNDS,
  });

const GET: PathRequest = { method: 'GET', path: '/api', headers: { Authorization: 'Bearer secret-token' } };
const POST: PathRequest = { ...GET, method: 'POST', body: '{"value":1}' };

describe('a connection to a called service', () => {
  it('is reused by the next call', async () => {
    const server = await listen((socket) => socket.write(OK));
    const to = transport(server.origin);
    for (let at = 0; at < 5; at += 1) expect(await to.send(POST)).toMatchObject({ status: 200, body: {} });
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  it('is reused by the next calls, even after many concurrent calls', async () => {
    const server = await listen((socket) => setTimeout(() => socket.write(OK), 20));
    const to = transport(server.origin);
    for (let round = 0; round < 3; round += 1) await Promise.all(Array.from({ length: 10 }, async () => to.send(POST)));
    expect(server.connections()).toBeLessThanOrEqual(20);
  });

  it('is not reused after the server closed the idle connection', async () => {
    const server = await listen((socket) => socket.end(OK));
    const to = transport(server.origin);
    await to.send(POST);
    expect(await allAreClosed()).toBe(true);
    expect(await to.send(POST)).toMatchObject({ status: 200 });
    expect(server.connections()).toBe(2);
  });

  it('causes a second GET if the server closes the reused connection during the first GET', async () => {
    const server = await listen((socket, _request, at) => (at === 2 ? socket.resetAndDestroy() : socket.write(OK)));
    const to = transport(server.origin);
    await to.send(GET);
    expect(await to.send(GET)).toMatchObject({ status: 200 });
    expect(server.seen).toHaveLength(3);
  });

  it('causes an error and no second POST if the server closes the connection during a POST', async () => {
    const server = await listen((socket, _request, at) => (at === 2 ? socket.resetAndDestroy() : socket.write(OK)));
    const to = transport(server.origin);
    await to.send(POST);
    await expect(to.send(POST)).rejects.toMatchObject({ code: 'service_unavailable' });
    expect(server.seen).toHaveLength(2);
    expect(await to.send(POST)).toMatchObject({ status: 200 });
  });

  it('is opened at most twice for a GET if every connection breaks', async () => {
    const server = await listen((socket) => socket.destroy());
    await expect(transport(server.origin).send(GET)).rejects.toMatchObject({ code: 'service_unavailable' });
    expect(server.seen).toHaveLength(2);
  });
});

describe('the time-out of a call', () => {
  it.each<[string, string, Handler]>([
    ['covers a handshake that does not end', 'https', () => undefined],
    ['covers headers that never arrive', 'http', () => undefined],
    ['covers headers that do not end', 'http', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-')],
    ['covers a body that does not end', 'http', (socket) => socket.write(`${OK.slice(0, -1)}`)],
    [
      'is not prolonged by single bytes of the body',
      'http',
      (socket) => {
        const timer = setInterval(() => socket.write(' '), 50);
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n');
        socket.on('close', () => clearInterval(timer));
      },
    ],
  ])('%s, and frees the socket', async (_what, scheme, handler) => {
    const server = await listen(handler);
    // The time-out is long enough for the handshake on a busy machine.
    const to = transport(server.origin, { scheme, timeoutMs: 1000 });
    await expect(to.send(POST)).rejects.toMatchObject({ code: 'service_timeout', reason: 'timeout' });
    expect(await allAreClosed()).toBe(true);
  });
});

describe('the response to a call', () => {
  it.each<[string, Handler]>([
    ['that breaks off in the body', (socket) => socket.write(OK.slice(0, -1), () => socket.destroy())],
    ['that ends before its length', (socket) => socket.end(OK.slice(0, -1))],
    [
      'that is too large, with a Content-Length',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1025\r\n\r\n${'x'.repeat(1025)}`),
    ],
    [
      'that is too large, without a Content-Length',
      (socket) =>
        socket.write(
          `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${`400\r\n${'x'.repeat(1024)}\r\n`.repeat(9)}`,
        ),
    ],
    ['that is not JSON', (socket) => socket.write(OK.replace('{}', '{<'))],
    [
      'that is compressed without a request for compression',
      (socket) => socket.write(OK.replace('\r\n\r\n{}', '\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b')),
    ],
  ])('causes service_failed: a response %s', async (_what, handler) => {
    const server = await listen(handler);
    await expect(transport(server.origin).send(POST)).rejects.toMatchObject({ code: 'service_failed' });
  });

  it('causes service_unavailable if the response is not HTTP', async () => {
    const server = await listen((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'));
    await expect(transport(server.origin).send(POST)).rejects.toMatchObject({ code: 'service_unavailable' });
  });

  it.each([301, 307, 308])(
    'with the redirect status %i is not followed, so no other server gets the token (CC-06)',
    async (status) => {
      const elsewhere = await listen((socket) => socket.write(OK));
      const server = await listen((socket) =>
        socket.write(`HTTP/1.1 ${status} X\r\nLocation: http://${elsewhere.origin}/api\r\nContent-Length: 0\r\n\r\n`),
      );
      expect(await transport(server.origin).send(GET)).toMatchObject({ status });
      expect(elsewhere.seen).toEqual([]);
    },
  );

  it('is the final response, even if an interim response comes first', async () => {
    const server = await listen((socket) => socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`));
    expect(await transport(server.origin).send(POST)).toMatchObject({ status: 200, body: {} });
  });
});

describe('the caller of a service', () => {
  it.each<[string, string]>([
    ['before an answer comes', ''],
    ['in the middle of the headers', 'HTTP/1.1 200 OK\r\nContent-'],
    ['in the middle of the body', OK.slice(0, -1)],
  ])('gets its own abort reason if the caller aborts %s, and the socket is closed', async (_when, answer) => {
    const controller = new AbortController();
    const reason = new Error('no longer needed');
    const server = await listen((socket) => socket.write(answer, () => controller.abort(reason)));
    await expect(transport(server.origin).send({ ...GET, signal: controller.signal })).rejects.toBe(reason);
    expect(await allAreClosed()).toBe(true);
  });

  it('opens no connection if the signal was aborted before the call', async () => {
    const server = await listen(() => undefined);
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(transport(server.origin).send({ ...GET, signal })).rejects.toThrow('too late');
    expect(server.connections()).toBe(0);
  });

  it('can not choose a path that sends the call to another origin (CC-06)', async () => {
    const server = await listen((socket) => socket.write(OK));
    const elsewhere = await listen((socket) => socket.write(OK));
    for (const path of [
      `http://${elsewhere.origin}/`,
      `@${elsewhere.origin}/`,
      `0/`,
      '.evil/',
      `//${elsewhere.origin}/`,
    ]) {
      await transport(server.origin)
        .send({ ...GET, path })
        .catch(() => undefined);
    }
    expect(elsewhere.seen).toEqual([]);
  });
});
