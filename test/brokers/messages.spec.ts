import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Metadata, type ServerDuplexStream, type ServerReadableStream } from '@grpc/grpc-js';
import { headers as natsHeaders } from '@nats-io/transport-node';
import { ConsoleLogger, Controller, type INestApplication, type Type } from '@nestjs/common';
import {
  ClientProxyFactory,
  Ctx,
  EventPattern,
  GrpcMethod,
  GrpcStreamCall,
  GrpcStreamMethod,
  MessagePattern,
  NatsRecordBuilder,
  RmqRecordBuilder,
  Transport,
  type ClientGrpc,
  type ClientProxy,
  type MicroserviceOptions,
  type RmqContext,
} from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import amqp from 'amqplib';
import { freePort } from 'keycloak-test-servers';
import {
  Caller,
  AllowClients,
  MaxIntrospectionAge,
  Public,
  RequireStepUp,
  RequirePermission,
  TokenExchangeClient,
  type PermissionMapper,
  type VerifiedAccessToken,
} from 'nestjs-keycloak-s2s';
import { REFUSAL_CHANNEL } from 'nestjs-keycloak-s2s/diagnostics';
import type { RequestAdapter } from 'nestjs-keycloak-s2s/extension';
import { microservicesRequestAdapter } from 'nestjs-keycloak-s2s/microservices';
import {
  KeycloakTestingModule,
  signIn,
  signOut,
  testAccessToken,
  testAuthorizationServer,
} from 'nestjs-keycloak-s2s/testing';
import { finalize, from, interval, lastValueFrom, map, NEVER, timeout, type Observable } from 'rxjs';
import { AskedIntrospections } from '../../libs/keycloak/spec-support/asked-introspections.js';
import { bearerOf, deny, REFUSED_CALLERS } from '../../libs/keycloak/spec-support/refusal-table.js';
import { natsPath, rabbitMqPath, startNats, startRabbitMq, type Broker } from '../support/brokers.js';

const ran: string[] = [];
const undone: (() => unknown)[] = [];
afterEach(async () => {
  ran.length = 0;
  for (const undo of undone.splice(0).toReversed()) await undo();
});

@Controller()
class Orders {
  @MessagePattern('read')
  @RequirePermission('orders.read')
  @AllowClients('shop')
  read(@Caller() caller: VerifiedAccessToken): string {
    ran.push('read');
    return `read by ${caller.clientId}`;
  }

  @MessagePattern('now')
  @MaxIntrospectionAge({ seconds: 0 })
  @RequirePermission('orders.read')
  now(): string {
    ran.push('now');
    return 'now';
  }

  @MessagePattern('settle')
  @RequireStepUp({ acr: ['gold', 'silver'], maxAgeSeconds: 60 })
  settle(): string {
    ran.push('settle');
    return 'settled';
  }

  @MessagePattern('status')
  @Public()
  status(): string {
    ran.push('status');
    return 'up';
  }

  @GrpcMethod('Orders', 'Read')
  @RequirePermission('orders.read')
  @AllowClients('shop')
  readByGrpc(@Caller() caller: VerifiedAccessToken): { text: string } {
    return { text: this.read(caller) };
  }

  @GrpcMethod('Orders', 'Now')
  @MaxIntrospectionAge({ seconds: 0 })
  @RequirePermission('orders.read')
  nowByGrpc(): { text: string } {
    return { text: this.now() };
  }

  @GrpcMethod('Orders', 'Settle')
  @RequireStepUp({ acr: ['gold', 'silver'], maxAgeSeconds: 60 })
  settleByGrpc(): { text: string } {
    return { text: this.settle() };
  }

  @GrpcMethod('Orders', 'Status')
  @Public()
  statusByGrpc(): { text: string } {
    return { text: this.status() };
  }
}

/** HTTP/2 sends only a part of this text to a caller that does not read. */
const LONG = 'x'.repeat(100_000);

@Controller()
class Streams {
  @GrpcMethod('Orders', 'Watch')
  @RequirePermission('orders.read')
  watch(): Observable<{ text: string }> {
    ran.push('watch');
    return interval(20).pipe(map((at) => ({ text: String(at) })));
  }

  @GrpcStreamCall('Orders', 'Talk')
  @RequirePermission('orders.read')
  talk(call: ServerDuplexStream<object, { text: string }>): void {
    ran.push('talk');
    call.on('data', () => call.write({ text: 'received' }));
    call.on('end', () => call.end());
  }

  @GrpcStreamMethod('Orders', 'Chat')
  @RequirePermission('orders.read')
  chat(messages: Observable<object>): Observable<{ text: string }> {
    messages.subscribe();
    return interval(20).pipe(
      map(() => ({ text: LONG })),
      finalize(() => ran.push('left')),
    );
  }

  @GrpcStreamCall('Orders', 'Upload')
  @RequirePermission('orders.read')
  upload(call: ServerReadableStream<object, object>, answer: (error: null, message: { text: string }) => void): void {
    ran.push('upload');
    call.on('data', () => {});
    call.on('end', () => answer(null, { text: 'stored' }));
  }
}

const PROTO = `syntax = "proto3";
package shop;
service Orders {
  rpc Read (Nothing) returns (Answer);
  rpc Now (Nothing) returns (Answer);
  rpc Settle (Nothing) returns (Answer);
  rpc Status (Nothing) returns (Answer);
  rpc Watch (Nothing) returns (stream Answer);
  rpc Talk (stream Nothing) returns (stream Answer);
  rpc Chat (stream Nothing) returns (stream Answer);
  rpc Upload (stream Nothing) returns (Answer);
}
message Nothing {}
message Answer { string text = 1; }
`;

interface Refused {
  readonly status: number;
  readonly code: string;
  readonly permission?: string;
  readonly more?: Readonly<Record<string, unknown>>;
  /** Replaces the default message of the gRPC status, which contains `code` and `permission`. */
  readonly details?: string;
}

interface TransportUnderTest {
  readonly name: string;
  readonly start: (() => Promise<Broker>) | undefined;
  options(url: string): MicroserviceOptions;
  sender(
    options: MicroserviceOptions,
  ): (pattern: 'read' | 'now' | 'settle' | 'status', authorization?: string, name?: string) => Promise<unknown>;
  refusal(refused: Refused): unknown;
}

const outcomeOf = (answers: Observable<unknown>): Promise<unknown> =>
  lastValueFrom(answers.pipe(timeout(120_000))).then(
    (answer) => ({ answer }),
    (refused: unknown) => ({ refused }),
  );

const bodyOf = ({ code, permission, more }: Refused): object => ({
  error: expect.any(String),
  code,
  ...more,
  ...(permission === undefined ? {} : { permission }),
});

function proxyOf(options: MicroserviceOptions): ClientProxy {
  const proxy = ClientProxyFactory.create(options as Parameters<typeof ClientProxyFactory.create>[0]) as ClientProxy;
  undone.push(() => proxy.close());
  return proxy;
}

const protoFolder = mkdtempSync(join(tmpdir(), 'proto-'));
beforeAll(() => writeFileSync(join(protoFolder, 'orders.proto'), PROTO));
afterAll(() => rmSync(protoFolder, { recursive: true }));

const GRPC_STATUS: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7 };

const GRPC: TransportUnderTest = {
  name: 'gRPC',
  start: async () => ({ url: `127.0.0.1:${await freePort()}`, stop: async () => {} }),
  options: (url) => ({
    transport: Transport.GRPC,
    options: { package: 'shop', protoPath: join(protoFolder, 'orders.proto'), url },
  }),
  sender(options) {
    type Method = (message: object, metadata: Metadata) => Observable<{ text: string }>;
    const client = proxyOf(options) as unknown as ClientGrpc;
    const service = client.getService<Readonly<Record<string, Method>>>('Orders');
    return async (pattern, authorization, name = 'authorization') => {
      const metadata = new Metadata();
      if (authorization !== undefined) metadata.add(name, authorization);
      const { answer, refused } = (await outcomeOf(service[pattern]?.({}, metadata) as Observable<unknown>)) as {
        answer?: { text: string };
        refused?: { code: number; details: string };
      };
      return answer === undefined
        ? { refused: { code: refused?.code, details: refused?.details } }
        : { answer: answer.text };
    };
  },
  refusal: ({ status, code, permission, details }) => ({
    code: GRPC_STATUS[status],
    details: details ?? (permission === undefined ? code : `${code}: ${permission}`),
  }),
};

const NATS: TransportUnderTest = {
  name: 'NATS',
  start: natsPath === undefined ? undefined : () => startNats(natsPath ?? ''),
  options: (url) => ({ transport: Transport.NATS, options: { servers: [url] } }),
  sender(options) {
    const proxy = proxyOf(options);
    return (pattern, authorization, name = 'authorization') => {
      const headers = natsHeaders();
      if (authorization !== undefined) headers.set(name, authorization);
      return outcomeOf(proxy.send(pattern, new NatsRecordBuilder({}).setHeaders(headers).build()));
    };
  },
  refusal: bodyOf,
};

const RABBITMQ: TransportUnderTest = {
  name: 'RabbitMQ',
  start: rabbitMqPath === undefined ? undefined : () => startRabbitMq(rabbitMqPath ?? ''),
  options: (url) => ({
    transport: Transport.RMQ,
    options: { urls: [url], queue: 'orders', queueOptions: { durable: false } },
  }),
  sender(options) {
    const proxy = proxyOf(options);
    return (pattern, authorization, name = 'authorization') => {
      const headers: Record<string, string> = authorization === undefined ? {} : { [name]: authorization };
      return outcomeOf(proxy.send(pattern, new RmqRecordBuilder({}).setOptions({ headers }).build()));
    };
  },
  refusal: bodyOf,
};

interface Start {
  readonly inherits?: boolean;
  readonly controllers?: Type[];
  readonly adapter?: RequestAdapter | null;
  readonly permissions?: PermissionMapper | undefined;
}

async function start(
  options: MicroserviceOptions,
  { inherits = false, controllers = [Orders], adapter = microservicesRequestAdapter(), permissions }: Start = {},
): Promise<INestApplication> {
  const imports = [
    KeycloakTestingModule.forRoot({ requestAdapters: [adapter ?? []].flat(), mapPermissions: permissions }),
  ];
  const module = await Test.createTestingModule({ imports, controllers })
    .setLogger(new ConsoleLogger({ logLevels: [] }))
    .compile();
  const app = module.createNestApplication(new ExpressAdapter());
  undone.push(() => app.close());
  app.connectMicroservice(options, { inheritAppConfig: inherits });
  await app.startAllMicroservices();
  await app.init();
  return app;
}

for (const transport of [GRPC, NATS, RABBITMQ]) {
  const describeWithBroker = transport.start === undefined ? describe.skip : describe;
  describeWithBroker(`messages over ${transport.name}`, () => {
    let broker: Broker;
    beforeAll(async () => {
      broker = (await transport.start?.()) as Broker;
    });
    afterAll(() => broker.stop());

    describe.each([
      ['to a hybrid application without inheritAppConfig', false],
      ['to a hybrid application with inheritAppConfig', true],
    ])('%s', (_, inherits) => {
      let app: INestApplication;
      let send: ReturnType<TransportUnderTest['sender']>;
      beforeEach(async () => {
        const options = transport.options(broker.url);
        app = await start(options, { inherits });
        send = transport.sender(options);
      });

      it('are handled if the caller has the permission, and the handler receives the token', async () => {
        expect(await send('read', bearerOf(app))).toEqual({ answer: 'read by shop' });
      });

      it.each(REFUSED_CALLERS)('are refused: $name ($code) (RS-20)', async (caller) => {
        const outcome = await send('read', caller.authorization(app));
        expect(outcome).toEqual({ refused: transport.refusal(caller) });
        expect(JSON.stringify(outcome)).not.toMatch(/reason|stack/);
        expect(ran).toEqual([]);
      });

      it('reuse the cached introspection result of a known token', async () => {
        const asked = new AskedIntrospections();
        undone.push(() => asked.stop());
        const bearer = bearerOf(app);
        for (let at = 0; at < 5; at += 1) await send('read', bearer);
        expect(ran).toHaveLength(5);
        expect(asked.count).toBe(1);
      });

      it('are refused if the login is too weak or old, and the answer names the required login (RS-11)', async () => {
        const refused = transport.refusal({
          status: 401,
          code: 'insufficient_user_authentication',
          more: { acrValues: ['gold', 'silver'], maxAgeSeconds: 60 },
          details: 'insufficient_user_authentication: acr_values="gold silver", max_age="60"',
        });
        for (const login of [
          {},
          { acr: '1', authenticatedSecondsAgo: 0 },
          { acr: 'gold', authenticatedSecondsAgo: 70 },
        ]) {
          expect(await send('settle', bearerOf(app, login))).toEqual({ refused });
        }
        expect(ran).toEqual([]);
        const good = bearerOf(app, { acr: 'silver', authenticatedSecondsAgo: 10 });
        expect(await send('settle', good)).toEqual({ answer: 'settled' });
      });

      it('are handled without a token if the handler is @Public()', async () => {
        expect(await send('status')).toEqual({ answer: 'up' });
      });

      it('are refused for an inactive token if the handler requires a new introspection', async () => {
        const bearer = bearerOf(app);
        expect(await send('now', bearer)).toEqual({ answer: 'now' });
        signOut(app, bearer.slice('Bearer '.length));
        const refused = transport.refusal({ status: 401, code: 'invalid_token' });
        expect(await send('now', bearer)).toEqual({ refused });
      });
    });

    it.each([
      ['a hybrid application without inheritAppConfig', false],
      ['a hybrid application with inheritAppConfig', true],
    ])('are refused if %s has no request adapter (RS-20)', async (_, inherits) => {
      const options = transport.options(broker.url);
      const app = await start(options, { inherits, adapter: null });
      const outcome = await transport.sender(options)('read', bearerOf(app));
      expect(outcome).toEqual({ refused: transport.refusal({ status: 403, code: 'route_closed' }) });
      expect(ran).toEqual([]);
    });

    it('may have the token in a header whose name has upper-case letters', async () => {
      const options = transport.options(broker.url);
      const app = await start(options);
      const answer = await transport.sender(options)('read', bearerOf(app), 'Authorization');
      expect(answer).toEqual({ answer: 'read by shop' });
    });
  });
}

describe('a gRPC stream', () => {
  const streamed = async (
    method: 'Watch' | 'Talk' | 'Chat' | 'Upload',
    authorization: string | undefined,
    permissions?: PermissionMapper,
  ) => {
    const url = `127.0.0.1:${await freePort()}`;
    const options = GRPC.options(url);
    const app = await start(options, { controllers: [Streams], permissions });
    const bearer = authorization ?? bearerOf(app, { permissions: ['orders.read'], claims: { sid: 'session' } });
    const metadata = new Metadata();
    if (bearer !== '') metadata.add('authorization', bearer);
    const client = proxyOf(options) as unknown as ClientGrpc;
    type Method = (message: unknown, metadata: Metadata) => Observable<{ text: string }>;
    const service = client.getService<Readonly<Record<string, Method>>>('Orders');
    const message = { Watch: {}, Talk: from([{}, {}]), Chat: NEVER, Upload: from([{}, {}]) }[method];
    const again = () => service[method.toLowerCase()]?.(message, metadata) as Observable<{ text: string }>;
    return { app, url, bearer, answers: again(), again };
  };

  it.each([
    ['Talk', 'talk', 'received'],
    ['Upload', 'upload', 'stored'],
  ] as const)('is handled if the caller has the permission: %s', async (method, name, text) => {
    const { answers } = await streamed(method, undefined);
    expect(await outcomeOf(answers)).toEqual({ answer: { text } });
    expect(ran).toEqual([name]);
  });

  it.each([
    ['Watch', '', 'missing_token'],
    ['Talk', '', 'missing_token'],
    ['Upload', '', 'missing_token'],
    ['Watch', 'Bearer junk', 'invalid_token'],
    ['Talk', 'Bearer junk', 'invalid_token'],
    ['Upload', 'Bearer junk', 'invalid_token'],
  ] as const)(
    'is refused without a crash of the process: %s with the token %j',
    async (method, authorization, details) => {
      const { answers } = await streamed(method, authorization);
      expect(await outcomeOf(answers)).toMatchObject({ refused: { code: 16, details } });
      expect(ran).toEqual([]);
    },
  );

  it.each(['Watch', 'Talk', 'Upload'] as const)(
    'fails without a crash of the process if the permission mapper throws: %s',
    async (method) => {
      const permissions = async (): Promise<never> => {
        throw new Error('The database is unavailable');
      };
      const { answers } = await streamed(method, undefined, permissions);
      expect(await outcomeOf(answers)).toMatchObject({ refused: { code: 2, details: 'Internal server error' } });
      expect(ran).toEqual([]);
    },
  );

  it('causes at most 20 log lines for errors of the permission mapper, and then a count (OP-05)', async () => {
    const permissions = async (): Promise<never> => {
      throw new TypeError('The database is unavailable');
    };
    const { app, again } = await streamed('Talk', undefined, permissions);
    const lines: unknown[] = [];
    app.useLogger({ log: () => {}, warn: () => {}, error: (line: unknown) => lines.push(line) });
    for (let time = 0; time < 30; time += 1) expect(await outcomeOf(again())).toMatchObject({ refused: { code: 2 } });
    await app.close();
    expect(lines.filter((line) => line instanceof TypeError)).toHaveLength(20);
    expect(lines.slice(20)).toEqual([
      { message: 'Several calls could not be authorized', error: 'TypeError', count: 10, seconds: 10 },
    ]);
  });

  describe('that uses @GrpcStreamCall without a request adapter', () => {
    const startWith = async (access: MethodDecorator): Promise<INestApplication> => {
      @Controller()
      class Calls {
        @GrpcStreamCall('Orders', 'Talk')
        @access
        talk(call: ServerDuplexStream<object, object>): void {
          call.end();
        }
      }
      return start(GRPC.options(`127.0.0.1:${await freePort()}`), { controllers: [Calls], adapter: null });
    };

    it('prevents the start of the application if the handler requires a token', async () => {
      await expect(startWith(RequirePermission('orders.read'))).rejects.toThrow(
        /^Calls\.talk \(message handler\) has @GrpcStreamCall\(\)/,
      );
    });

    it('lets the application start if the handler is public', async () => {
      await expect(startWith(Public())).resolves.toBeDefined();
    });
  });

  it.each(['Watch', 'Chat'] as const)('ends when the token of the stream is denied: %s', async (method) => {
    const { app, answers } = await streamed(method, undefined);
    const outcome = new Promise((resolve) => {
      let received = 0;
      answers.subscribe({
        next: () => {
          received += 1;
          if (received === 3) deny(app, 'session');
        },
        error: resolve,
      });
    });
    expect(await outcome).toMatchObject({ code: 16, details: 'invalid_token' });
  });

  it('ends when the token is denied, even if the caller does not read', async () => {
    const { app, url, bearer } = await streamed('Chat', undefined);
    const session = connect(`http://${url}`);
    undone.push(() => session.destroy());
    const path = '/shop.Orders/Chat';
    const type = 'application/grpc';
    const call = session.request({ ':method': 'POST', ':path': path, 'content-type': type, authorization: bearer });
    await once(call, 'response');
    deny(app, 'session');
    while (!ran.includes('left')) await sleep(10);
    call.resume();
    const [trailers] = (await once(call, 'trailers')) as object[];
    expect(trailers).toMatchObject({ 'grpc-status': '16', 'grpc-message': 'invalid_token' });
  });
});

const describeWithNats = natsPath === undefined ? describe.skip : describe;
describeWithNats('headers of a NATS message', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startNats(natsPath ?? '');
  });
  afterAll(() => broker.stop());

  it('can contain an exchanged token whose subject is the original caller', async () => {
    @Controller()
    class Consumer {
      @MessagePattern('act')
      @RequirePermission('orders.read')
      act(@Caller() caller: VerifiedAccessToken): object {
        return { sub: caller.subject, azp: caller.clientId, aud: caller.audience };
      }
    }
    const options = NATS.options(broker.url);
    const tcp: MicroserviceOptions = {
      transport: Transport.TCP,
      options: { port: await freePort(), host: '127.0.0.1' },
    };
    const sender = await start(tcp, { controllers: [] });
    const consumer = await start(options, { controllers: [Consumer] });
    const caller = testAccessToken({ subject: 'alice', permissions: ['orders.read'] });
    signIn(sender, caller);
    const headers = await sender
      .get(TokenExchangeClient, { strict: false })
      .messageHeaders(caller, { audience: 'consumer', scope: 'orders.read' });
    expect(Object.keys(headers)).toEqual(['authorization']);
    expect(inspect(headers)).toMatch(/^MessageHeaders\(token:[0-9a-f]{8}\)$/);
    // `signIn` registers the exchanged token again, because the consumer has a separate in-memory server.
    const text = headers.authorization.slice('Bearer '.length);
    signIn(consumer, testAccessToken({ text, subject: 'alice', client: 'sender', permissions: ['orders.read'] }));
    const record = natsHeaders();
    for (const [name, value] of Object.entries(headers)) record.set(name, String(value));
    const message = new NatsRecordBuilder({}).setHeaders(record).build();
    expect(await outcomeOf(proxyOf(options).send('act', message))).toEqual({
      answer: { sub: 'alice', azp: 'sender', aud: ['test-service'] },
    });
  });

  it('cause a refusal with invalid_request if two headers contain a token', async () => {
    const options = NATS.options(broker.url);
    const app = await start(options);
    const twice = natsHeaders();
    twice.append('authorization', bearerOf(app));
    twice.append('Authorization', bearerOf(app));
    const message = new NatsRecordBuilder({}).setHeaders(twice).build();
    expect(await outcomeOf(proxyOf(options).send('read', message))).toEqual({
      refused: { error: 'Invalid request', code: 'invalid_request' },
    });
  });
});

@Controller()
class Events {
  @EventPattern('placed')
  @RequirePermission('orders.read')
  placed(data: unknown): unknown {
    ran.push('placed');
    return data;
  }
}

for (const { name, start: startBroker, options: optionsOf } of [NATS, RABBITMQ]) {
  const describeWithBroker = startBroker === undefined ? describe.skip : describe;
  describeWithBroker(`events over ${name}`, () => {
    it('are refused without a token, and the log counts the refusals after the first 20 lines (OP-05)', async () => {
      const broker = (await startBroker?.()) as Broker;
      undone.push(() => broker.stop());
      const options = optionsOf(broker.url);
      const app = await start(options, { controllers: [Events] });
      const lines: { readonly count?: number }[] = [];
      const errors: unknown[] = [];
      const write = (line: object): void => void lines.push(line);
      app.useLogger({ log: write, warn: write, error: (line: unknown) => errors.push(line) });
      const refused: unknown[] = [];
      const count = (refusal: unknown): void => void refused.push(refusal);
      subscribe(REFUSAL_CHANNEL, count);
      undone.push(() => unsubscribe(REFUSAL_CHANNEL, count));
      const proxy = proxyOf(options);
      for (let time = 0; time < 200; time += 1) await lastValueFrom(proxy.emit('placed', {}), { defaultValue: null });
      while (refused.length < 200) await new Promise((resolve) => setTimeout(resolve, 10));
      await app.close();
      expect([ran, errors]).toEqual([[], []]);
      const ofEvents = lines.filter((line) => 'handler' in Object(line));
      expect(ofEvents.map(({ count: others = 1 }) => others)).toEqual([...Array.from({ length: 20 }, () => 1), 180]);
    });
  });
}

const describeWithRabbitMq = rabbitMqPath === undefined ? describe.skip : describe;
describeWithRabbitMq('a RabbitMQ message with manual acknowledgement and rejectRefused', () => {
  @Controller()
  class ByHand {
    @MessagePattern('read')
    @RequirePermission('orders.read')
    read(@Ctx() context: RmqContext): string {
      (context.getChannelRef() as amqp.Channel).ack(context.getMessage() as unknown as amqp.Message);
      ran.push('read');
      return 'read';
    }

    @EventPattern('placed')
    @RequirePermission('orders.read')
    first(data: unknown): unknown {
      return data;
    }
  }
  @Controller()
  class Another {
    @EventPattern('placed')
    @RequirePermission('orders.read')
    second(data: unknown): unknown {
      return data;
    }
  }

  async function startByHand(permissions?: PermissionMapper) {
    const broker = await startRabbitMq(rabbitMqPath ?? '');
    undone.push(() => broker.stop());
    const connection = await amqp.connect(broker.url);
    undone.push(() => connection.close());
    const dead = await connection.createChannel();
    await dead.assertQueue('dead');
    const deadLetters = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' };
    const queue = { queue: 'by-hand', queueOptions: { durable: false, arguments: deadLetters }, urls: [broker.url] };
    const app = await start(
      { transport: Transport.RMQ, options: { ...queue, noAck: false } },
      { controllers: [ByHand, Another], adapter: microservicesRequestAdapter({ rejectRefused: true }), permissions },
    );
    const sender: MicroserviceOptions = { transport: Transport.RMQ, options: queue };
    return { app, dead, sender, send: RABBITMQ.sender(sender) };
  }

  it('is sent to the dead-letter exchange once, even if several handlers refuse the message', async () => {
    const { app, dead, sender, send } = await startByHand();
    expect(await send('read', 'Bearer junk')).toMatchObject({ refused: { code: 'invalid_token' } });
    const arrived: amqp.ConsumeMessage[] = [];
    await dead.consume('dead', (message) => message !== null && arrived.push(message));
    const event = new RmqRecordBuilder({}).setOptions({ headers: { authorization: 'Bearer event' } }).build();
    await lastValueFrom(proxyOf(sender).emit('placed', event));
    while (arrived.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(arrived.map(({ properties }) => Object(properties.headers).authorization as unknown)).toEqual([
      'Bearer junk',
      'Bearer event',
    ]);
    // A second rejection of the same message would make RabbitMQ close the channel.
    expect(await send('read', bearerOf(app))).toEqual({ answer: 'read' });
  });

  it('is delivered again if the service could not verify the token', async () => {
    const { app, sender } = await startByHand();
    testAuthorizationServer(app).fail('refused');
    const headers = { authorization: bearerOf(app) };
    proxyOf(sender)
      .send('read', new RmqRecordBuilder({}).setOptions({ headers }).build())
      .subscribe({ error: () => {} });
    await new Promise((resolve) => setTimeout(resolve, 500));
    testAuthorizationServer(app).recover();
    while (ran.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(ran).toEqual(['read']);
    // The service must send its answer before the test closes the connection.
    await new Promise((resolve) => setTimeout(resolve, 300));
  });

  it('is delivered again if the permission mapper failed', async () => {
    let times = 0;
    const { app, sender } = await startByHand(async () => {
      times += 1;
      if (times === 1) throw new Error('The database is unavailable');
      return ['orders.read'];
    });
    const headers = { authorization: bearerOf(app) };
    proxyOf(sender)
      .send('read', new RmqRecordBuilder({}).setOptions({ headers }).build())
      .subscribe({ error: () => {} });
    const endMs = Date.now() + 5000;
    while (ran.length === 0 && Date.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(ran).toEqual(['read']);
    await new Promise((resolve) => setTimeout(resolve, 300));
  });
});

describe('a message of a transport without headers', () => {
  it('is refused, and only the log contains the reason', async () => {
    const lines: unknown[] = [];
    const options: MicroserviceOptions = {
      transport: Transport.TCP,
      options: { port: await freePort(), host: '127.0.0.1' },
    };
    const app = await start(options);
    app.useLogger({ log: (line: unknown) => lines.push(line), error: () => {}, warn: () => {} });
    expect(await outcomeOf(proxyOf(options).send('read', {}))).toEqual({
      refused: { error: 'Route closed', code: 'route_closed' },
    });
    expect(lines).toContainEqual({
      message: 'Request refused',
      code: 'route_closed',
      reason: 'transport_without_headers',
      kind: 'rpc',
      handler: 'Orders.read',
      detail: "Messages with a TcpContext have no headers that the guard can read, so they can't carry a token",
    });
    expect(await outcomeOf(proxyOf(options).send('status', {}))).toEqual({ answer: 'up' });
  });
});
