import { ApolloDriver } from '@nestjs/apollo';
import { ConsoleLogger, Logger, Module, type INestApplication, type ModuleMetadata, type Type } from '@nestjs/common';
import {
  Args,
  Field,
  GraphQLModule,
  Int,
  Mutation,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { MercuriusDriver } from '@nestjs/mercurius';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import {
  Caller,
  AllowClients,
  Authenticated,
  BearerError,
  MaxIntrospectionAge,
  Public,
  RequireStepUp,
  RequirePermission,
  type VerifiedAccessToken,
} from '../../index.js';
import { KeycloakTestingModule, signOut } from '../../testing/index.js';
import { AskedIntrospections } from '../../../spec-support/asked-introspections.js';
import { bearerOf, deny, GOOD, REFUSED_CALLERS } from '../../../spec-support/refusal-table.js';
import { graphqlRequestAdapter } from './index.js';

@ObjectType()
class Order {
  @Field(() => Int)
  number!: number;
}

const ran: string[] = [];

async function* ticks(): AsyncGenerator<{ ticks: number }> {
  for (let at = 1; ; at += 1) {
    yield { ticks: at };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

@Resolver(() => Order)
class OrdersResolver {
  @Query(() => Order)
  @RequirePermission('orders.read')
  @AllowClients('shop')
  order(@Caller() caller: VerifiedAccessToken, @Args('number', { type: () => Int, defaultValue: 1 }) number: number) {
    ran.push(`order ${number} for ${caller.clientId}`);
    return { number };
  }

  @Query(() => String)
  @RequireStepUp({ acr: ['gold', 'silver'], maxAgeSeconds: 60 })
  settled(): string {
    ran.push('settled');
    return 'settled';
  }

  @Query(() => String)
  @Public()
  status(): string {
    return 'up';
  }

  @Query(() => String)
  forgotten(): string {
    ran.push('forgotten');
    return 'forgotten';
  }

  @Mutation(() => Order)
  @MaxIntrospectionAge({ seconds: 0 })
  @RequirePermission('orders.read')
  pay(): Order {
    ran.push('paid');
    return { number: 1 };
  }

  @Mutation(() => Int, { nullable: true })
  @MaxIntrospectionAge({ seconds: 0 })
  @RequirePermission('orders.tip')
  tip(): number {
    return 1;
  }

  @Mutation(() => Boolean)
  @Public()
  async slow(): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return true;
  }

  @Subscription(() => Order)
  @RequirePermission('orders.read')
  placed() {
    return placed();
  }

  @Subscription(() => Int)
  @RequirePermission('orders.read')
  @AllowClients('shop')
  ticks(@Caller() caller: VerifiedAccessToken) {
    ran.push(`ticks for ${caller.clientId}`);
    return ticks();
  }
}

async function* placed(): AsyncGenerator<{ placed: Order }> {
  yield { placed: { number: 1 } };
  yield { placed: { number: 1 } };
}

@Resolver(() => Order)
class FieldsResolver {
  @ResolveField(() => String)
  @RequirePermission('orders.price')
  price(@Parent() { number }: Order): string {
    return `${number} €`;
  }

  @ResolveField(() => Int)
  @RequirePermission('orders.read')
  mine(): number {
    return 1;
  }

  @ResolveField(() => String)
  @Public()
  label(): string {
    return 'order';
  }
}

const DRIVERS = [
  [
    'Apollo on Express',
    { driver: ApolloDriver, subscriptions: { 'graphql-ws': true }, allowBatchedHttpRequests: true },
    () => new ExpressAdapter(),
  ],
  [
    'Mercurius on Fastify',
    { driver: MercuriusDriver, subscription: true, allowBatchedQueries: true },
    () => new FastifyAdapter(),
  ],
  [
    'Mercurius, with all operations over WebSockets',
    { driver: MercuriusDriver, subscription: { fullWsTransport: true }, allowBatchedQueries: true },
    () => new FastifyAdapter(),
  ],
  [
    "Mercurius with the application's own context",
    {
      driver: MercuriusDriver,
      subscription: true,
      allowBatchedQueries: true,
      context: (request: unknown, reply: unknown) => ({ request, reply }),
    },
    () => new FastifyAdapter(),
  ],
] as const;

let app: INestApplication;
const undone: (() => unknown)[] = [];
afterEach(async () => {
  ran.length = 0;
  for (const undo of undone.splice(0).toReversed()) await undo();
});

async function start(
  options: object,
  adapter: () => ExpressAdapter | FastifyAdapter,
  providers: Type[],
  forRoot: Parameters<typeof KeycloakTestingModule.forRoot>[0] = {},
  modules: NonNullable<ModuleMetadata['imports']> = [],
): Promise<INestApplication> {
  const imports: ModuleMetadata['imports'] = [
    ...modules,
    GraphQLModule.forRoot({ autoSchemaFile: true, path: '/graphql', fieldResolverEnhancers: ['guards'], ...options }),
    KeycloakTestingModule.forRoot({ requestAdapters: [graphqlRequestAdapter()], ...forRoot }),
  ];
  const module = await Test.createTestingModule({ imports, providers })
    .setLogger(new ConsoleLogger({ logLevels: [] }))
    .compile();
  app = module.createNestApplication(adapter() as ExpressAdapter, { forceCloseConnections: true });
  undone.push(() => app.close());
  await app.listen(0, '127.0.0.1');
  return app;
}

function introspections(): AskedIntrospections {
  const asked = new AskedIntrospections();
  undone.push(() => asked.stop());
  return asked;
}

async function post(body: unknown, authorization: string | undefined): Promise<Record<string, unknown>> {
  const answer = await fetch(new URL('/graphql', await app.getUrl()), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as Record<string, unknown>;
}

const query = (text: string, authorization?: string): Promise<Record<string, unknown>> =>
  post({ query: text }, authorization);

describe.each(DRIVERS)('GraphQL with %s', (_, options, adapter) => {
  beforeEach(() => start(options, adapter, [OrdersResolver, FieldsResolver]));

  it('runs an operation for a permitted caller, and gives the resolver the token', async () => {
    expect(await query('{ order { number } }', bearerOf(app))).toEqual({ data: { order: { number: 1 } } });
    expect(ran).toEqual(['order 1 for shop']);
  });

  it.each(REFUSED_CALLERS)('refuses $name with $code (RS-20)', async ({ authorization, code, permission }) => {
    const { data, errors } = await query('{ order { number } }', authorization(app));
    expect(data).toBeNull();
    const { extensions } = (errors as { extensions: Record<string, unknown> }[])[0] ?? {};
    expect(extensions).toMatchObject({ code, ...(permission === undefined ? {} : { permission }) });
    expect(JSON.stringify(errors)).not.toMatch(/reason|no_credentials|token_malformed|other_audience|inactive/);
    expect(ran).toEqual([]);
  });

  it('refuses a caller whose login is too old, and names the required login (RS-11)', async () => {
    const old = { ...GOOD, acr: 'gold', authenticatedSecondsAgo: 70 };
    const { errors } = await query('{ settled }', bearerOf(app, old));
    expect(errors).toMatchObject([
      {
        message: 'Stronger or more recent login needed',
        extensions: {
          code: 'insufficient_user_authentication',
          acrValues: ['gold', 'silver'],
          maxAgeSeconds: 60,
        },
      },
    ]);
    expect(ran).toEqual([]);
    const recent = bearerOf(app, { ...old, authenticatedSecondsAgo: 10 });
    expect(await query('{ settled }', recent)).toEqual({ data: { settled: 'settled' } });
  });

  it('does not use the token of the previous request', async () => {
    await query('{ order { number } }', bearerOf(app));
    expect(await query('{ order { number } }')).toMatchObject({ data: null });
    expect(ran).toEqual(['order 1 for shop']);
  });

  it('runs a @Public() operation without a token, and refuses an operation without a decorator', async () => {
    expect(await query('{ status }')).toEqual({ data: { status: 'up' } });
    expect(await query('{ forgotten }', bearerOf(app))).toMatchObject({
      errors: [{ extensions: { code: 'route_closed' } }],
    });
    expect(ran).toEqual([]);
  });

  it('answers schema introspection without a token, since Nest runs no guard for schema introspection', async () => {
    expect(await query('{ __schema { queryType { name } } }')).toEqual({
      data: { __schema: { queryType: { name: 'Query' } } },
    });
  });

  it('checks the decorators of a field resolver', async () => {
    const text = '{ order { number label price } }';
    expect(await query(text, bearerOf(app))).toMatchObject({
      data: null,
      errors: [{ path: ['order', 'price'], extensions: { code: 'insufficient_scope', permission: 'orders.price' } }],
    });
    const both = bearerOf(app, { ...GOOD, permissions: ['orders.read', 'orders.price'] });
    expect(await query(text, both)).toEqual({ data: { order: { number: 1, label: 'order', price: '1 €' } } });
  });

  it('introspects a token once for all aliases of a query and for the next query', async () => {
    const asked = introspections();
    const aliases = Array.from({ length: 50 }, (__, at) => `a${at}: order(number: ${at}) { number }`).join(' ');
    const authorization = bearerOf(app);
    await query(`{ ${aliases} }`, authorization);
    expect(ran).toHaveLength(50);
    expect(asked.count).toBe(1);
    await query(`{ ${aliases} }`, authorization);
    expect(asked.count).toBe(1);
  });

  it('checks each operation of a batch, and introspects the token once', async () => {
    const asked = introspections();
    const text = '{ order { number } }';
    const answers = await post([{ query: text }, { query: '{ forgotten }' }, { query: text }], bearerOf(app));
    const order = { data: { order: { number: 1 } } };
    expect(answers).toMatchObject([order, { errors: [{ extensions: { code: 'route_closed' } }] }, order]);
    expect(asked.count).toBe(1);
  });

  it('introspects the token of a refused caller once for all aliases of a query', async () => {
    const asked = introspections();
    const refused = Array.from({ length: 20 }, (__, at) => `p${at}: tip`).join(' ');
    const { errors } = await query(`mutation { ${refused} }`, bearerOf(app, { ...GOOD, permissions: [] }));
    expect(errors).toHaveLength(20);
    expect(asked.count).toBe(1);
  });

  it('introspects the token once for all mutations of a request, even if no cached result is allowed', async () => {
    const asked = introspections();
    const mutation = `mutation { ${Array.from({ length: 20 }, (__, at) => `p${at}: pay { number mine }`).join(' ')} }`;
    const authorization = bearerOf(app);
    await query(mutation, authorization);
    await query(mutation, authorization);
    expect(ran).toHaveLength(40);
    expect(asked.count).toBe(2);
  });

  const subscribed = async (authorization: string | undefined, place: 'handshake' | 'parameters' = 'handshake') => {
    const url = new URL('/graphql', await app.getUrl());
    const headers = authorization === undefined ? {} : { authorization };
    class Socket extends WebSocket {
      constructor(address: string, protocols: string) {
        super(address, protocols, place === 'handshake' ? { headers } : {});
      }
    }
    const client: Client = createClient({
      url: `ws://${url.host}/graphql`,
      webSocketImpl: Socket,
      retryAttempts: 0,
      ...(place === 'parameters' ? { connectionParams: headers } : {}),
    });
    undone.push(() => client.dispose());
    const received: unknown[] = [];
    const ended = new Promise<unknown>((resolve) => {
      client.subscribe(
        { query: 'subscription { ticks }' },
        { next: (message) => received.push(message), error: resolve, complete: () => resolve('complete') },
      );
    });
    return { received, ended };
  };

  const untilReceived = async (received: readonly unknown[], count: number): Promise<void> => {
    while (received.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it.each(['handshake', 'parameters'] as const)('authorizes a subscription with the token of the %s', async (place) => {
    const { received } = await subscribed(bearerOf(app), place);
    await untilReceived(received, 2);
    expect(received[0]).toEqual({ data: { ticks: 1 } });
    expect(ran).toEqual(['ticks for shop']);
  });

  it.each(REFUSED_CALLERS)('refuses the subscription of $name with $code', async ({ authorization, code }) => {
    const { received, ended } = await subscribed(authorization(app));
    const outcome = await ended;
    expect(JSON.stringify([received, outcome])).toContain(`"code":"${code}"`);
    expect(ran).toEqual([]);
  });

  it('closes the connection of a subscription when the token is denied', async () => {
    const { received, ended } = await subscribed(bearerOf(app, { ...GOOD, claims: { sid: 'session' } }));
    await untilReceived(received, 1);
    deny(app, 'session');
    const outcome = await ended;
    expect(outcome).not.toBe('complete');
  });
});

describe('a GraphQL subscription', () => {
  it.each(DRIVERS)('is closed when its token expires or becomes inactive, with %s', async (_, options, adapter) => {
    await start(options, adapter, [OrdersResolver, FieldsResolver], {
      introspectionTtlSeconds: 1,
      clockToleranceSeconds: 0,
    });
    const url = new URL('/graphql', await app.getUrl());
    const closed = async (bearer: string): Promise<number> => {
      const socket = new WebSocket(`ws://${url.host}/graphql`, 'graphql-transport-ws', {
        headers: { authorization: bearer },
      });
      const code = new Promise<number>((resolve) => socket.once('close', resolve));
      const acknowledged = new Promise((resolve) => socket.once('message', resolve));
      await new Promise((resolve) => socket.once('open', resolve));
      socket.send(JSON.stringify({ type: 'connection_init' }));
      await acknowledged;
      const first = new Promise((resolve) => socket.once('message', resolve));
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: 'subscription { ticks }' } }));
      await first;
      return code;
    };
    const inactive = bearerOf(app);
    const ending = closed(inactive);
    const expiring = closed(bearerOf(app, { ...GOOD, expiresInSeconds: 2 }));
    await new Promise((resolve) => setTimeout(resolve, 500));
    signOut(app, inactive.slice(7));
    expect([1006, 4401]).toContain(await ending);
    expect([1006, 4401]).toContain(await expiring);
  });
});

describe('a GraphQL context that several operations share', () => {
  const one = { shared: true };
  const fixed: { req?: unknown } = {};
  beforeEach(() => {
    delete fixed.req;
  });

  it.each<[string, object, () => ExpressAdapter | FastifyAdapter]>([
    ['Mercurius', { driver: MercuriusDriver, context: one }, () => new FastifyAdapter()],
    ['Apollo', { driver: ApolloDriver, context: one }, () => new ExpressAdapter()],
  ])('stops the application from starting if the option context is an object: %s', async (_, options, adapter) => {
    await expect(start(options, adapter, [OrdersResolver, FieldsResolver])).rejects.toThrow(
      /^The option "context" of GraphQLModule/,
    );
  });

  it.each<[string, object, () => ExpressAdapter | FastifyAdapter]>([
    ['a fixed context of Mercurius', { driver: MercuriusDriver, context: () => one }, () => new FastifyAdapter()],
    [
      'a context of Apollo that keeps the first request',
      {
        driver: ApolloDriver,
        context: ({ req }: { req: unknown }) => {
          fixed.req ??= req;
          return fixed;
        },
      },
      () => new ExpressAdapter(),
    ],
  ])('does not let an operation run for the caller of another request: %s', async (_, options, adapter) => {
    await start(options, adapter, [OrdersResolver, FieldsResolver]);
    const attack = query('mutation { slow pay { number } }');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await query('{ __typename }', bearerOf(app));
    await attack;
    await query('mutation { pay { number } }');
    expect(ran).toEqual([]);
  });

  it('does not let an operation run for the caller of a concurrent request', async () => {
    const context = ({ req }: { req: unknown }) => {
      fixed.req ??= req;
      return fixed;
    };
    await start({ driver: ApolloDriver, context }, () => new ExpressAdapter(), [OrdersResolver, FieldsResolver]);
    const victim = query('mutation { slow }', bearerOf(app));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await query('mutation { pay { number } }')).toMatchObject({
      errors: [{ extensions: { code: 'route_closed' } }],
    });
    await victim;
    expect(ran).toEqual([]);
  });
});

describe('a subscription whose connection the application hides', () => {
  const operations = (context: unknown) => ({ driver: ApolloDriver, subscriptions: { 'graphql-ws': true }, context });

  async function outcome(context: unknown, text = 'subscription { ticks }'): Promise<unknown[]> {
    await start(operations(context), () => new ExpressAdapter(), [OrdersResolver, FieldsResolver]);
    const url = new URL('/graphql', await app.getUrl());
    const authorization = bearerOf(app);
    class Socket extends WebSocket {
      constructor(address: string, protocols: string) {
        super(address, protocols, { headers: { authorization } });
      }
    }
    const client = createClient({ url: `ws://${url.host}/graphql`, webSocketImpl: Socket, retryAttempts: 0 });
    undone.push(() => client.dispose());
    const answers: unknown[] = [];
    return new Promise((resolve) => {
      const next = (answer: unknown): void => {
        answers.push(answer);
        if (answers.length === 2) resolve(answers);
      };
      const error = (refused: unknown): void => resolve([refused]);
      client.subscribe({ query: text }, { next, error, complete: () => resolve(answers) });
    });
  }

  interface GraphqlWs {
    readonly extra: { readonly request: unknown };
    readonly connectionParams: unknown;
  }

  it('is refused, since the guard could not close the subscription when the token expires', async () => {
    const hidden = await outcome(({ extra }: GraphqlWs) => ({ req: extra.request }));
    expect(JSON.stringify(hidden)).toContain('route_closed');
    expect(ran).toEqual([]);
  });

  it("runs if the application's context contains `extra` and `connectionParams`", async () => {
    const kept = ({ extra, connectionParams }: GraphqlWs) => ({ req: extra.request, extra, connectionParams });
    expect(await outcome(kept)).toEqual([{ data: { ticks: 1 } }, { data: { ticks: 2 } }]);
  });

  it('resolves a protected field for each event of the subscription', async () => {
    const kept = ({ extra, connectionParams }: GraphqlWs) => ({ req: extra.request, extra, connectionParams });
    const event = { data: { placed: { number: 1, mine: 1 } } };
    expect(await outcome(kept, 'subscription { placed { number mine } }')).toEqual([event, event]);
  });
});

describe('an application with two schemas, of which one has no guards for fields', () => {
  @Resolver()
  class OpenResolver {
    @Query(() => String)
    @Public()
    open(): string {
      return 'open';
    }
  }
  @Module({ providers: [OpenResolver] })
  class OpenModule {}
  @Module({ providers: [OrdersResolver, FieldsResolver] })
  class AdminModule {}

  it('starts if the schema without guards has no field with an access decorator', async () => {
    const open = { driver: ApolloDriver, autoSchemaFile: true, path: '/open', include: [OpenModule] };
    const options = { driver: ApolloDriver, include: [AdminModule] };
    await start(options, () => new ExpressAdapter(), [], {}, [AdminModule, OpenModule, GraphQLModule.forRoot(open)]);
    expect(await query('{ order { mine } }', bearerOf(app))).toEqual({ data: { order: { mine: 1 } } });
  });
});

describe('a GraphQL field resolver', () => {
  it('prevents the start if the field has an access decorator and Nest runs no guards for fields (RS-20)', async () => {
    await expect(
      start({ driver: ApolloDriver, fieldResolverEnhancers: [] }, () => new ExpressAdapter(), [
        OrdersResolver,
        FieldsResolver,
      ]),
    ).rejects.toThrow(
      /^FieldsResolver\.price \(GraphQL field resolver\) has an access decorator that no guard enforces/,
    );
  });

  it('prevents the start if its class has an access decorator and Nest runs no guards for fields', async () => {
    @Resolver(() => Order)
    @Authenticated()
    class Claiming {
      @Query(() => Order)
      first(): Order {
        return { number: 1 };
      }
      @ResolveField(() => String)
      price(): string {
        return '1 €';
      }
    }
    await expect(
      start({ driver: ApolloDriver, fieldResolverEnhancers: [] }, () => new ExpressAdapter(), [Claiming]),
    ).rejects.toThrow(/^Claiming\.price \(GraphQL field resolver\) has an access decorator that no guard enforces/);
  });
});

describe('a refused GraphQL operation', () => {
  it('is logged once for all aliases of a query, with the handler and the reason', async () => {
    const lines: unknown[] = [];
    const [, options, adapter] = DRIVERS[0];
    await start(options, adapter, [OrdersResolver, FieldsResolver]);
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void lines.push(line));
    undone.push(() => errors.mockRestore());
    const log = jest.spyOn(Logger.prototype, 'log').mockImplementation((line: unknown) => void lines.push(line));
    undone.push(() => log.mockRestore());
    await query(`{ ${Array.from({ length: 50 }, (_, at) => `a${at}: order { number }`).join(' ')} }`);
    expect(lines).toEqual([
      {
        message: 'Request refused',
        code: 'missing_token',
        reason: 'no_credentials',
        kind: 'graphql',
        handler: 'OrdersResolver.order',
      },
    ]);
  });

  it('is logged with the caller if the handler refuses the operation', async () => {
    @Resolver()
    class Refusing {
      @Query(() => String)
      @Authenticated()
      refused(): string {
        throw new BearerError('insufficient_scope', { reason: 'permission_missing', permission: 'orders.tip' });
      }
    }
    const lines: unknown[] = [];
    const [, options, adapter] = DRIVERS[0];
    await start(options, adapter, [Refusing]);
    const log = jest.spyOn(Logger.prototype, 'log').mockImplementation((line: unknown) => void lines.push(line));
    undone.push(() => log.mockRestore());
    await query('{ refused }', bearerOf(app, { subject: 'alice', client: 'shop' }));
    expect(lines).toEqual([
      {
        message: 'Request refused',
        code: 'insufficient_scope',
        reason: 'permission_missing',
        permission: 'orders.tip',
        kind: 'graphql',
        audit: 'denial',
        iss: expect.any(String),
        azp: 'shop',
        sub: 'alice',
      },
    ]);
  });
});
