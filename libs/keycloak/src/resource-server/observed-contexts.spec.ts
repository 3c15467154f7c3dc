import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Controller, Sse, type INestApplication } from '@nestjs/common';
import { GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import { lastValueFrom, NEVER, timeout } from 'rxjs';
import request from 'supertest';
import { WebSocket } from 'ws';
import { bearerOf } from '../../spec-support/refusal-table.js';
import { graphqlRequestAdapter } from '../entry-points/graphql/index.js';
import { microservicesRequestAdapter } from '../entry-points/microservices/index.js';
import { guardHandshakes, websocketsRequestAdapter } from '../entry-points/websockets/index.js';
import {
  Authenticated,
  Caller,
  KeycloakStatus,
  Public,
  RequirePermission,
  type VerifiedAccessToken,
} from '../index.js';
import type { ComposedKeycloak } from '../module/compose-keycloak.js';
import { KEYCLOAK } from '../module/keycloak.module-definition.js';
import { KeycloakTestingModule, signOut } from '../testing/index.js';

const observeUntil = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
const OBSERVE = { enforcement: 'observe', observeUntil } as const;
const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

const nameOf = (caller: VerifiedAccessToken | undefined): string => caller?.subject ?? 'nobody';

@WebSocketGateway({ path: '/chat' })
@Authenticated()
class Chat {
  @SubscribeMessage('say')
  say(@Caller() caller: VerifiedAccessToken | undefined): object {
    return { event: 'said', data: nameOf(caller) };
  }
}

@Controller()
@RequirePermission('orders.read')
class Orders {
  @MessagePattern('read')
  read(@Caller() caller: VerifiedAccessToken | undefined): string {
    return nameOf(caller);
  }

  @Sse('news')
  news(): unknown {
    return NEVER;
  }
}

@Controller()
class Undecorated {
  @MessagePattern('open')
  open(): string {
    return 'open';
  }
}

@WebSocketGateway({ path: '/undecorated' })
class UndecoratedGateway {
  @SubscribeMessage('say')
  say(): object {
    return { event: 'said' };
  }
}

@Controller()
class PublicCaller {
  @Sse('public')
  @Public()
  open(@Caller() caller: VerifiedAccessToken | undefined): unknown {
    return nameOf(caller);
  }
}

@Resolver()
class OrdersResolver {
  @Query(() => String)
  @RequirePermission('orders.read')
  order(@Caller() caller: VerifiedAccessToken | undefined): string {
    return nameOf(caller);
  }
}

describe("enforcement: 'observe' outside of HTTP requests", () => {
  let app: INestApplication;

  afterEach(() => app.close());

  async function start(options: object, undecorated = false): Promise<URL> {
    const requestAdapters = [graphqlRequestAdapter(), microservicesRequestAdapter(), websocketsRequestAdapter()];
    const module = await Test.createTestingModule({
      imports: [
        KeycloakTestingModule.forRoot({ requestAdapters, ...options }),
        GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true, playground: false }),
      ],
      controllers: [Orders, ...(undecorated ? [Undecorated, PublicCaller] : [])],
      providers: [Chat, OrdersResolver, ...(undecorated ? [UndecoratedGateway] : [])],
    })
      .setLogger(SILENT)
      .compile();
    app = module.createNestApplication(new ExpressAdapter(), { forceCloseConnections: true });
    app.useWebSocketAdapter(guardHandshakes(app, new WsAdapter(app)));
    app.connectMicroservice({ transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    return new URL(await app.getUrl());
  }

  const observed = (): object => app.get(KeycloakStatus).read().enforcement;
  const held = (): number => app.get<ComposedKeycloak>(KEYCLOAK).connections.size;

  async function talk(url: URL, authorization: string): Promise<{ socket: WebSocket; said: unknown }> {
    const socket = new WebSocket(`ws://${url.host}/chat`, { headers: { authorization } });
    await once(socket, 'open');
    const answer = once(socket, 'message');
    socket.send(JSON.stringify({ event: 'say' }));
    const [data] = (await answer) as unknown[];
    return { socket, said: JSON.parse(String(data)) };
  }

  it('accepts each WebSocket handshake and message, and tracks no connection', async () => {
    const url = await start(OBSERVE);
    const authorization = bearerOf(app);
    for (const each of [authorization, 'Bearer junk']) {
      const { socket, said } = await talk(url, each);
      expect(said).toEqual({ event: 'said', data: 'nobody' });
      signOut(app, authorization.slice(7));
      expect(socket.readyState).toBe(WebSocket.OPEN);
      socket.terminate();
    }
    expect(held()).toBe(0);
    const refused = { code: 'invalid_token', reason: 'token_malformed', count: 1 };
    expect(observed()).toMatchObject({
      calls: { admitted: 2, refused: 2 },
      refusals: expect.arrayContaining([
        { ...refused, route: 'ws Chat' },
        { ...refused, route: 'ws Chat.say' },
      ]),
    });
  });

  it('answers a message without a token to a microservice', async () => {
    await start(OBSERVE);
    const [microservice] = app.getMicroservices();
    const { port } = microservice!.unwrap<Server>().address() as AddressInfo;
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
    expect(await lastValueFrom(client.send('read', {}).pipe(timeout(20_000)))).toBe('nobody');
    client.close();
    const refusal = { code: 'route_closed', reason: 'transport_without_headers', route: 'rpc Orders.read', count: 1 };
    expect(observed()).toMatchObject({ refusals: [refusal] });
  });

  it('answers GraphQL operations without a token, and counts an operation once per query', async () => {
    await start(OBSERVE);
    const query = '{ a: order b: order c: order }';
    const { body } = await request(app.getHttpServer()).post('/graphql').send({ query }).expect(200);
    expect(body).toEqual({ data: { a: 'nobody', b: 'nobody', c: 'nobody' } });
    const refusal = {
      code: 'missing_token',
      reason: 'no_credentials',
      route: 'graphql OrdersResolver.order',
      count: 1,
    };
    expect(observed()).toMatchObject({ refusals: [refusal] });
  });

  it('keeps an event stream without a token open, and counts the refusal immediately', async () => {
    const url = await start(OBSERVE);
    const aborted = new AbortController();
    const { status } = await fetch(new URL('/news', url), { signal: aborted.signal });
    expect(status).toBe(200);
    expect(observed()).toMatchObject({ refusals: [expect.objectContaining({ route: 'GET /news', count: 1 })] });
    expect(held()).toBe(0);
    aborted.abort();
  });

  it('lets the application start, and reports the faults that would stop the start', async () => {
    await start(OBSERVE, true);
    expect(observed()).toMatchObject({
      startFaults: [
        expect.stringMatching(/^Undecorated\.open .* have no access decorator/),
        expect.stringMatching(/^UndecoratedGateway\.say .* have no access decorator/),
        expect.stringMatching(/^PublicCaller\.open \(GET\) is @Public\(\)/),
        expect.stringMatching(/^The gateway UndecoratedGateway /),
      ],
    });
  });

  it('does not apply if access is enforced, so missing decorators stop the start', async () => {
    await start(OBSERVE);
    await app.close();
    await expect(start({}, true)).rejects.toThrow(/Undecorated.* have no access decorator/);
  });
});
