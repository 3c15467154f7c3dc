import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Controller, Get, type INestApplication, type ModuleMetadata, type Type } from '@nestjs/common';
import { Field, GraphQLModule, Int, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Authenticated, Caller, OptionalToken, Public, type RouteDecorator } from '../index.js';
import { KeycloakTestingModule } from '../testing/index.js';

const apps: INestApplication[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(metadata: ModuleMetadata): Promise<INestApplication> {
  const imports = [...(metadata.imports ?? []), KeycloakTestingModule.forRoot()];
  const module = await Test.createTestingModule({ ...metadata, imports })
    .setLogger({ log: () => {}, warn: () => {}, error: () => {} })
    .compile();
  const app = module.createNestApplication(new ExpressAdapter());
  apps.push(app);
  return app.init();
}

@ObjectType()
class Order {
  @Field(() => Int)
  number!: number;
}

interface Handler {
  readonly ofClass: readonly ClassDecorator[];
  readonly ofMethod: readonly MethodDecorator[];
  readonly metadata: (type: Type) => ModuleMetadata;
}

const graphql = (type: Type, fieldResolverEnhancers: ApolloDriverConfig['fieldResolverEnhancers'] = ['guards']) => ({
  imports: [
    GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true, fieldResolverEnhancers }),
  ],
  providers: [type, Orders],
});

@Resolver(() => Order)
@Public()
class Orders {
  @Query(() => Order)
  order(): Order {
    return { number: 1 };
  }
}

const HANDLERS: readonly (readonly [string, Handler])[] = [
  ['a route', { ofClass: [Controller()], ofMethod: [Get('read')], metadata: (type) => ({ controllers: [type] }) }],
  [
    'a message handler',
    { ofClass: [Controller()], ofMethod: [MessagePattern('read')], metadata: (type) => ({ controllers: [type] }) },
  ],
  [
    'an operation of GraphQL',
    { ofClass: [Resolver()], ofMethod: [Query(() => String) as MethodDecorator], metadata: (type) => graphql(type) },
  ],
  [
    'a field of GraphQL',
    {
      ofClass: [Resolver(() => Order)],
      ofMethod: [ResolveField('text', () => String) as MethodDecorator],
      metadata: (type) => graphql(type),
    },
  ],
];

function handlerOf(handler: Handler, ofClass: readonly RouteDecorator[], ofMethod: readonly RouteDecorator[]): Type {
  class Reader {
    read(token: unknown): string {
      return String(token);
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Reader.prototype, 'read') as PropertyDescriptor;
  Caller()(Reader.prototype, 'read', 0);
  for (const decorate of [...handler.ofMethod, ...ofMethod]) decorate(Reader.prototype, 'read', descriptor);
  for (const decorate of [...handler.ofClass, ...ofClass]) decorate(Reader);
  return Reader;
}

const SENTENCE = /^Reader\.read \(.*\) is @Public\(\), .* @Caller\(\)\. Use @OptionalToken\(\)/;

describe.each(HANDLERS)('%s with @Caller()', (_, handler) => {
  it.each<[string, RouteDecorator[], RouteDecorator[]]>([
    ['it is @Public()', [], [Public()]],
    ['its class is @Public()', [Public()], []],
    ['it is @Public() in a class that demands a token', [Authenticated()], [Public()]],
  ])('stops the start if %s', async (__, ofClass, ofMethod) => {
    await expect(start(handler.metadata(handlerOf(handler, ofClass, ofMethod)))).rejects.toThrow(SENTENCE);
  });

  it.each<[string, RouteDecorator[], RouteDecorator[]]>([
    ['@OptionalToken()', [], [OptionalToken()]],
    ['@OptionalToken() in a @Public() class', [Public()], [OptionalToken()]],
    ['@Authenticated()', [], [Authenticated()]],
  ])('starts with %s', async (__, ofClass, ofMethod) => {
    await expect(start(handler.metadata(handlerOf(handler, ofClass, ofMethod)))).resolves.toBeDefined();
  });
});

describe('a message handler of a gateway with @Caller()', () => {
  it('stops the start if the handler is @Public()', async () => {
    const gateway: Handler = {
      ofClass: [WebSocketGateway({ path: '/chat' }), Public()],
      ofMethod: [SubscribeMessage('read')],
      metadata: (type) => ({ providers: [type] }),
    };
    const module = await Test.createTestingModule({
      imports: [KeycloakTestingModule.forRoot()],
      providers: [handlerOf(gateway, [], [])],
    })
      .setLogger({ log: () => {}, warn: () => {}, error: () => {} })
      .compile();
    const app = module.createNestApplication(new ExpressAdapter());
    apps.push(app);
    app.useWebSocketAdapter(new WsAdapter(app));
    await expect(app.init()).rejects.toThrow(SENTENCE);
  });
});

describe('an inherited handler', () => {
  it('stops the start if the handler uses @Caller() and the derived class is @Public()', async () => {
    class Reader {
      read(token: unknown): string {
        return String(token);
      }
    }
    Caller()(Reader.prototype, 'read', 0);
    Get('read')(
      Reader.prototype,
      'read',
      Object.getOwnPropertyDescriptor(Reader.prototype, 'read') as PropertyDescriptor,
    );
    class Heir extends Reader {}
    Controller()(Heir);
    Public()(Heir);
    await expect(start({ controllers: [Heir] })).rejects.toThrow(/^Heir\.read \(GET\) is @Public\(\)/);
  });
});

describe('a GraphQL field with @Caller() for which Nest runs no guard', () => {
  const field = (metadata: (type: Type) => ModuleMetadata): Handler => ({
    ofClass: [Resolver(() => Order)],
    ofMethod: [ResolveField('text', () => String) as MethodDecorator],
    metadata,
  });

  it.each<[string, RouteDecorator[], RouteDecorator[]]>([
    ['it has no access decorator', [], []],
    ['it is @Public()', [], [Public()]],
    ['its class is @Public()', [Public()], []],
  ])('stops the start if %s', async (_, ofClass, ofMethod) => {
    const handler = field((type) => graphql(type, []));
    await expect(start(handler.metadata(handlerOf(handler, ofClass, ofMethod)))).rejects.toThrow(
      /^Reader\.read \(GraphQL field resolver\) asks for a token with @Caller\(\), but Nest runs no guard for it\. GraphQLModule needs the option fieldResolverEnhancers/,
    );
  });
});
