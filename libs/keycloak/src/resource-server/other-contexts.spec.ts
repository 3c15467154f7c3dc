import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import {
  Controller,
  Get,
  Injectable,
  type INestApplication,
  type INestMicroservice,
  type ModuleMetadata,
  type Type,
} from '@nestjs/common';
import { Field, GraphQLModule, ObjectType, Query, ResolveField, ResolveReference, Resolver } from '@nestjs/graphql';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { ClientProxyFactory, EventPattern, MessagePattern, Transport, type ClientProxy } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import { lastValueFrom, timeout } from 'rxjs';
import { WebSocket } from 'undici';
import { Authenticated, Public, RequirePermission, type RouteDecorator } from '../index.js';
import { KeycloakTestingModule, signIn, testAccessToken } from '../testing/index.js';

const ran: string[] = [];

const ROUTE_CLOSED = { error: 'Route closed', code: 'route_closed' };

class CapturedLog {
  readonly lines: string[] = [];
  readonly refusals: unknown[] = [];
  readonly reports: string[] = [];
  log = (line: unknown, context: unknown): void => {
    if (context === 'Refusal') this.refusals.push(line);
    if (context === 'RouteReport') this.reports.push(String(line));
  };
  warn = (line: unknown, context: unknown): unknown => context === 'RouteReport' && this.lines.push(String(line));
  readonly errors: unknown[] = [];
  error = (line: unknown): unknown => this.errors.push(line);
}

const undone: (() => unknown)[] = [];
afterEach(async () => {
  ran.length = 0;
  for (const undo of undone.splice(0).toReversed()) await undo();
});

async function applicationOf(metadata: ModuleMetadata, { guarded = true } = {}) {
  const log = new CapturedLog();
  const imports = [...(metadata.imports ?? []), ...(guarded ? [KeycloakTestingModule.forRoot()] : [])];
  const module = await Test.createTestingModule({ ...metadata, imports })
    .setLogger(log)
    .compile();
  const app = module.createNestApplication(new ExpressAdapter());
  app.useWebSocketAdapter(new WsAdapter(app));
  undone.push(() => app.close());
  return { app, named: log.lines, refusals: log.refusals, reports: log.reports, errors: log.errors };
}

const listening = async (app: INestApplication): Promise<URL> => {
  await app.listen(0, '127.0.0.1');
  return new URL(await app.getUrl());
};

function decorated<T extends Type>(
  type: T,
  ofClass: readonly ClassDecorator[],
  ofHandler: readonly MethodDecorator[],
): T {
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, 'handle') as PropertyDescriptor;
  for (const decorate of ofHandler) decorate(type.prototype as object, 'handle', descriptor);
  for (const decorate of ofClass) decorate(type);
  return type;
}

type Places = readonly (readonly [string, readonly RouteDecorator[], readonly RouteDecorator[]])[];

const DEMANDS: Places = [
  ['@Authenticated on the class', [Authenticated()], []],
  ['@RequirePermission on the handler', [], [RequirePermission('orders.read')]],
];

const OPEN: Places = [
  ['@Public on the class', [Public()], []],
  ['@Public on the handler', [], [Public()]],
];

describe('a WebSocket gateway', () => {
  function gatewayOf(ofClass: readonly RouteDecorator[], ofHandler: readonly RouteDecorator[]): Type {
    class Chat {
      handleConnection(client: { send(text: string): void }): void {
        ran.push('connection');
        client.send('pushed');
      }
      handle(): { event: string } {
        ran.push('message');
        return { event: 'answered' };
      }
    }
    return decorated(Chat, [WebSocketGateway({ path: '/chat' }), ...ofClass], [SubscribeMessage('say'), ...ofHandler]);
  }

  async function talkTo(url: URL, untilReceived = 1): Promise<string[]> {
    const socket = new WebSocket(`ws://${url.host}/chat`) as WebSocket & EventTarget;
    const received: string[] = [];
    socket.addEventListener('message', ({ data }) => received.push(String(data)));
    await once(socket, 'open');
    socket.send(JSON.stringify({ event: 'say' }));
    while (received.length < untilReceived) await once(socket, 'message');
    socket.close();
    await once(socket, 'close');
    return received;
  }

  const EXCEPTION = JSON.stringify({ event: 'exception', data: ROUTE_CLOSED });

  it('runs an undecorated message handler if the application has no KeycloakModule (control test)', async () => {
    const { app } = await applicationOf({ providers: [gatewayOf([], [])] }, { guarded: false });
    await talkTo(await listening(app), 2);
    expect(ran).toEqual(['connection', 'message']);
  });

  it('runs no message handler that demands a token if the request adapter is missing (RS-20)', async () => {
    const gateway = gatewayOf([Public()], [RequirePermission('orders.read')]);
    const { app, named, errors } = await applicationOf({ providers: [gateway] });
    expect(await talkTo(await listening(app), 2)).toEqual(['pushed', EXCEPTION]);
    expect(ran).toEqual(['connection']);
    expect(errors).toEqual([]);
    expect(named).toEqual([
      "Chat.handle (message handler of a gateway) is closed: the guard can't find the token of its caller without an adapter, such as websocketsRequestAdapter(), in forRoot({ requestAdapters })",
    ]);
  });

  it('runs a message handler that is @Public', async () => {
    const { app, named } = await applicationOf({ providers: [gatewayOf([Public()], [])] });
    await talkTo(await listening(app), 2);
    expect(ran).toEqual(['connection', 'message']);
    expect(named).toEqual([]);
  });

  it('runs no handler that demands a token, even in a hybrid application (RS-20)', async () => {
    const { app } = await applicationOf({ providers: [gatewayOf([Public()], [Authenticated()])] });
    // The microservice discovers gateways a second time, with a configuration that has no guards.
    const microservice = app.connectMicroservice(
      { transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } },
      { deferInitialization: true },
    );
    microservice.useWebSocketAdapter(new WsAdapter(app));
    await app.startAllMicroservices();
    await talkTo(await listening(app));
    expect(ran).toEqual(['connection']);
  });

  it.each([...DEMANDS, ...OPEN.slice(1)])(
    'stops the start if its class is not @Public, since any client can connect: %s (RS-20)',
    async (_, ...places) => {
      const { app } = await applicationOf({ providers: [gatewayOf(...places)] });
      await expect(app.init()).rejects.toThrow(/^The gateway Chat/);
    },
  );

  it('stops the start if a message handler has no access decorator (RS-20)', async () => {
    const gateway = gatewayOf([], []);
    await expect(applicationOf({ providers: [gateway] })).rejects.toThrow(
      /^Chat\.handle \(message handler of a gateway\) and its class have no access decorator/,
    );
  });

  it('fails at startup if handleConnection has an access decorator, because no guard would enforce it', async () => {
    const gateway = gatewayOf([Public()], []);
    const { prototype } = gateway as unknown as { readonly prototype: object };
    const descriptor = Object.getOwnPropertyDescriptor(prototype, 'handleConnection') as PropertyDescriptor;
    Authenticated()(prototype, 'handleConnection', descriptor);
    const { app } = await applicationOf({ providers: [gateway] });
    await expect(app.init()).rejects.toThrow(/^Chat\.handleConnection has an access decorator that nothing enforces/);
  });

  it('with an access decorator stops the start if the application has no KeycloakModule (RS-20)', async () => {
    const { app } = await applicationOf({ providers: [gatewayOf([], [Authenticated()])] }, { guarded: false });
    await expect(app.init()).rejects.toThrow('Import KeycloakModule.forRoot in the root module');
  });
});

describe('a TCP microservice', () => {
  function eventsOf(ofClass: readonly RouteDecorator[], ofHandler: readonly RouteDecorator[]): Type {
    class Events {
      handle(): string {
        ran.push('message');
        return 'done';
      }
    }
    return decorated(Events, [Controller(), ...ofClass], [MessagePattern('run'), ...ofHandler]);
  }

  const TCP = { transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } } as const;

  function clientOf(microservice: Pick<INestMicroservice, 'unwrap'>): ClientProxy {
    const { port } = microservice.unwrap<Server>().address() as AddressInfo;
    const client = ClientProxyFactory.create({ ...TCP, options: { host: '127.0.0.1', port } });
    undone.push(() => client.close());
    return client;
  }

  const answerOf = async (client: ClientProxy): Promise<unknown> =>
    lastValueFrom(client.send('run', {}).pipe(timeout(10_000))).then(
      (answer: unknown) => ({ answer }),
      (refused: unknown) => ({ refused }),
    );

  const HYBRIDS = [
    ['without inheritAppConfig', {}],
    ['with inheritAppConfig', { inheritAppConfig: true }],
    ['with deferInitialization', { deferInitialization: true }],
  ] as const;

  describe.each(OPEN)('a TCP microservice with %s', (_, ofClass, ofHandler) => {
    it.each(HYBRIDS)('runs the handler in a hybrid application %s', async (__, hybrid) => {
      const { app, named } = await applicationOf({ controllers: [eventsOf(ofClass, ofHandler)] });
      const microservice = app.connectMicroservice(TCP, hybrid);
      await app.init();
      await app.startAllMicroservices();
      expect(await answerOf(clientOf(microservice))).toEqual({ answer: 'done' });
      expect(named).toEqual([]);
    });
  });

  describe.each(DEMANDS)('a TCP microservice with %s', (_, ofClass, ofHandler) => {
    it.each(HYBRIDS)('runs no handler in a hybrid application %s (RS-20)', async (__, hybrid) => {
      const { app, named, refusals, errors } = await applicationOf({ controllers: [eventsOf(ofClass, ofHandler)] });
      const microservice = app.connectMicroservice(TCP, hybrid);
      await app.init();
      await app.startAllMicroservices();
      expect(await answerOf(clientOf(microservice))).toEqual({ refused: ROUTE_CLOSED });
      expect(ran).toEqual([]);
      expect(refusals).toMatchObject([{ message: 'Request refused', code: 'route_closed' }]);
      expect(errors).toEqual([]);
      expect(new Set(named)).toEqual(new Set([expect.stringMatching(/^Events\.handle \(message handler\) is closed/)]));
    });

    it('runs no handler if the microservice listens before the application has started (RS-20)', async () => {
      const { app } = await applicationOf({ controllers: [eventsOf(ofClass, ofHandler)] });
      const microservice = app.connectMicroservice(TCP);
      await app.startAllMicroservices();
      expect(await answerOf(clientOf(microservice))).toEqual({ refused: ROUTE_CLOSED });
      expect(ran).toEqual([]);
    });

    const microserviceOf = async (...imports: NonNullable<ModuleMetadata['imports']>): Promise<INestMicroservice> => {
      const controllers = [eventsOf(ofClass, ofHandler)];
      const module = await Test.createTestingModule({ imports, controllers }).setLogger(new CapturedLog()).compile();
      const microservice = module.createNestMicroservice(TCP);
      undone.push(() => microservice.close());
      return microservice;
    };

    it('runs no handler if the microservice is the whole application (RS-20)', async () => {
      const microservice = await microserviceOf(KeycloakTestingModule.forRoot());
      await microservice.listen();
      expect(await answerOf(clientOf(microservice))).toEqual({ refused: ROUTE_CLOSED });
      expect(ran).toEqual([]);
    });

    it('does not start without KeycloakModule, even if the microservice is the whole application (RS-20)', async () => {
      const microservice = await microserviceOf();
      await expect(microservice.listen()).rejects.toThrow('Import KeycloakModule.forRoot in the root module');
    });
  });

  it.each([
    ['a message', MessagePattern('run')],
    ['an event', EventPattern('run') as MethodDecorator],
  ])(
    'stops the start before the microservice listens if a handler of %s has no access decorator (RS-20)',
    async (_, pattern) => {
      class Undecorated {
        handle(): void {}
      }
      const controller = decorated(Undecorated, [Controller()], [pattern]);
      await expect(applicationOf({ controllers: [controller] })).rejects.toThrow(
        /^Undecorated\.handle \(message handler\) and its class have no access decorator/,
      );
    },
  );

  it('logs 20 of 200 refused events, and one line that counts the other events (OP-05)', async () => {
    class Received {
      @EventPattern('received')
      @Authenticated()
      received(data: unknown): unknown {
        ran.push('event');
        return data;
      }
      handle(): string {
        return 'done';
      }
    }
    const controller = decorated(Received, [Controller()], [MessagePattern('run'), Public()]);
    const { app, refusals, errors } = await applicationOf({ controllers: [controller] });
    const microservice = app.connectMicroservice(TCP);
    await app.init();
    await app.startAllMicroservices();
    const client = clientOf(microservice);
    for (let time = 0; time < 200; time += 1) await lastValueFrom(client.emit('received', {}), { defaultValue: null });
    expect(await answerOf(client)).toEqual({ answer: 'done' });
    expect([ran, errors, refusals.length]).toEqual([[], [], 20]);
    await app.close();
    expect(refusals[20]).toMatchObject({ code: 'route_closed', handler: 'Received.received', count: 180 });
  });

  it("stops the start if an undecorated handler gets its pattern after the application's creation (RS-20)", async () => {
    class Undecorated {
      handle(): void {}
    }
    const { app } = await applicationOf({ controllers: [decorated(Undecorated, [Controller()], [])] });
    decorated(Undecorated, [], [MessagePattern('run')]);
    app.connectMicroservice(TCP);
    await expect(app.init()).rejects.toThrow(
      /^Undecorated\.handle \(message handler\) and its class have no access decorator/,
    );
  });

  it('stops the start if a decorator replaces the guarded class by another class (RS-20)', async () => {
    const controller = new Proxy(eventsOf([Authenticated()], []), {});
    await expect(applicationOf({ controllers: [controller] })).rejects.toThrow(
      /^Events\.handle \(message handler\) and its class have no access decorator/,
    );
  });

  it('runs an undecorated handler if the application has no KeycloakModule (control test)', async () => {
    const { app } = await applicationOf({ controllers: [eventsOf([], [])] }, { guarded: false });
    const microservice = app.connectMicroservice(TCP);
    await app.startAllMicroservices();
    expect(await answerOf(clientOf(microservice))).toEqual({ answer: 'done' });
  });

  it('refuses a message to a handler that also serves HTTP', async () => {
    class Both {
      handle(): string {
        ran.push('handler');
        return 'done';
      }
    }
    const { app } = await applicationOf({
      controllers: [decorated(Both, [Controller()], [Get('run'), MessagePattern('run'), Authenticated()])],
    });
    const microservice = app.connectMicroservice(TCP);
    const url = await listening(app);
    await app.startAllMicroservices();
    expect(await answerOf(clientOf(microservice))).toEqual({ refused: ROUTE_CLOSED });
    expect(ran).toEqual([]);
    const authorization = `Bearer ${signIn(app, testAccessToken())}`;
    expect((await fetch(new URL('/run', url), { headers: { authorization } })).status).toBe(200);
    expect(ran).toEqual(['handler']);
  });
});

describe('a GraphQL resolver', () => {
  const graphQL = (): NonNullable<ModuleMetadata['imports']> => [
    GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
  ];

  @ObjectType()
  class Order {
    @Field(() => String)
    id!: string;
  }

  function ordersOf(ofClass: readonly RouteDecorator[], ofHandler: readonly RouteDecorator[]): Type {
    class Orders {
      handle(): Order {
        ran.push('query');
        return { id: '1' };
      }
    }
    return decorated(
      Orders,
      [Resolver(() => Order), ...ofClass],
      [Query(() => Order, { name: 'order' }), ...ofHandler],
    );
  }

  async function queryTo(app: INestApplication, bearer?: string): Promise<unknown> {
    const url = await listening(app);
    const token = bearer ?? signIn(app, testAccessToken({ permissions: ['orders.read'] }));
    const authorization = `Bearer ${token}`;
    const answer = await fetch(new URL('/graphql', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ query: '{ order { id } }' }),
    });
    return answer.json();
  }

  it.each(OPEN)('runs an operation: %s', async (_, ...places) => {
    const { app, named } = await applicationOf({ imports: graphQL(), providers: [ordersOf(...places)] });
    expect(await queryTo(app)).toEqual({ data: { order: { id: '1' } } });
    expect(named).toEqual([]);
  });

  it.each([...DEMANDS, ['no decorator', [], []] as const])('runs no operation: %s (RS-20)', async (_, ...places) => {
    const { app, named } = await applicationOf({ imports: graphQL(), providers: [ordersOf(...places)] });
    expect(await queryTo(app)).toMatchObject({ data: null, errors: [{ message: expect.any(String) }] });
    expect(ran).toEqual([]);
    expect(named).toEqual([expect.stringMatching(/^Orders\.handle \(GraphQL query\) is closed/)]);
  });

  it('runs an undecorated operation if the application has no KeycloakModule (control test)', async () => {
    const { app } = await applicationOf({ imports: graphQL(), providers: [ordersOf([], [])] }, { guarded: false });
    expect(await queryTo(app, 'none')).toEqual({ data: { order: { id: '1' } } });
  });

  it('runs no operation of a resolver from a factory provider, for which Nest omits class guards (RS-20)', async () => {
    const type = ordersOf([], [Authenticated()]);
    const provider = { provide: type, useFactory: () => new (type as new () => object)() };
    const { app } = await applicationOf({ imports: graphQL(), providers: [provider] });
    expect(await queryTo(app)).toMatchObject({ data: null });
    expect(ran).toEqual([]);
  });

  it('resolves a field without decorators for each caller of its operation (RS-20)', async () => {
    class Fields {
      handle(): string {
        return 'field';
      }
    }
    const decorators = [ResolveField('note', () => String)];
    const silent = decorated(
      class Silent extends Fields {
        override handle(): string {
          return super.handle();
        }
      },
      [Resolver(() => Order)],
      decorators,
    );
    const { app, named, reports } = await applicationOf({
      imports: graphQL(),
      providers: [ordersOf([Public()], []), silent],
    });
    await app.init();
    expect(named).toEqual([]);
    expect(reports.join()).toContain('Silent.handle (GraphQL field resolver): same as its operation');

    const claiming = decorated(
      class Claiming extends Fields {
        override handle(): string {
          return super.handle();
        }
      },
      [Resolver(() => Order)],
      [...decorators, Authenticated()],
    );
    const other = await applicationOf({ imports: graphQL(), providers: [ordersOf([Public()], []), claiming] });
    await expect(other.app.init()).rejects.toThrow(
      /^Claiming\.handle \(GraphQL field resolver\) has an access decorator that no guard enforces/,
    );
  });

  it('stops the start if a reference resolver has an access decorator, but no guard (RS-20)', async () => {
    class References {
      handle(): Order {
        return { id: '1' };
      }
    }
    const type = decorated(References, [Resolver(() => Order), Authenticated()], [ResolveReference()]);
    const { app } = await applicationOf({ imports: graphQL(), providers: [ordersOf([], []), type] });
    await expect(app.init()).rejects.toThrow(/^References\.handle \(GraphQL reference resolver\)/);
  });
});

describe('an injectable service', () => {
  it.each([
    ['class', [Authenticated()], []],
    ['method', [], [Authenticated()]],
  ])(
    'stops the start if its %s has an access decorator, because no guard enforces the decorator',
    async (_, ofClass, ofMethod) => {
      class Orders {
        handle(): void {}
      }
      const type = decorated(Orders, [Injectable(), ...ofClass], ofMethod);
      const { app } = await applicationOf({ providers: [type] });
      await expect(app.init()).rejects.toThrow(/has an access decorator that nothing enforces/);
    },
  );

  it.each(['is a controller too', 'inherits from a controller'])(
    'does not stop the start if the service %s, because no request reaches the service',
    async (what) => {
      class Orders {
        handle(): string {
          return 'done';
        }
      }
      decorated(Orders, [Controller(), Authenticated()], [Get('route'), RequirePermission('admin')]);
      @Injectable()
      class Heir extends Orders {}
      const provider = what === 'is a controller too' ? Orders : Heir;
      const { app } = await applicationOf({ controllers: [Orders], providers: [provider] });
      await expect(app.init()).resolves.toBeDefined();
    },
  );

  it('stops the start if it extends a controller and has an access decorator', async () => {
    class Base {
      handle(): void {}
    }
    decorated(Base, [Controller()], [Get('route'), Authenticated()]);
    class Heir extends Base {
      override handle(): void {}
    }
    decorated(Heir, [Injectable()], [Authenticated()]);
    const { app } = await applicationOf({ controllers: [Base], providers: [Heir] });
    await expect(app.init()).rejects.toThrow(/^Heir\.handle has an access decorator that nothing enforces/);
  });

  it.each<[string, () => unknown]>([
    ['extends no class', () => Object.create(Object.create(null) as object)],
    ['has a string as its constructor', () => Object.create({ constructor: 'x', handle() {} })],
    ['has no class', () => Object.create({ constructor: undefined, handle() {} })],
    ['is a generator function', () => (function* () {})()],
    ['is null', () => null],
    ['is a function', () => () => 1],
  ])('does not stop the start if the service %s', async (_, make) => {
    const providers = [
      { provide: 'value', useValue: make() },
      { provide: 'made', useFactory: make },
    ];
    const { app } = await applicationOf({ providers });
    await expect(app.init()).resolves.toBeDefined();
  });
});
