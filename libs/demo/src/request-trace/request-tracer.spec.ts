import { hasSubscribers } from 'node:diagnostics_channel';
import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Body, Controller, Get, Module, Param, Post, Req } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BearerError, Public } from 'nestjs-keycloak-s2s';
import { INTROSPECTION_CHANNEL, TOKEN_CHANNEL } from 'nestjs-keycloak-s2s/diagnostics';
import { createService } from 'service-defaults';
import { RequestTraceModule } from './request-trace.module.js';
import { RequestTracer, type TraceableRequest } from './request-tracer.js';
import { unreachedKeycloak } from '../../../service-defaults/spec-support/unreached-keycloak.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SAMPLED = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
const OF_A_SPAN = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const JSON_TYPE = { 'content-type': 'application/json' };
const CHANNELS = [
  INTROSPECTION_CHANNEL,
  TOKEN_CHANNEL,
  'undici:request:create',
  'undici:request:headers',
  'undici:request:error',
];

const GONE_AFTER_MS = 50;

const next = { url: '', traceparents: [] as unknown[], serverTiming: '' as string | string[], status: 200 };
let server: Server;
let stranger: Server;
let strangerUrl: string;
let app: NestFastifyApplication;
let url: string;
/** `isHere` means that a request has arrived, and `goOn` lets the request continue. */
const waiting = new EventEmitter();

@Controller()
@Public()
class TestController {
  constructor(private readonly tracer: RequestTracer) {}

  @Post('call')
  async call(@Body() { times }: { times: number }): Promise<string[]> {
    const subscribed = CHANNELS.filter((name) => hasSubscribers(name));
    for (let call = 0; call < times; call += 1) await (await fetch(`${next.url}/api`)).text();
    return subscribed;
  }

  @Get('of-a-span')
  async callOfASpan(): Promise<string> {
    return (await fetch(`${next.url}/api`, { headers: { traceparent: OF_A_SPAN } })).text();
  }

  @Get('stranger')
  async callStranger(): Promise<string> {
    return (await fetch(`${strangerUrl}/realms`)).text();
  }

  @Get('gone')
  async callGone(): Promise<string> {
    return fetch(`${next.url}/gone`).then(
      () => 'answered',
      () => 'failed',
    );
  }

  @Get('refused')
  refused(): never {
    throw new BearerError('insufficient_scope', { reason: 'permission_missing', permission: 'orders.approve' });
  }

  @Get('waits')
  async waits(): Promise<string> {
    const goesOn = once(waiting, 'goOn');
    waiting.emit('isHere');
    await goesOn;
    await (await fetch(`${next.url}/late`)).text();
    return 'late';
  }

  @Get('ends/:times')
  async ends(@Param('times') times: string, @Req() request: TraceableRequest): Promise<unknown> {
    const steps = this.tracer.end(request);
    for (let call = 0; call < Number(times); call += 1) await (await fetch(`${next.url}/api`)).text();
    return { steps: steps?.map(({ step }) => step) ?? 'no trace' };
  }
}

const serve = (handler: Parameters<typeof createServer>[1]): Promise<Server> =>
  new Promise((resolve) => {
    const made = createServer(handler).listen(0, '127.0.0.1', () => resolve(made));
  });
const urlOf = (of: Server): string => `http://127.0.0.1:${(of.address() as AddressInfo).port}`;

beforeAll(async () => {
  server = await serve(({ headers, url: asked, socket }, answer) => {
    next.traceparents.push(headers['traceparent']);
    if (asked === '/gone') {
      setTimeout(() => socket.destroy(), GONE_AFTER_MS);
      return;
    }
    answer.writeHead(next.status, { 'server-timing': next.serverTiming });
    answer.end('{}');
  });
  stranger = await serve(({ headers }, answer) => {
    next.traceparents.push(headers['traceparent']);
    answer.writeHead(200, { 'server-timing': 'service-n.total;dur=1' });
    answer.end('{}');
  });
  next.url = urlOf(server);
  strangerUrl = urlOf(stranger);

  @Module({
    imports: [
      unreachedKeycloak(),
      RequestTraceModule.forRootAsync({
        useFactory: () => ({
          service: 'service-t',
          calls: { 'service-n': next.url.replace('http:', 'HTTP:') },
          startsTrace: ({ raw }) => raw.url === '/ends/1',
        }),
      }),
    ],
    controllers: [TestController],
  })
  class TestModule {}

  app = await createService(TestModule, { logFormat: 'json' });
  app.useLogger(false);
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});
beforeEach(() => void Object.assign(next, { traceparents: [], serverTiming: 'service-n.total;dur=1', status: 200 }));
afterAll(async () => {
  await app.close();
  for (const each of [server, stranger]) {
    each.closeAllConnections();
    await new Promise((resolve) => each.close(resolve));
  }
});

async function timing(path: string, headers: Record<string, string> = SAMPLED, body?: unknown): Promise<string | null> {
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(url + path, { ...sent, headers: { ...headers, ...JSON_TYPE } });
  await response.text();
  return response.headers.get('server-timing')?.replaceAll(/;dur=[\d.]+/g, '') ?? null;
}
const isIdle = (): boolean => CHANNELS.every((name) => !hasSubscribers(name));
async function becomesIdle(): Promise<void> {
  while (!isIdle()) await new Promise(setImmediate);
}

describe('RequestTracer', () => {
  it('measures the duration of a call that got no answer', async () => {
    const response = await fetch(`${url}/gone`, { headers: SAMPLED });
    expect(await response.text()).toBe('failed');
    const [, call] = /service-t\.call;desc="service-n failed";dur=([\d.]+)/.exec(
      response.headers.get('server-timing') ?? '',
    ) ?? [undefined, undefined];
    expect(Number(call)).toBeGreaterThanOrEqual(GONE_AFTER_MS - 2);
  });

  it('ignores a request without a sampled traceparent', async () => {
    expect(await timing('/call', {}, { times: 1 })).toBeNull();
    expect(await timing('/call', { traceparent: SAMPLED.traceparent.replace(/01$/, '00') }, { times: 1 })).toBeNull();
    expect(next.traceparents).toEqual([undefined, undefined]);
    const response = await fetch(`${url}/call`, { method: 'POST', body: '{"times":0}', headers: JSON_TYPE });
    expect(await response.json()).toEqual([]);
  });

  it('traces a request with a sampled traceparent and a body', async () => {
    expect(await timing('/call', SAMPLED, { times: 2 })).toBe(
      'service-t.call;desc="service-n 200", service-n.total, ' +
        'service-t.call;desc="service-n 200", service-n.total, service-t.total',
    );
    expect(next.traceparents).toHaveLength(2);
    for (const header of next.traceparents)
      expect(header).toMatch(new RegExp(`^00-${TRACE}-(?!00f067)[0-9a-f]{16}-01$`));
  });

  it('keeps the traceparent that a call already has', async () => {
    expect(await timing('/of-a-span')).toBe('service-t.call;desc="service-n 200", service-n.total, service-t.total');
    expect(next.traceparents).toEqual([OF_A_SPAN]);
  });

  it('unsubscribes from all channels after the answer to the last traced request', async () => {
    await timing('/call', SAMPLED, { times: 1 });
    await becomesIdle();
    expect(isIdle()).toBe(true);
    expect(await timing('/call', {}, { times: 1 })).toBeNull();
  });

  it('traces refusals by this service and by a called service', async () => {
    expect(await timing('/refused')).toBe('service-t.refused;desc="insufficient_scope", service-t.total');
    Object.assign(next, { status: 403, serverTiming: ['service-n.refused;desc="client_not_allowed"', 'odd'] });
    expect(await timing('/call', SAMPLED, { times: 1 })).toBe(
      'service-t.call;desc="service-n 403", service-n.refused;desc="client_not_allowed", service-t.total',
    );
  });

  it('drops metrics that are malformed, name this service or come from a header that is too long', async () => {
    next.serverTiming = 'service-t.introspection;desc="cached", <script>, service-n.total;desc="x", cdn;desc=HIT';
    expect(await timing('/call', SAMPLED, { times: 1 })).toBe('service-t.call;desc="service-n 200", service-t.total');
    next.serverTiming = 'service-n.total;dur=1, '.repeat(300);
    expect(await timing('/call', SAMPLED, { times: 1 })).toBe('service-t.call;desc="service-n 200", service-t.total');
  });

  it('sends no traceparent to an unknown address, and ignores metrics in the answer', async () => {
    expect(await timing('/stranger')).toBe('service-t.total');
    expect(next.traceparents).toEqual([undefined]);
  });

  it('does not mix up the calls of concurrent requests', async () => {
    const isHere = once(waiting, 'isHere');
    const late = timing('/waits');
    await isHere;
    const others = await Promise.all([0, 1, 2, 3].map((times) => timing('/call', SAMPLED, { times })));
    expect(others.map((header) => header?.match(/service-t\.call/g)?.length ?? 0)).toEqual([0, 1, 2, 3]);
    const before = next.traceparents.length;
    waiting.emit('goOn');
    expect(await late).toBe('service-t.call;desc="service-n 200", service-n.total, service-t.total');
    expect(next.traceparents).toHaveLength(before + 1);
  });

  it('does not trace calls after the application has ended the trace', async () => {
    expect(await timing('/ends/3', SAMPLED)).toBe('service-t.total');
    expect(next.traceparents).toEqual([undefined, undefined, undefined]);
  });

  it('starts a trace if the options require a trace', async () => {
    expect(await timing('/ends/1', {})).toBe('service-t.total');
    expect(await timing('/ends/0', {})).toBeNull();
  });
});
