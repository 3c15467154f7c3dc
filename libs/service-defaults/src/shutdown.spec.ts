import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import {
  Body,
  Controller,
  Get,
  Injectable,
  Module,
  Post,
  Sse,
  StreamableFile,
  type MessageEvent,
  type OnModuleDestroy,
} from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Public } from 'nestjs-keycloak-s2s';
import { interval, map, type Observable } from 'rxjs';
import { CONNECTION_LIMITS, type ConnectionLimits } from './connection-limits.js';
import { createService, serviceAdapter } from './create-service.js';
import { ServiceDefaultsModule } from './service-defaults.module.js';
import { shutDown } from './shutdown.js';
import { unreachedKeycloak } from '../spec-support/unreached-keycloak.js';

class Signal {
  resolve!: () => void;
  readonly promise = new Promise<void>((resolve) => (this.resolve = resolve));
}

let events: string[];
let arrived: Signal;
let goOn: Signal;

@Injectable()
class Pool implements OnModuleDestroy {
  onModuleDestroy(): void {
    events.push('destroyed');
  }
}

@Controller()
@Public()
class TestController {
  @Get('ping')
  ping(): string {
    return 'pong';
  }

  @Get('slow')
  async slow(): Promise<string> {
    arrived.resolve();
    await goOn.promise;
    events.push('answered');
    return 'at last';
  }

  @Get('streamed')
  streamed(): StreamableFile {
    return new StreamableFile(Readable.from(inTwoParts(), { objectMode: false }));
  }

  @Post('echo')
  echo(@Body() body: object): object {
    return body;
  }

  @Sse('events')
  stream(): Observable<MessageEvent> {
    return interval(1).pipe(map((data) => ({ data: String(data) })));
  }
}

async function* inTwoParts(): AsyncGenerator<string> {
  yield 'first';
  await goOn.promise;
  yield 'last';
}

@Module({
  imports: [unreachedKeycloak(), ServiceDefaultsModule],
  controllers: [TestController],
  providers: [Pool],
})
class TestModule {}

/** This time is longer than the timeout of a test, so the shutdown cuts off no request. */
const PATIENT = 600_000;
let app: NestFastifyApplication;
let url: string;
let sockets: Socket[];

async function start(limits: Partial<ConnectionLimits> = {}): Promise<void> {
  const adapter = serviceAdapter({ ...CONNECTION_LIMITS, drainMs: PATIENT, ...limits });
  app = await createService(TestModule, { logFormat: 'json' }, adapter);
  app.useLogger(false);
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
}

beforeEach(() => {
  events = [];
  sockets = [];
  arrived = new Signal();
  goOn = new Signal();
});
afterEach(async () => {
  goOn.resolve();
  for (const socket of sockets) socket.destroy();
  await app.close();
});

async function open(sent: string): Promise<{ socket: Socket; received: Promise<string>; answered: Promise<unknown> }> {
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('utf8').on('error', () => {});
  sockets.push(socket);
  let text = '';
  socket.on('data', (chunk: string) => (text += chunk));
  const received = once(socket, 'close').then(() => text);
  const answered = once(socket, 'data');
  await once(socket, 'connect');
  socket.write(sent);
  return { socket, received, answered };
}

const requestFor = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: t\r\n\r\n`;
const HALF_BODY =
  'POST /echo HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"order_id":';

describe('a service that shuts down', () => {
  it('becomes unready immediately, but answers requests until the load balancers have noticed', async () => {
    await start();
    const noticed = new Signal();
    const kept = await open(requestFor('/ping'));
    await kept.answered;
    const end = shutDown(app, noticed.promise);

    const ready = await fetch(`${url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ error: { service: { status: 'down', code: 'shutting_down' } } });
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    const served = await fetch(`${url}/ping`);
    expect(served.status).toBe(200);
    expect(served.headers.get('connection')).toBe('close');
    kept.socket.write(requestFor('/ping'));
    expect((await kept.received).match(/HTTP\/1\.1 200 /g)).toHaveLength(2);

    noticed.resolve();
    await end;
    await expect(fetch(`${url}/ping`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  it('answers requests in flight before Nest runs onModuleDestroy', async () => {
    await start();
    const { received } = await open(requestFor('/slow'));
    await arrived.promise;
    const end = shutDown(app, Promise.resolve());
    while (app.getHttpServer().listening) await new Promise(setImmediate);
    goOn.resolve();
    expect(await received).toMatch(/^HTTP\/1\.1 200 [^]*connection: close[^]*at last/i);
    await end;
    expect(events).toEqual(['answered', 'destroyed']);
  });

  it('answers a request on an open connection just after the listener has closed', async () => {
    await start({ arrivalMs: PATIENT });
    const { socket, received } = await open('GET /ping HTTP/1.1\r\nHost: t\r\n');
    // When this request is answered, the service has also read the bytes that the socket sent earlier.
    await fetch(`${url}/ping`);
    const end = shutDown(app, Promise.resolve());
    while (app.getHttpServer().listening) await new Promise(setImmediate);
    socket.write('\r\n');
    expect(await received).toMatch(/^HTTP\/1\.1 200 [^]*connection: close[^]*pong/i);
    await end;
  });

  it('ignores further requests on a connection that is closed after the pending answer', async () => {
    await start();
    const noticed = new Signal();
    const { socket, received } = await open(requestFor('/slow'));
    await arrived.promise;
    const end = shutDown(app, noticed.promise);
    socket.write(requestFor('/slow'));
    await fetch(`${url}/ping`);
    goOn.resolve();
    noticed.resolve();
    expect((await received).match(/HTTP\/1\.1 200/g)).toHaveLength(1);
    await end;
    expect(events).toEqual(['answered', 'destroyed']);
  });

  it('closes a connection after an answer whose header was sent before the shutdown', async () => {
    await start();
    const noticed = new Signal();
    const { received, answered } = await open(requestFor('/streamed'));
    expect(String(await answered)).not.toMatch(/^connection: close/im);
    const end = shutDown(app, noticed.promise);
    goOn.resolve();
    expect(await received).toContain('last');
    noticed.resolve();
    await end;
  });

  it('answers all pipelined requests that it has read, and then closes the connection', async () => {
    await start();
    const { received } = await open(requestFor('/slow') + requestFor('/slow'));
    await arrived.promise;
    await fetch(`${url}/ping`);
    const end = shutDown(app, Promise.resolve());
    goOn.resolve();
    const answers = (await received).split(/(?=HTTP\/1\.1 )/);
    expect(answers.map((answer) => /^connection: close/im.test(answer))).toEqual([false, true]);
    await end;
    expect(events).toEqual(['answered', 'answered', 'destroyed']);
  });

  it.each([
    ['that has sent nothing', ''],
    ['that has sent half a header', 'GET /ping HTTP/1.1\r\nHost: t\r\nX-Half'],
    ['that is idle', requestFor('/ping')],
    ['that has sent half of a second request', `${requestFor('/ping')}GET /ping HTTP/1.1\r\n`],
  ])('is not delayed by a connection %s', async (_name, sent) => {
    await start();
    const { received, answered } = await open(sent);
    await (sent.startsWith('GET /ping HTTP/1.1\r\nHost: t\r\n\r\n') ? answered : fetch(`${url}/ping`));
    await shutDown(app, Promise.resolve());
    await received;
    expect(app.getHttpServer().listening).toBe(false);
  });

  it.each([
    ['half a body', HALF_BODY],
    ['a request that is never answered', requestFor('/slow')],
  ])('is delayed by %s only until the deadline', async (_name, sent) => {
    await start({ drainMs: 200 });
    const { received } = await open(sent);
    await fetch(`${url}/ping`);
    await shutDown(app, Promise.resolve());
    expect(await received).toBe('');
  });

  it('ends an event stream cleanly', async () => {
    await start();
    const response = await fetch(`${url}/events`, { headers: { Accept: 'text/event-stream' } });
    const [reader, body] = [response.body!.getReader(), [] as string[]];
    const { value } = await reader.read();
    body.push(Buffer.from(value!).toString());
    const end = shutDown(app, Promise.resolve());
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read())
      body.push(Buffer.from(chunk.value).toString());
    await end;
    expect(body.join('')).toContain('data: 0');
  });
});
