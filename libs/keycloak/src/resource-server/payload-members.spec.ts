import { once } from 'node:events';
import { ApolloDriver } from '@nestjs/apollo';
import {
  Body,
  Controller,
  Post,
  Query as QueryParameters,
  type INestApplication,
  type ModuleMetadata,
} from '@nestjs/common';
import { Args, GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { MercuriusDriver } from '@nestjs/mercurius';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createClient } from 'graphql-ws';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { Caller, OptionalToken, RequirePermission, type VerifiedAccessToken } from '../index.js';
import { graphqlRequestAdapter } from '../entry-points/graphql/index.js';
import { KeycloakTestingModule } from '../testing/index.js';
import { guardHandshakes, websocketsRequestAdapter } from '../entry-points/websockets/index.js';
import { anyPayload, FRAMEWORK_MEMBERS, heldConnections } from '../../spec-support/payload-members.js';
import { bearerOf } from '../../spec-support/refusal-table.js';

const RUNS = { numRuns: 60 };

const errors: unknown[] = [];
const undone: (() => unknown)[] = [];
afterEach(async () => {
  errors.length = 0;
  for (const undo of undone.splice(0).toReversed()) await undo();
});

interface Start {
  readonly metadata: ModuleMetadata;
  readonly adapter?: ExpressAdapter | FastifyAdapter;
  readonly sockets?: (app: INestApplication) => WsAdapter | IoAdapter;
}

async function start({ metadata, adapter = new ExpressAdapter(), sockets }: Start): Promise<INestApplication> {
  const requestAdapters = [graphqlRequestAdapter(), websocketsRequestAdapter()];
  const imports = [...(metadata.imports ?? []), KeycloakTestingModule.forRoot({ requestAdapters })];
  const module = await Test.createTestingModule({ ...metadata, imports })
    .setLogger({ log: () => {}, warn: () => {}, error: (line: unknown) => errors.push(line) })
    .compile();
  const app = module.createNestApplication(adapter as ExpressAdapter, { forceCloseConnections: true });
  if (sockets !== undefined) app.useWebSocketAdapter(guardHandshakes(app, sockets(app)));
  undone.push(() => app.close());
  await app.listen(0, '127.0.0.1');
  return app;
}

const headersOf = (authorization: string | undefined) => (authorization === undefined ? {} : { authorization });

/**
 * Renames members that could change a prototype, because Fastify and Mercurius would reject these members before any
 * guard.
 */
const withoutPrototypes = (payload: object): Record<string, unknown> =>
  JSON.parse(JSON.stringify(payload).replaceAll(/"(__proto__|constructor)":/g, '"$1_":')) as Record<string, unknown>;

const PAYLOADS: fc.Arbitrary<object> = fc.oneof(
  anyPayload,
  fc.constantFrom(...FRAMEWORK_MEMBERS).map((name): object => JSON.parse(`{${JSON.stringify(name)}:1}`) as object),
);

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('a request on %s', (_, adapter) => {
  @Controller()
  class Orders {
    @Post('orders')
    @RequirePermission('orders.read')
    read(@Caller() { clientId }: VerifiedAccessToken, @Body() body: unknown, @QueryParameters() _q: unknown): object {
      return { clientId, isObject: typeof body === 'object' };
    }
  }

  it('is checked equally, whatever members its body and its query have (RS-28)', async () => {
    const app = await start({ metadata: { controllers: [Orders] }, adapter: adapter() });
    const url = new URL('/orders', await app.getUrl());
    const send = async (payload: object, authorization: string | undefined) => {
      url.search = new URLSearchParams(Object.keys(payload).map((name): [string, string] => [name, '1'])).toString();
      const headers = { 'content-type': 'application/json', ...headersOf(authorization) };
      const body = JSON.stringify(withoutPrototypes(payload));
      const answer = await fetch(url, { method: 'POST', headers, body });
      return [answer.status, await answer.json()];
    };
    await fc.assert(
      fc.asyncProperty(PAYLOADS, async (payload) => {
        expect(await send(payload, undefined)).toMatchObject([401, { code: 'missing_token' }]);
        expect(await send(payload, bearerOf(app))).toEqual([201, { clientId: 'shop', isObject: true }]);
        expect([errors, heldConnections(app)]).toEqual([[], 0]);
      }),
      RUNS,
    );
  });
});

@Resolver()
class OrdersResolver {
  @Query(() => String)
  @RequirePermission('orders.read')
  order(@Caller() { clientId }: VerifiedAccessToken, @Args('payload') _payload: string): string {
    return clientId;
  }

  @Query(() => String)
  @OptionalToken()
  caller(@Caller() caller?: VerifiedAccessToken): string {
    return caller?.clientId ?? 'nobody';
  }
}

const ofRequest = (request: unknown, reply: unknown) => ({ request, reply });

describe.each([
  ['Apollo on Express', { driver: ApolloDriver, subscriptions: { 'graphql-ws': true } }, () => new ExpressAdapter()],
  [
    'Mercurius on Fastify',
    { driver: MercuriusDriver, subscription: { fullWsTransport: true } },
    () => new FastifyAdapter(),
  ],
  [
    'Mercurius with a context that has the request',
    { driver: MercuriusDriver, subscription: { fullWsTransport: true }, context: ofRequest },
    () => new FastifyAdapter(),
  ],
])('an operation by %s', (_, options, adapter) => {
  let app: INestApplication;
  beforeEach(async () => {
    const graphql = GraphQLModule.forRoot({ autoSchemaFile: true, path: '/graphql', ...options } as never);
    app = await start({ metadata: { imports: [graphql], providers: [OrdersResolver] }, adapter: adapter() });
  });

  const post = async (payload: object, authorization: string | undefined, headers: object = {}): Promise<unknown> => {
    const query = 'query ($payload: String!) { order(payload: $payload) }';
    const variables = { payload: JSON.stringify(payload) };
    const answer = await fetch(new URL('/graphql', await app.getUrl()), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headersOf(authorization), ...headers },
      body: JSON.stringify({ query, variables, extensions: withoutPrototypes(payload) }),
    });
    return answer.json();
  };

  it('needs a token, whatever variables and extensions the request has (RS-28)', async () => {
    await fc.assert(
      fc.asyncProperty(PAYLOADS, async (payload) => {
        expect(await post(payload, undefined)).toMatchObject({ errors: [{ extensions: { code: 'missing_token' } }] });
        expect(await post(payload, bearerOf(app))).toEqual({ data: { order: 'shop' } });
        expect(heldConnections(app)).toBe(0);
      }),
      RUNS,
    );
  });

  it('leaves no tracked connection after an HTTP request, even with an upgrade header (RS-28)', async () => {
    const { request } = await import('node:http');
    const body = JSON.stringify({ query: '{ caller }' });
    const headers = {
      'content-type': 'application/json',
      authorization: bearerOf(app),
      upgrade: 'websocket',
      'content-length': String(body.length),
    };
    const sent = request(new URL('/graphql', await app.getUrl()), { method: 'POST', headers });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [AsyncIterable<Buffer>];
    let text = '';
    for await (const piece of answer) text += String(piece);
    expect([JSON.parse(text), heldConnections(app)]).toEqual([{ data: { caller: 'shop' } }, 0]);
  });

  it('gets its caller from the WebSocket handshake, whatever members the connection parameters have (RS-28)', async () => {
    const url = (await app.getUrl()).replace(/^http/, 'ws');
    const callerOf = async (payload: Record<string, unknown>, authorization: string | undefined): Promise<unknown> => {
      class Socket extends WebSocket {
        constructor(address: string, protocols: string) {
          super(address, protocols, { headers: headersOf(authorization) });
        }
      }
      const client = createClient({
        url: `${url}/graphql`,
        webSocketImpl: Socket,
        retryAttempts: 0,
        connectionParams: payload,
      });
      try {
        const { value } = await client.iterate({ query: '{ caller }' }).next();
        return (value as { data: unknown } | undefined)?.data;
      } finally {
        await client.dispose();
      }
    };
    // Mercurius merges the connection parameters into the headers of its context.
    const parameters = anyPayload.map((payload) => withoutPrototypes({ ...payload, headers: '' }));
    await fc.assert(
      fc.asyncProperty(parameters, async (payload) => {
        expect(await callerOf(payload, undefined)).toEqual({ caller: 'nobody' });
        expect(await callerOf(payload, bearerOf(app))).toEqual({ caller: 'shop' });
      }),
      { numRuns: 30 },
    );
  });
});

@WebSocketGateway({ path: '/chat' })
@OptionalToken()
class Chat {
  @SubscribeMessage('read')
  @RequirePermission('orders.read')
  read(@Caller() { clientId }: VerifiedAccessToken, @MessageBody() _payload: unknown): object {
    return { event: 'answer', data: clientId };
  }
}

type Ask = (payload: object) => Promise<unknown>;

const overWs = async (url: URL, authorization: string | undefined): Promise<Ask> => {
  const socket = new WebSocket(`ws://${url.host}/chat`, { headers: headersOf(authorization) });
  undone.push(() => socket.terminate());
  await once(socket, 'open');
  return async (payload) => {
    const answer = once(socket, 'message');
    socket.send(JSON.stringify({ event: 'read', data: payload, ...payload }));
    return (JSON.parse(String((await answer)[0])) as { data: unknown }).data;
  };
};

const overSocketIo = async (url: URL, authorization: string | undefined): Promise<Ask> => {
  const socket = io(`http://${url.host}/`, {
    path: '/chat',
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    extraHeaders: headersOf(authorization),
    auth: { request: 1, handshake: { headers: { authorization: 'Bearer junk' } }, conn: 1, disconnect: 1 },
    query: { request: '1', handshake: '1', disconnect: '1', readyState: '1' },
  });
  undone.push(() => socket.close());
  await new Promise((resolve, reject) =>
    socket.once('connect', () => resolve(undefined)).once('connect_error', reject),
  );
  return (payload) =>
    new Promise((resolve) => {
      socket.once('answer', resolve);
      socket.once('exception', resolve);
      socket.emit('read', payload);
    }).finally(() => socket.off('answer').off('exception'));
};

describe.each([
  ['ws', (app: INestApplication) => new WsAdapter(app), overWs],
  ['socket.io', (app: INestApplication) => new IoAdapter(app), overSocketIo],
])('a message over %s', (_, sockets, connect) => {
  it('is checked equally, whatever members its payload has (RS-28)', async () => {
    const app = await start({ metadata: { providers: [Chat] }, sockets });
    const url = new URL(await app.getUrl());
    const anonymous = await connect(url, undefined);
    const caller = await connect(url, bearerOf(app));
    const held = heldConnections(app);
    await fc.assert(
      fc.asyncProperty(
        PAYLOADS.filter((payload) => !('event' in payload || 'data' in payload)),
        async (payload) => {
          expect(await anonymous(payload)).toMatchObject({ code: 'missing_token' });
          expect(await caller(payload)).toBe('shop');
          expect([errors, heldConnections(app)]).toEqual([[], held]);
        },
      ),
      RUNS,
    );
  });
});
