import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import { sendRequest, type HttpRequest } from './send-request.js';
import type { Connections } from './network.js';

const servers: Server[] = [];
const agents: Agent[] = [];

afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.destroy();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function exchangeWith(handler: RequestListener, bend: Partial<HttpRequest> = {}) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const agent = new Agent();
  agents.push(agent);
  return sendRequest(agent, { ...requestTo(server), ...bend });
}

const requestTo = (server: Server): HttpRequest => ({
  origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  method: 'POST',
  path: '/x?y=1',
  headers: ['authorization', 'Bearer secret-token'],
  body: '{}',
  timeoutMs: 60_000,
  maxResponseBytes: 10,
  signal: undefined,
});

describe('sendRequest', () => {
  it('returns the complete response, with each header once', async () => {
    const answer = await exchangeWith((request, response) => {
      response.writeHead(201, { 'X-A': ['1', '2'], 'X-Url': String(request.url) });
      response.write('12345');
      setImmediate(() => response.end('67890'));
    });
    expect(answer).toMatchObject({ status: 201, headers: { 'x-a': '1,2', 'x-url': '/x?y=1' } });
    expect(answer.body.toString()).toBe('1234567890');
  });

  it('limits the size of a response (RS-15)', async () => {
    await expect(exchangeWith((_, response) => response.end('12345678901'))).rejects.toMatchObject({
      reason: 'answer_too_large',
    });
  });

  it('uses little more memory than the response, even with tiny chunks (RS-15)', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held = (): number => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const [bytes, pieces] = [200_000, Buffer.from('1\r\nx\r\n'.repeat(200_000))];
    const server = createServer((request) => {
      request.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      request.socket.write(pieces);
      request.socket.write('0\r\n\r\n');
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const agent = new Agent();
    agents.push(agent);
    let grown = Infinity;
    const watched: Connections = {
      dispatch: (options, handler) => {
        const before = held();
        const end = handler.onResponseEnd?.bind(handler);
        handler.onResponseEnd = (...told) => {
          grown = held() - before;
          end?.(...told);
        };
        return agent.dispatch(options, handler);
      },
    };
    const { body } = await sendRequest(watched, {
      ...requestTo(server),
      maxResponseBytes: bytes,
      timeoutMs: undefined,
    });
    expect(body.equals(Buffer.alloc(bytes, 'x'))).toBe(true);
    // A client that stores each chunk separately would need 20 MB of memory.
    expect(grown).toBeLessThan(5_000_000);
  });

  it('joins a response of many chunks completely', async () => {
    const pieces = Array.from({ length: 60 }, (_, at) => String(at % 10).repeat(1 + ((at * 37) % 400)));
    const whole = pieces.join('');
    const answer = exchangeWith(
      (_, response) => {
        const send = (at: number): void => {
          if (at === pieces.length) response.end();
          else response.write(pieces[at], () => setImmediate(send, at + 1));
        };
        send(0);
      },
      { maxResponseBytes: whole.length },
    );
    expect((await answer).body.toString()).toBe(whole);
  });

  it('reports a truncated response as answer_broken_off', async () => {
    const half: RequestListener = (request, response) => {
      response.writeHead(200, { 'Content-Length': '8' }).write('1234', () => request.socket.destroy());
    };
    await expect(exchangeWith(half)).rejects.toMatchObject({ reason: 'answer_broken_off' });
    const chunked: RequestListener = (request, response) => {
      response.writeHead(200).write('1234', () => request.socket.destroy());
    };
    await expect(exchangeWith(chunked)).rejects.toMatchObject({ reason: 'answer_broken_off' });
  });

  it('rejects when timeoutMs has passed, and when the caller aborts the signal', async () => {
    await expect(exchangeWith(() => undefined, { timeoutMs: 30 })).rejects.toMatchObject({ reason: 'timeout' });
    const reason = new Error('given up');
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 30);
    const { signal } = controller;
    await expect(exchangeWith(() => undefined, { timeoutMs: undefined, signal })).rejects.toBe(reason);
  });

  it.each(['its time is over', 'its signal aborted'])(
    'does not send a request that was waiting for a connection when %s',
    async (end) => {
      const seen: (string | undefined)[] = [];
      let answerFirst = (): void => undefined;
      let arrived = (): void => undefined;
      const arrival = new Promise<void>((resolve) => (arrived = resolve));
      const server = createServer((request, response) => {
        seen.push(request.url);
        if (request.url !== '/first') response.end();
        else {
          answerFirst = () => response.end();
          arrived();
        }
      }).listen(0, '127.0.0.1');
      servers.push(server);
      await once(server, 'listening');
      const agent = new Agent({ connections: 1 });
      agents.push(agent);
      const send = async (path: string, bend: Partial<HttpRequest> = {}): Promise<unknown> =>
        sendRequest(agent, { ...requestTo(server), path, ...bend });
      const first = send('/first');
      await arrival;
      const controller = new AbortController();
      const second = send('/second', end === 'its time is over' ? { timeoutMs: 5 } : { signal: controller.signal });
      controller.abort(new Error('given up'));
      await expect(second).rejects.toThrow(/timeout|given up/);
      const third = send('/third');
      answerFirst();
      await Promise.all([first, third]);
      expect(seen).toEqual(['/first', '/third']);
    },
  );

  it('reports the cause only as a code, without the original error and the request (RS-23)', async () => {
    const failures = [
      exchangeWith((request) => request.socket.destroy()),
      exchangeWith(() => undefined, { headers: ['authorization', 'Bearer secret-token\n'] }),
      exchangeWith(() => undefined, { path: 'no slash' }),
      exchangeWith((_, response) => response.setHeader('x', 'x'.repeat(20_000)).end()),
      exchangeWith(() => undefined, { origin: 'http://127.0.0.1:1' }),
    ].map(async (failing) => failing.catch((error: unknown) => error));
    const errors = await Promise.all(failures);
    expect(errors).toMatchObject([
      { reason: 'UND_ERR_SOCKET', isConnectionBroken: true },
      { message: "The request can't be sent (UND_ERR_INVALID_ARG)" },
      { message: "The request can't be sent (UND_ERR_INVALID_ARG)" },
      { reason: 'connection_failed', detail: 'UND_ERR_HEADERS_OVERFLOW', isConnectionBroken: false },
      { reason: 'ECONNREFUSED', detail: undefined },
    ]);
    for (const error of errors)
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('secret');
  });
});
