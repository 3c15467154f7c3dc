import { Controller, Sse, type MessageEvent } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { get, type IncomingMessage } from 'node:http';
import { finalize, interval, map, take, type Observable } from 'rxjs';
import { KEYCLOAK } from '../module/keycloak.module-definition.js';
import type { ComposedKeycloak } from '../module/compose-keycloak.js';
import { OptionalToken, RequirePermission, RevocationList } from '../index.js';
import { KeycloakTestingModule, signIn, signOut, testAccessToken } from '../testing/index.js';

let running = 0;

const news = (count = Infinity): Observable<MessageEvent> => {
  running += 1;
  return interval(20).pipe(
    take(count),
    map((at) => ({ data: String(at) })),
    finalize(() => (running -= 1)),
  );
};

@Controller()
class News {
  @Sse('news')
  @RequirePermission('news.read')
  all(): Observable<MessageEvent> {
    return news();
  }

  @Sse('one')
  @RequirePermission('news.read')
  one(): Observable<MessageEvent> {
    return news(1);
  }

  @Sse('optional')
  @OptionalToken()
  optional(): Observable<MessageEvent> {
    return news();
  }
}

let app: INestApplication;
afterEach(async () => {
  await app.close();
  await until(() => running === 0);
});

async function start(adapter: object): Promise<string> {
  const module = await Test.createTestingModule({
    imports: [KeycloakTestingModule.forRoot({ introspectionTtlSeconds: 2 })],
    controllers: [News],
  }).compile();
  app = module.createNestApplication(adapter as ExpressAdapter, { forceCloseConnections: true });
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

async function listen(url: string, token?: string) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { headers }, resolve).on('error', reject);
  });
  const received = { events: 0, isOver: false };
  answer.on('data', () => (received.events += 1)).on('error', () => {});
  answer.on('close', () => (received.isOver = true));
  return { status: answer.statusCode, received, stop: () => answer.destroy() };
}

const until = async (condition: () => boolean, seconds = 5): Promise<boolean> => {
  for (const endMs = Date.now() + seconds * 1000; Date.now() < endMs && !condition();) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return condition();
};

const held = (): number => app.get<ComposedKeycloak>(KEYCLOAK, { strict: false }).connections.size;

const reader = () => testAccessToken({ permissions: ['news.read'], claims: { sid: 'session' } });

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('a handler of @Sse() on %s', (_, adapter) => {
  it('keeps streaming as long as the token of its caller is valid', async () => {
    const url = await start(adapter());
    const { status, received } = await listen(`${url}/news`, signIn(app, reader()));
    await until(() => received.events > 100, 4);
    expect([status, received.isOver]).toEqual([200, false]);
    expect(received.events).toBeGreaterThan(100);
  });

  it('closes its stream immediately when the token is denied', async () => {
    const url = await start(adapter());
    const { received } = await listen(`${url}/news`, signIn(app, reader()));
    await until(() => received.events > 0);
    app.get(RevocationList, { strict: false }).deny({ sid: 'session' });
    expect(await until(() => received.isOver, 1)).toBe(true);
    expect(await until(() => running === 0, 1)).toBe(true);
  });

  it('closes its stream when introspection finds the token inactive', async () => {
    const url = await start(adapter());
    const text = signIn(app, reader());
    const { received } = await listen(`${url}/optional`, text);
    await until(() => received.events > 0);
    signOut(app, text);
    expect(await until(() => received.isOver, 4)).toBe(true);
  });

  it('tracks no connection that has ended or that has no token', async () => {
    const url = await start(adapter());
    const token = signIn(app, reader());
    const first = await listen(`${url}/news`, token);
    await until(() => first.received.events > 0);
    const second = await listen(`${url}/one`, token);
    await until(() => second.received.isOver);
    const third = await listen(`${url}/optional`);
    await until(() => third.received.events > 0);
    first.stop();
    expect(await until(() => held() === 0, 3)).toBe(true);
    expect(third.received.isOver).toBe(false);
  });
});
