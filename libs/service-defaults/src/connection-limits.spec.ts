import { once } from 'node:events';
import { Agent, get, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Body, Controller, Get, Module, Post, Sse, type MessageEvent } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Public } from 'nestjs-keycloak-s2s';
import { interval, map, take, type Observable } from 'rxjs';
import { CONNECTION_LIMITS, type ConnectionLimits } from './connection-limits.js';
import { createService, serviceAdapter } from './create-service.js';
import { unreachedKeycloak } from '../spec-support/unreached-keycloak.js';

/** These limits are short, but one packet still arrives in time on a busy machine. */
const SHORT: ConnectionLimits = {
  ...CONNECTION_LIMITS,
  headersTimeoutMs: 1000,
  requestTimeoutMs: 1500,
  checkEveryMs: 50,
};
const UNREAD: ConnectionLimits = { ...CONNECTION_LIMITS, unreadTimeoutMs: 300, keepAliveTimeoutMs: 300 };
const EVENTS = 20;
const EVENT_EVERY_MS = 100;
const LARGE = 32 * 1024 * 1024;

let counted = 0;

@Controller()
@Public()
class TestController {
  @Get('ping')
  ping(): string {
    return 'pong';
  }

  @Get('never')
  never(): Promise<string> {
    return new Promise(() => {});
  }

  @Get('later')
  async later(): Promise<string> {
    await sleep(4 * UNREAD.unreadTimeoutMs);
    return 'at last';
  }

  /** Returns more bytes than the socket buffers of client and service can hold together. */
  @Get('large')
  large(): string {
    return 'x'.repeat(LARGE);
  }

  @Get('counted')
  counted(): string {
    counted += 1;
    return 'counted';
  }

  @Post('echo')
  echo(@Body() body: object): object {
    return body;
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    return interval(EVENT_EVERY_MS).pipe(
      take(EVENTS),
      map((data) => ({ data: String(data) })),
    );
  }
}

@Module({
  imports: [unreachedKeycloak()],
  controllers: [TestController],
})
class TestModule {}

async function start(limits: ConnectionLimits): Promise<NestFastifyApplication> {
  const app = await createService(TestModule, { logFormat: 'json' }, serviceAdapter(limits));
  app.useLogger(false);
  await app.listen(0, '127.0.0.1');
  return app;
}

const portOf = (app: NestFastifyApplication): number => ((app.getHttpServer() as Server).address() as AddressInfo).port;

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function open(app: NestFastifyApplication): Promise<Socket> {
  const socket = connect(portOf(app), '127.0.0.1');
  socket.on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

async function untilClosed(socket: Socket): Promise<string> {
  let received = '';
  socket.setEncoding('utf8').on('data', (text: string) => (received += text));
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return received;
}

async function answerTo(app: NestFastifyApplication, text: string): Promise<string> {
  const socket = await open(app);
  socket.write(text);
  return untilClosed(socket);
}

function read(answer: string): object {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => /^([^:]+): (.*)$/.exec(line)?.slice(1) as [string, string]);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]),
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    body: JSON.parse(body),
  };
}

const refusal = (status: number, code: string, answer: string): object => ({
  status,
  headers: expect.objectContaining({
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    connection: 'close',
    date: expect.any(String),
    'content-length': String(Buffer.byteLength(answer.split('\r\n\r\n')[1] ?? '')),
  }),
  body: { error: expect.any(String), code },
});

const HEAD = 'POST /echo HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n';

describe('a service whose requests must arrive in time', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await start(SHORT);
  });
  afterAll(() => app.close());

  it.each([
    ['a connection that sends nothing', ''],
    ['a request with half a header', 'GET /ping HTTP/1.1\r\nHost: t\r\nX-Half'],
    ['half a body', `${HEAD}\r\n{"order_id":`],
    ['a body of which no byte arrives', `${HEAD}\r\n`],
    ['half of a chunked body', `${HEAD.replace('Content-Length: 1000', 'Transfer-Encoding: chunked')}\r\n5\r\n{"a":`],
  ])('ends %s with 408', async (_name, sent) => {
    const answer = await answerTo(app, sent);
    expect(read(answer)).toEqual(refusal(408, 'request_timeout', answer));
  });

  it('answers 408 to a body that arrives one byte at a time', async () => {
    const socket = await open(app);
    socket.write(`${HEAD}\r\n`);
    const drip = setInterval(() => socket.write(' '), 20);
    const answer = await untilClosed(socket);
    expect(read(answer)).toEqual(refusal(408, 'request_timeout', answer));
    clearInterval(drip);
  });

  it('does not cut off an event stream after the time limit of a request', async () => {
    const response = await fetch(`http://127.0.0.1:${portOf(app)}/events`);
    expect((await response.text()).match(/^data: /gm)).toHaveLength(EVENTS);
  });

  it('keeps an idle connection open for longer than the time limit for headers', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (): Promise<Socket> => {
      const request = get({ port: portOf(app), host: '127.0.0.1', path: '/ping', agent });
      const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
      expect(response.statusCode).toBe(200);
      const { socket } = response;
      await once(response.resume(), 'end');
      return socket;
    };
    const first = await ask();
    await answerTo(app, '');
    expect(await ask()).toBe(first);
    agent.destroy();
  });
});

describe('a service whose answers are not read', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await start(UNREAD);
  });
  afterAll(() => app.close());

  async function endOf(sent: string): Promise<boolean> {
    const accepted = once(app.getHttpServer() as Server, 'connection') as Promise<[Socket]>;
    const client = await open(app);
    client.pause();
    client.write(sent);
    const [socket] = await accepted;
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    return socket.destroyed;
  }

  it('closes a connection whose client does not read the answer', async () => {
    expect(await endOf('GET /large HTTP/1.1\r\nHost: t\r\n\r\n')).toBe(true);
  });

  it('waits for the answer of a slow handler', async () => {
    const answer = await answerTo(app, 'GET /later HTTP/1.1\r\nHost: t\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*at last$/);
  });
});

describe('a connection with pipelined requests', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await start({ ...CONNECTION_LIMITS, maxPipelined: 4 });
  });
  afterAll(() => app.close());
  beforeEach(() => {
    counted = 0;
  });

  const COUNTED = 'GET /counted HTTP/1.1\r\nHost: t\r\n\r\n';
  const answersIn = (text: string): number => text.match(/HTTP\/1\.1 200 /g)?.length ?? 0;

  it('is closed after the number of answers that the limit allows', async () => {
    const answer = await answerTo(app, COUNTED.repeat(8));
    expect([answersIn(answer), answer.match(/\r\nconnection: close\r\n/gi)?.length, counted]).toEqual([4, 1, 4]);
  });

  it('stays open if its client waits for each answer before the next request', async () => {
    const socket = await open(app);
    let received = '';
    socket.setEncoding('utf8').on('data', (text: string) => (received += text));
    for (let sent = 1; sent <= 12; sent += 1) {
      socket.write(COUNTED);
      while (answersIn(received) < sent) await once(socket, 'data');
    }
    expect(received).not.toMatch(/connection: close/i);
  });

  it('is closed before most of 2000 requests reach a handler', async () => {
    await answerTo(app, COUNTED.repeat(2000));
    // The service may answer some requests before the next requests arrive.
    expect(counted).toBeLessThan(100);
  });

  it('is closed after at most one answer if the URLs are unreadable', async () => {
    const answer = await answerTo(app, 'GET /%zz HTTP/1.1\r\nHost: t\r\n\r\n'.repeat(2000));
    expect(answer.match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(1);
  });
});

describe('a service that receives requests that Fastify does not handle', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await start(CONNECTION_LIMITS);
  });
  afterAll(() => app.close());

  it.each([
    ['bytes that are not HTTP', 'hush-hush\r\n\r\n', 400, 'malformed_request'],
    [
      'two Content-Length headers',
      'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
      'malformed_request',
    ],
    ['HTTP/1.1 without a Host header', 'GET /ping HTTP/1.1\r\n\r\n', 400, 'malformed_request'],
    ['two Host headers', 'GET /ping HTTP/1.1\r\nHost: t\r\nX: y\r\nhost: hush-hush\r\n\r\n', 400, 'malformed_request'],
    ['a GET request for *', 'GET * HTTP/1.1\r\nHost: t\r\n\r\n', 400, 'malformed_request'],
    [
      '17 KB of header',
      `GET /ping HTTP/1.1\r\nHost: t\r\nX: ${'hush-hush'.repeat(2000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    ['an Expect header', 'GET /ping HTTP/1.1\r\nHost: t\r\nExpect: hush-hush\r\n\r\n', 417, 'expectation_failed'],
  ])('refuses %s with its usual error body and headers', async (_name, sent, status, code) => {
    const answer = await answerTo(app, sent);
    expect(read(answer)).toEqual(refusal(status, code, answer));
    expect(answer).not.toContain('hush');
  });

  it.each([
    ['without a Host header', 'GET /ping HTTP/1.1\r\n\r\n'],
    ['with an Expect header', 'GET /ping HTTP/1.1\r\nHost: t\r\nExpect: hush-hush\r\n\r\n'],
    ['with an unreadable URL', 'GET /%zz HTTP/1.1\r\nHost: t\r\n\r\n'],
  ])('closes the connection after a request %s, and ignores later requests', async (_, refused) => {
    counted = 0;
    const answer = await answerTo(app, refused + 'GET /counted HTTP/1.1\r\nHost: t\r\n\r\n'.repeat(3));
    expect([answer.match(/HTTP\/1\.1 /g)?.length, counted]).toEqual([1, 0]);
  });

  it('closes the connection without an answer if a malformed request follows an unanswered request', async () => {
    expect(await answerTo(app, 'GET /never HTTP/1.1\r\nHost: t\r\n\r\nhush-hush\r\n\r\n')).toBe('');
  });
});

describe('a service at its connection limit', () => {
  it('closes new connections until an open connection has been closed', async () => {
    const app = await start({ ...CONNECTION_LIMITS, maxConnections: 2 });
    const kept = await open(app);
    const other = await open(app);
    expect(await untilClosed(await open(app))).toBe('');
    other.write('GET /ping HTTP/1.1\r\nHost: t\r\n\r\n');
    expect(String((await once(other, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /);
    kept.destroy();
    while ((await connections(app)) > 1) await new Promise(setImmediate);
    expect(await answerTo(app, 'GET /ping HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 /,
    );
    other.destroy();
    await app.close();
  });

  const connections = (app: NestFastifyApplication): Promise<number> =>
    new Promise((resolve, reject) => {
      (app.getHttpServer() as Server).getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
});

describe('the limits of a service', () => {
  it('close a slow connection within a minute, and keep unfinished bodies below 256 MB', () => {
    const { headersTimeoutMs, requestTimeoutMs, checkEveryMs, maxConnections } = CONNECTION_LIMITS;
    expect(headersTimeoutMs).toBeLessThanOrEqual(requestTimeoutMs);
    expect(requestTimeoutMs + checkEveryMs).toBeLessThan(60_000);
    expect(maxConnections * 100 * 1024).toBeLessThan(256 * 1024 * 1024);
    // The client must get the 408 before the connection is closed.
    expect(headersTimeoutMs).toBeLessThan(CONNECTION_LIMITS.unreadTimeoutMs);
    expect(CONNECTION_LIMITS.unreadTimeoutMs).toBeLessThan(60_000);
    expect(maxConnections * CONNECTION_LIMITS.maxPipelined * 12 * 1024).toBeLessThan(256 * 1024 * 1024);
  });

  it("keep an idle connection open for more than a proxy's usual 60 s", async () => {
    const server = serviceAdapter().getHttpServer() as Server;
    expect(server.keepAliveTimeout).toBeGreaterThan(60_000);
    expect(server.requestTimeout).toBe(CONNECTION_LIMITS.requestTimeoutMs);
    expect(server.headersTimeout).toBe(CONNECTION_LIMITS.headersTimeoutMs);
    expect(server.maxConnections).toBe(CONNECTION_LIMITS.maxConnections);
  });
});
