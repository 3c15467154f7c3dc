import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConsoleLogger, Logger, type INestApplication, type Type, type WebSocketAdapter } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { WebSocket, WebSocketServer as WsServer } from 'ws';
import {
  Caller,
  AllowClients,
  Authenticated,
  MaxIntrospectionAge,
  OptionalToken,
  Public,
  RequireStepUp,
  RequirePermission,
  type VerifiedAccessToken,
} from '../../index.js';
import { KeycloakTestingModule, signOut, testAuthorizationServer } from '../../testing/index.js';
import { AskedIntrospections } from '../../../spec-support/asked-introspections.js';
import { bearerOf, deny, GOOD, REFUSED_CALLERS } from '../../../spec-support/refusal-table.js';
import { guardHandshakes, websocketsRequestAdapter } from './index.js';

const CLOSED = [1008, 'io server disconnect', 'transport error'];

const ran: string[] = [];
const undone: (() => unknown)[] = [];
afterEach(async () => {
  ran.length = 0;
  for (const undo of undone.splice(0).toReversed()) await undo();
});

interface TestClient {
  readonly refusal: { readonly status?: number; readonly body?: unknown } | undefined;
  send(event: string): void;
  next(): Promise<unknown>;
  readonly closed: Promise<unknown>;
}

interface Library {
  readonly adapter: (app: INestApplication) => WebSocketAdapter;
  connect(
    url: URL,
    authorization: string | undefined,
    place?: { path?: string; namespace?: string },
  ): Promise<TestClient>;
}

class Inbox {
  readonly #received: unknown[] = [];
  #waiting: ((message: unknown) => void) | undefined;
  receive(message: unknown): void {
    if (this.#waiting === undefined) this.#received.push(message);
    else this.#waiting(message);
    this.#waiting = undefined;
  }
  next(): Promise<unknown> {
    if (this.#received.length > 0) return Promise.resolve(this.#received.shift());
    return new Promise((resolve) => (this.#waiting = resolve));
  }
}

const headersOf = (authorization: string | undefined) => (authorization === undefined ? {} : { authorization });

const WS: Library = {
  adapter: (app) => new WsAdapter(app),
  async connect(url, authorization, { path = '/chat' } = {}) {
    const socket = new WebSocket(`ws://${url.host}${path}`, { headers: headersOf(authorization) });
    undone.push(() => socket.terminate());
    const inbox = new Inbox();
    socket.on('message', (data) => inbox.receive(JSON.parse(String(data))));
    const closed = new Promise((resolve) => socket.once('close', (code) => resolve(code)));
    const refusal = await new Promise<TestClient['refusal']>((resolve) => {
      socket.once('open', () => resolve(undefined));
      socket.on('error', () => resolve({}));
      socket.once('unexpected-response', (_, response: IncomingMessage) => void bodyOf(response).then(resolve));
    });
    return { refusal, closed, next: () => inbox.next(), send: (event) => socket.send(JSON.stringify({ event })) };
  },
};

async function bodyOf(response: IncomingMessage): Promise<TestClient['refusal']> {
  let text = '';
  for await (const piece of response) text += String(piece);
  return { status: response.statusCode ?? 0, body: text.startsWith('{') ? JSON.parse(text) : text };
}

const socketIo = (transport: 'websocket' | 'polling'): Library => ({
  adapter: (app) => new IoAdapter(app),
  async connect(url, authorization, { namespace = '/', path = '/chat' } = {}) {
    const socket: Socket = io(`http://${url.host}${namespace}`, {
      path,
      transports: [transport],
      reconnection: false,
      forceNew: true,
      extraHeaders: headersOf(authorization),
    });
    undone.push(() => socket.close());
    const inbox = new Inbox();
    socket.onAny((event: string, data: unknown) => inbox.receive({ event, data }));
    const closed = new Promise((resolve) => socket.once('disconnect', resolve));
    const refusal = await new Promise<TestClient['refusal']>((resolve) => {
      socket.once('connect', () => resolve(undefined));
      socket.once('connect_error', (error) => resolve(ioRefusal(error)));
    });
    return { refusal, closed, next: () => inbox.next(), send: (event) => socket.emit(event) };
  },
});

function ioRefusal(error: Error): TestClient['refusal'] {
  const { data, context, description } = error as Error & {
    data?: unknown;
    context?: { status?: number; responseText?: string };
    description?: unknown;
  };
  if (data !== undefined) return { body: data };
  if (typeof description === 'number') return { status: description, body: JSON.parse(context?.responseText ?? '{}') };
  const [, status] = /Unexpected server response: (\d+)/.exec(String(Object(description).message)) ?? [];
  return { status: Number(status) };
}

async function start(
  library: Library,
  providers: Type[],
  forRoot: Parameters<typeof KeycloakTestingModule.forRoot>[0] = {},
): Promise<{ app: INestApplication; url: URL }> {
  const imports = [KeycloakTestingModule.forRoot({ requestAdapters: [websocketsRequestAdapter()], ...forRoot })];
  const module = await Test.createTestingModule({ imports, providers })
    .setLogger(new ConsoleLogger({ logLevels: [] }))
    .compile();
  const app = module.createNestApplication(new ExpressAdapter(), { forceCloseConnections: true });
  undone.push(() => app.close());
  app.useWebSocketAdapter(guardHandshakes(app, library.adapter(app)));
  await app.listen(0, '127.0.0.1');
  return { app, url: new URL(await app.getUrl()) };
}

@WebSocketGateway({ path: '/chat' })
@RequirePermission('orders.read')
@AllowClients('shop')
class Chat {
  handleConnection(): void {
    ran.push('connection');
  }

  @SubscribeMessage('say')
  say(@Caller() caller: VerifiedAccessToken) {
    ran.push('say');
    return { event: 'said', data: caller.clientId };
  }

  @SubscribeMessage('price')
  @RequirePermission('orders.price')
  price() {
    ran.push('price');
    return { event: 'price', data: 1 };
  }

  @SubscribeMessage('settle')
  @RequireStepUp({ maxAgeSeconds: 60 })
  settle() {
    ran.push('settle');
    return { event: 'settled', data: 1 };
  }

  @SubscribeMessage('now')
  @MaxIntrospectionAge({ seconds: 0 })
  @RequirePermission('orders.read')
  now() {
    ran.push('now');
    return { event: 'now', data: 1 };
  }
}

const LIBRARIES = [
  ['ws', WS],
  ['socket.io by WebSocket', socketIo('websocket')],
  ['socket.io by polling', socketIo('polling')],
] as const;

describe.each(LIBRARIES)('a gateway with %s', (name, library) => {
  let app: INestApplication;
  let url: URL;
  beforeEach(async () => {
    ({ app, url } = await start(library, [Chat]));
  });

  it('accepts a caller that the class allows, and passes the token to the handlers', async () => {
    const client = await library.connect(url, bearerOf(app));
    expect(client.refusal).toBeUndefined();
    client.send('say');
    expect(await client.next()).toEqual({ event: 'said', data: 'shop' });
    expect(ran).toEqual(['connection', 'say']);
  });

  it.each(REFUSED_CALLERS)('refuses the handshake of $name before handleConnection (RS-20)', async (caller) => {
    const { refusal } = await library.connect(url, caller.authorization(app));
    const byNamespace = name !== 'ws' && caller.status === 403;
    expect(refusal?.status).toBe(byNamespace ? undefined : caller.status);
    const { code, permission } = caller;
    // A socket.io client can't read the body of the response to its upgrade.
    const expected = { code, ...(permission === undefined ? {} : { permission }) };
    expect(refusal).toMatchObject(name.endsWith('WebSocket') && !byNamespace ? {} : { body: expected });
    expect(JSON.stringify(refusal)).not.toContain('reason');
    expect(ran).toEqual([]);
  });

  it('introspects a token once for all sockets and messages with this token', async () => {
    const asked = new AskedIntrospections();
    undone.push(() => asked.stop());
    const bearer = bearerOf(app);
    for (let socket = 0; socket < 3; socket += 1) {
      const client = await library.connect(url, bearer);
      for (let message = 0; message < 5; message += 1) {
        client.send('say');
        await client.next();
      }
    }
    expect(ran.filter((what) => what === 'say')).toHaveLength(15);
    expect(asked.count).toBe(1);
  });

  it('refuses a message if the caller lacks the permission of the handler, and keeps the socket open', async () => {
    const client = await library.connect(url, bearerOf(app));
    client.send('price');
    expect(await client.next()).toEqual({
      event: 'exception',
      data: { error: 'Insufficient permission', code: 'insufficient_scope', permission: 'orders.price' },
    });
    client.send('say');
    expect(await client.next()).toEqual({ event: 'said', data: 'shop' });
    expect(ran).toEqual(['connection', 'say']);
  });

  it('refuses a message if the login is too old, and keeps the socket open (RS-11)', async () => {
    const client = await library.connect(url, bearerOf(app, { ...GOOD, authenticatedSecondsAgo: 70 }));
    client.send('settle');
    expect(await client.next()).toEqual({
      event: 'exception',
      data: {
        error: 'Stronger or more recent login needed',
        code: 'insufficient_user_authentication',
        maxAgeSeconds: 60,
      },
    });
    client.send('say');
    expect(await client.next()).toEqual({ event: 'said', data: 'shop' });
    const recent = await library.connect(url, bearerOf(app, { ...GOOD, authenticatedSecondsAgo: 10 }));
    recent.send('settle');
    expect(await recent.next()).toEqual({ event: 'settled', data: 1 });
  });

  it('refuses a handshake whose login is weaker than the gateway requires (RS-11)', async () => {
    @WebSocketGateway({ path: '/vault' })
    @RequireStepUp({ acr: 'gold' })
    class Vault {
      @SubscribeMessage('open')
      open() {
        return { event: 'opened', data: 1 };
      }
    }
    const started = await start(library, [Vault]);
    const weak = await library.connect(started.url, bearerOf(started.app, { acr: '1' }), { path: '/vault' });
    const refused = { code: 'insufficient_user_authentication', acrValues: ['gold'] };
    expect(weak.refusal).toMatchObject(name === 'ws' ? { status: 401, body: refused } : { body: refused });
    const strong = await library.connect(started.url, bearerOf(started.app, { acr: 'gold' }), { path: '/vault' });
    strong.send('open');
    expect(await strong.next()).toEqual({ event: 'opened', data: 1 });
  });

  it('closes the socket of a caller whose token is denied, even if the caller sends no message', async () => {
    const client = await library.connect(url, bearerOf(app, { ...GOOD, claims: { sid: 'session' } }));
    deny(app, 'session');
    expect(CLOSED).toContain(await client.closed);
  });

  it('refuses the next message with an inactive token if the handler accepts no cached result', async () => {
    const bearer = bearerOf(app);
    const client = await library.connect(url, bearer);
    client.send('now');
    expect(await client.next()).toEqual({ event: 'now', data: 1 });
    signOut(app, bearer.slice('Bearer '.length));
    client.send('now');
    expect(await client.next()).toMatchObject({ event: 'exception', data: { code: 'invalid_token' } });
    expect(ran).toEqual(['connection', 'now']);
  });
});

describe.each(LIBRARIES)('a listening socket with %s', (_, library) => {
  it('is closed when its token expires or becomes inactive, or if Keycloak stays unreachable', async () => {
    const { app, url } = await start(library, [Chat], { introspectionTtlSeconds: 1, clockToleranceSeconds: 0 });
    const inactive = bearerOf(app);
    const clients = [
      await library.connect(url, bearerOf(app, { ...GOOD, expiresInSeconds: 3 })),
      await library.connect(url, inactive),
    ];
    const kept = await library.connect(url, bearerOf(app));
    signOut(app, inactive.slice('Bearer '.length));
    for (const client of clients) expect(CLOSED).toContain(await client.closed);
    kept.send('say');
    expect(await kept.next()).toEqual({ event: 'said', data: 'shop' });
    testAuthorizationServer(app).fail('refused');
    expect(CLOSED).toContain(await kept.closed);
  });
});

describe.each(LIBRARIES)('guardHandshakes with %s', (_, library) => {
  it('admits any client to a @Public() gateway, but checks each message', async () => {
    @WebSocketGateway({ path: '/chat' })
    @Public()
    class Open {
      @SubscribeMessage('hello')
      hello() {
        return { event: 'hello', data: 1 };
      }
      @SubscribeMessage('mine')
      @Authenticated()
      mine(@Caller() caller: VerifiedAccessToken) {
        return { event: 'mine', data: caller.clientId };
      }
    }
    const { app, url } = await start(library, [Open]);
    const anybody = await library.connect(url, undefined);
    anybody.send('hello');
    expect(await anybody.next()).toEqual({ event: 'hello', data: 1 });
    anybody.send('mine');
    expect(await anybody.next()).toMatchObject({ event: 'exception', data: { code: 'missing_token' } });
    const somebody = await library.connect(url, bearerOf(app));
    somebody.send('mine');
    expect(await somebody.next()).toEqual({ event: 'mine', data: 'shop' });
  });

  it('admits a client without a token to an @OptionalToken() gateway, but refuses bad tokens', async () => {
    @WebSocketGateway({ path: '/chat' })
    @OptionalToken()
    class Optional {
      @SubscribeMessage('who')
      who(@Caller() caller: VerifiedAccessToken | undefined) {
        return { event: 'who', data: caller?.clientId ?? 'nobody' };
      }
    }
    const { app, url } = await start(library, [Optional]);
    const anybody = await library.connect(url, undefined);
    anybody.send('who');
    expect(await anybody.next()).toEqual({ event: 'who', data: 'nobody' });
    const somebody = await library.connect(url, bearerOf(app));
    somebody.send('who');
    expect(await somebody.next()).toEqual({ event: 'who', data: 'shop' });
    expect((await library.connect(url, 'Bearer junk')).refusal).toMatchObject({ status: 401 });
  });

  it('stops the application from starting if a gateway class has no decorator', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Silent {
      @SubscribeMessage('say')
      @Authenticated()
      say() {}
    }
    await expect(start(library, [Silent])).rejects.toThrow(
      /^The gateway Silent needs a decorator on its class that says who may connect/,
    );
  });
});

function twoGateways(ofPrivate: object): Type[] {
  @WebSocketGateway({ path: '/chat' })
  @Public()
  class Open {
    handleConnection(): void {
      ran.push('open');
    }
  }
  @WebSocketGateway({ path: '/chat', ...ofPrivate })
  @RequirePermission('orders.read')
  class Private {
    handleConnection(): void {
      ran.push('private');
    }
  }
  return [Open, Private];
}

describe('a token in the query of a handshake', () => {
  it('is refused, even if the Authorization header has a valid token (RS-01)', async () => {
    @WebSocketGateway({ path: '/chat' })
    @OptionalToken()
    class Optional {
      @SubscribeMessage('say')
      say() {
        return { event: 'said', data: 1 };
      }
    }
    const { app, url } = await start(WS, [Optional]);
    const bearer = bearerOf(app);
    const path = `/chat?access_token=${bearer.slice('Bearer '.length)}`;
    expect((await WS.connect(url, undefined, { path })).refusal).toMatchObject({
      status: 401,
      body: { code: 'missing_token' },
    });
    expect((await WS.connect(url, bearer, { path })).refusal).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
    expect((await WS.connect(url, bearer, { path: '/chat?page=1' })).refusal).toBeUndefined();
  });
});

describe.each(LIBRARIES)('a handshake with %s that causes an application error', (_, library) => {
  it.each(['/', '/inner'])('is refused with 500 in the namespace %s, and the error is logged', async (namespace) => {
    @WebSocketGateway({ path: '/chat', ...(library === WS ? {} : { namespace }) })
    @RequirePermission('orders.read')
    class Inner {
      @SubscribeMessage('say')
      say() {
        return { event: 'said', data: 1 };
      }
    }
    const broken = new Error('the database of permissions is away');
    const permissions = (): never => {
      throw broken;
    };
    const { app, url } = await start(library, [Inner], { mapPermissions: permissions });
    const lines: unknown[] = [];
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void lines.push(line));
    undone.push(() => errors.mockRestore());
    const { refusal } = await library.connect(url, bearerOf(app), { namespace });
    expect(refusal).toMatchObject({ status: 500 });
    expect(JSON.stringify(refusal)).not.toContain('database');
    expect(lines).toEqual([broken]);
  });
});

describe('gateways that share a server', () => {
  it.each(LIBRARIES.slice(1))(
    'refuse a caller of a protected namespace, even if another namespace is public, with %s',
    async (_, library) => {
      @WebSocketGateway({ path: '/chat', namespace: '/open' })
      @Public()
      class Open {}
      @WebSocketGateway({ path: '/chat', namespace: '/inner' })
      @RequirePermission('orders.read')
      class Inner {}
      const broken = new Error('the database of permissions is away');
      const permissions = (): never => {
        throw broken;
      };
      const { app, url } = await start(library, [Open, Inner], { mapPermissions: permissions });
      const lines: unknown[] = [];
      const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void lines.push(line));
      undone.push(() => errors.mockRestore());
      expect((await library.connect(url, bearerOf(app), { namespace: '/inner' })).refusal).toBeDefined();
      expect(lines).toEqual([broken]);
    },
  );

  it('prevent the start with ws if only some gateways of a path are @Public()', async () => {
    await expect(start(WS, twoGateways({}))).rejects.toThrow(/^(Open and Private|Private and Open) share a path/);
  });

  it.each(LIBRARIES.slice(1))(
    'accept only the callers that the gateway of each namespace allows, with %s',
    async (_, library) => {
      const { app, url } = await start(library, twoGateways({ namespace: 'private' }));
      expect((await library.connect(url, undefined)).refusal).toBeUndefined();
      expect((await library.connect(url, undefined, { namespace: '/private' })).refusal).toEqual({
        body: { error: 'Missing token', code: 'missing_token' },
      });
      expect((await library.connect(url, bearerOf(app), { namespace: '/private' })).refusal).toBeUndefined();
      expect(ran).toEqual(['open', 'private']);
    },
  );
});

describe('a socket.io client', () => {
  it('does not crash the server if it disconnects during the verification of its token', async () => {
    const library = socketIo('websocket');
    const { app, url } = await start(library, [Chat]);
    const upgrade =
      'GET /chat/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
    for (const credentials of ['', 'Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln\r\n']) {
      for (const wait of [0, 5, 20]) {
        const socket = connect(Number(url.port), url.hostname);
        socket.on('error', () => {});
        await once(socket, 'connect');
        socket.write(`${upgrade}${credentials}\r\n`);
        await sleep(wait);
        socket.resetAndDestroy();
      }
    }
    await sleep(200);
    expect((await library.connect(url, bearerOf(app))).refusal).toBeUndefined();
  });

  it('is disconnected when its token is denied, even if the application delays the connection', async () => {
    @WebSocketGateway({ path: '/chat' })
    @Authenticated()
    class Slow {
      afterInit(server: { use(middleware: (socket: unknown, next: () => void) => void): void }): void {
        server.use((_, next) => setTimeout(next, 1500));
      }
    }
    const library = socketIo('websocket');
    const { app, url } = await start(library, [Slow]);
    const client = await library.connect(url, bearerOf(app, { ...GOOD, claims: { sid: 'session' } }));
    deny(app, 'session');
    expect(CLOSED).toContain(await client.closed);
  });

  const poll = (url: URL, authorization: string, query = '') =>
    fetch(new URL(`/chat/?EIO=4&transport=polling${query}`, url), { headers: { authorization } });
  const opened = async (url: URL, authorization: string): Promise<string> => {
    const answer = await (await poll(url, authorization)).text();
    return (JSON.parse(answer.slice(1)) as { sid: string }).sid;
  };

  it.each([
    ['another user', { subject: 'thief' }],
    ['the same user with another client', { client: 'till' }],
  ])('cannot poll in the session of %s', async (_, overrides) => {
    const { app, url } = await start(socketIo('polling'), [Chat]);
    const sid = await opened(url, bearerOf(app));
    const thief = await poll(url, bearerOf(app, { ...GOOD, ...overrides }), `&sid=${sid}`);
    expect(thief.status).toBe(401);
    expect(await thief.json()).toEqual({ error: 'Invalid token', code: 'invalid_token' });
  });

  it("cannot poll in another caller's session, even with a @Public() namespace", async () => {
    @WebSocketGateway({ path: '/chat' })
    @Public()
    class Open {}
    @WebSocketGateway({ path: '/chat', namespace: 'inside' })
    @RequirePermission('orders.read')
    class Inside {
      @WebSocketServer() server!: { emit(event: string, data: string): void };
    }
    const { app, url } = await start(socketIo('polling'), [Open, Inside]);
    const bearer = bearerOf(app);
    const sid = await opened(url, bearer);
    const session = new URL(`/chat/?EIO=4&transport=polling&sid=${sid}`, url);
    const headers = { authorization: bearer };
    expect((await fetch(session, { method: 'POST', headers, body: '40/inside,' })).status).toBe(200);
    expect(await (await fetch(session, { headers })).text()).toContain('40/inside,');
    app.get(Inside).server.emit('news', 'for those inside');
    for (const thief of [{}, { authorization: bearerOf(app, { ...GOOD, subject: 'thief' }) }]) {
      const answer = await fetch(session, { headers: thief });
      expect([answer.status, await answer.text()]).toEqual([401, expect.not.stringContaining('for those inside')]);
    }
    expect(await (await fetch(session, { headers })).text()).toContain('for those inside');
    const { sid: anonymous } = JSON.parse(
      (await (await fetch(new URL('/chat/?EIO=4&transport=polling', url))).text()).slice(1),
    ) as { sid: string };
    const another = new URL(`/chat/?EIO=4&transport=polling&sid=${anonymous}`, url);
    expect((await fetch(another, { method: 'POST', body: '40' })).status).toBe(200);
    expect((await fetch(another)).status).toBe(200);
  });

  it("cannot poll the session of another issuer's user, even if this user has the same id (RS-10)", async () => {
    const [own, partner] = ['https://sso.example.com/realms/shop', 'https://sso.partner.example/realms/partner'];
    const client = { clientId: 'chat', clientSecret: 'hush', acceptedScopes: ['orders.read'] };
    const issuers = [own, partner].map((issuer) => ({ issuer, ...client }));
    @WebSocketGateway({ path: '/chat' })
    @Authenticated()
    class Open {}
    const { app, url } = await start(socketIo('polling'), [Open], { issuers });
    const ofEach = issuers.map(({ issuer }) => bearerOf(app, { ...GOOD, issuer, subject: 'alice-id' }));
    const [atOwn = '', atPartner = ''] = ofEach;
    const sid = await opened(url, atOwn);
    expect((await poll(url, atPartner, `&sid=${sid}`)).status).toBe(401);
    // Unlike a polling request, a POST does not wait for the next ping.
    const posted = { method: 'POST', headers: { authorization: atOwn }, body: '40' };
    expect((await fetch(new URL(`/chat/?EIO=4&transport=polling&sid=${sid}`, url), posted)).status).toBe(200);
  });
});

describe('connectionStateRecovery of socket.io', () => {
  type ServerOptions = Parameters<IoAdapter['createIOServer']>[1];

  class RecoveringAdapter extends IoAdapter {
    override createIOServer(port: number, options?: ServerOptions) {
      const connectionStateRecovery = { skipMiddlewares: false };
      return super.createIOServer(port, { ...options, connectionStateRecovery } as ServerOptions);
    }
  }

  it.each([
    ['the gateway', { connectionStateRecovery: {} }, IoAdapter],
    ['the adapter', {}, RecoveringAdapter],
    ['the adapter of a namespace', { namespace: 'private' }, RecoveringAdapter],
  ])('prevents the start of the application if %s sets it', async (_, options, Adapter) => {
    @WebSocketGateway({ path: '/chat', ...options })
    @Authenticated()
    class Recovering {}
    const starting = start({ ...socketIo('websocket'), adapter: (app) => new Adapter(app) }, [Recovering]);
    await expect(starting).rejects.toThrow(/^The socket\.io server of Recovering has connectionStateRecovery/);
  });

  it('is allowed if all gateways of the server are public', async () => {
    @WebSocketGateway({ path: '/chat', connectionStateRecovery: {} })
    @Public()
    class Recovering {}
    await expect(start(socketIo('websocket'), [Recovering])).resolves.toBeDefined();
  });
});

describe('a verifyClient of the application', () => {
  const rejecting = (parameters: number): (() => Promise<never>) =>
    Object.defineProperty(() => Promise.reject(new Error('not json')), 'length', { value: parameters });

  it.each([
    ['that returns a boolean', (): boolean => false, { status: 401, body: 'Unauthorized' }],
    [
      'that calls the callback',
      (_: unknown, verdict: (verified: boolean, code: number) => void) => verdict(false, 418),
      { status: 418, body: "I'm a Teapot" },
    ],
    [
      'that throws',
      (): never => {
        throw new Error('not json');
      },
      { status: 500, body: 'Internal Server Error' },
    ],
    ['that returns a promise', async (): Promise<boolean> => false, { status: 401, body: 'Unauthorized' }],
    ['that rejects and has one parameter', rejecting(1), { status: 500, body: 'Internal Server Error' }],
    ['that rejects and has two parameters', rejecting(2), { status: 500, body: 'Internal Server Error' }],
  ])('is called only after the token is accepted: a function %s', async (_, verifyClient, expected) => {
    @WebSocketGateway({ path: '/chat', verifyClient } as object)
    @Authenticated()
    class Picky {}
    const { app, url } = await start(WS, [Picky]);
    expect((await WS.connect(url, undefined)).refusal).toMatchObject({ body: { code: 'missing_token' } });
    expect((await WS.connect(url, bearerOf(app))).refusal).toEqual(expected);
  });
});

describe('a gateway whose adapter does not check handshakes', () => {
  it.each([
    ['WsAdapter', (app: INestApplication) => new WsAdapter(app)],
    ['IoAdapter', (app: INestApplication) => new IoAdapter(app)],
  ])('stops the application from starting: %s', async (_, adapter) => {
    const imports = [KeycloakTestingModule.forRoot({ requestAdapters: [websocketsRequestAdapter()] })];
    const module = await Test.createTestingModule({ imports, providers: [Chat] })
      .setLogger(new ConsoleLogger({ logLevels: [] }))
      .compile();
    const app = module.createNestApplication(new ExpressAdapter());
    undone.push(() => app.close());
    app.useWebSocketAdapter(adapter(app));
    await expect(app.init()).rejects.toThrow(/^The gateway Chat accepts connections from anybody/);
  });

  it('starts in an application context, which accepts no connections', async () => {
    const imports = [KeycloakTestingModule.forRoot({ requestAdapters: [websocketsRequestAdapter()] })];
    const module = await Test.createTestingModule({ imports, providers: [Chat] })
      .setLogger(new ConsoleLogger({ logLevels: [] }))
      .compile();
    await expect(module.init()).resolves.toBeDefined();
  });

  it('prevents the start if the adapter returns a server that it did not create', async () => {
    const server = new WsServer({ server: createServer() });
    undone.push(() => server.close());
    @WebSocketGateway(4711, { server } as object)
    @Authenticated()
    class Elsewhere {}
    class Fixed extends WsAdapter {
      override create(): WsServer {
        return server;
      }
    }
    const starting = start({ ...WS, adapter: (app) => new Fixed(app) }, [Elsewhere]);
    await expect(starting).rejects.toThrow(/^guardHandshakes\(\) supports only the ws and socket\.io servers/);
  });
});
