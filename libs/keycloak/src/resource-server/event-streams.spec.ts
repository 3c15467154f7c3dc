import { Controller, Get, Post, Res, Sse, type MessageEvent } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { finalize, interval, map, take, type Observable } from 'rxjs';
import { KEYCLOAK } from '../module/keycloak.module-definition.js';
import type { ComposedKeycloak } from '../module/compose-keycloak.js';
import { OptionalToken, Public, RequirePermission, RevocationList } from '../index.js';
import { LongLivedResponse } from '../entry-points/extension/index.js';
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

/** Express passes Node's response. Fastify passes an own response that contains Node's response. */
interface Response extends ServerResponse {
  readonly raw?: ServerResponse;
}

function write(response: Response, count = Infinity): void {
  const { raw = response } = response;
  running += 1;
  let written = 0;
  const writing = setInterval(() => {
    raw.write(`${written}\n`);
    written += 1;
    if (written >= count) raw.end();
  }, 20);
  raw.once('close', () => {
    clearInterval(writing);
    running -= 1;
  });
}

@Controller('written')
@LongLivedResponse()
class Written {
  @Get('news')
  @RequirePermission('news.read')
  news(@Res() response: Response): void {
    write(response);
  }

  @Post('news')
  @RequirePermission('news.read')
  listen(@Res() response: Response): void {
    write(response);
  }

  @Get('one')
  @RequirePermission('news.read')
  one(@Res() response: Response): void {
    write(response, 1);
  }

  @Get('json')
  @RequirePermission('news.read')
  json(): object {
    return { read: true };
  }

  @Get('public')
  @Public()
  all(@Res() response: Response): void {
    write(response);
  }
}

@Controller('mixed')
class Mixed {
  @Get('marked')
  @LongLivedResponse()
  @RequirePermission('news.read')
  marked(@Res() response: Response): void {
    write(response);
  }

  @Get('unmarked')
  @RequirePermission('news.read')
  unmarked(@Res() response: Response): void {
    write(response);
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
    controllers: [News, Written, Mixed],
  }).compile();
  app = module.createNestApplication(adapter as ExpressAdapter, { forceCloseConnections: true });
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

async function listen(url: string, token?: string, method = 'GET') {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { headers, method }, resolve).on('error', reject).end();
  });
  const received = { events: 0, isOver: false };
  answer.on('data', () => (received.events += 1)).on('error', () => {});
  answer.on('close', () => (received.isOver = true));
  return { status: answer.statusCode, received, stop: () => answer.destroy() };
}

const until = async (condition: () => boolean, seconds = 10): Promise<boolean> => {
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
    const { connections } = app.get<ComposedKeycloak>(KEYCLOAK, { strict: false });
    const release = jest.spyOn(connections, 'release');
    const token = signIn(app, reader());
    const first = await listen(`${url}/news`, token);
    await until(() => first.received.events > 0);
    const second = await listen(`${url}/one`, token);
    await until(() => second.received.isOver);
    expect(await until(() => release.mock.calls.length === 1)).toBe(true);
    const third = await listen(`${url}/optional`);
    await until(() => third.received.events > 0);
    first.stop();
    expect(await until(() => held() === 0, 3)).toBe(true);
    expect(third.received.isOver).toBe(false);
  });
});

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('a handler with @LongLivedResponse() on %s', (_, adapter) => {
  it.each([
    ['GET', '/written/news'],
    ['POST', '/written/news'],
    ['GET', '/mixed/marked'],
  ])('has its connection closed immediately when the token is denied: %s %s', async (method, path) => {
    const url = await start(adapter());
    const { received } = await listen(`${url}${path}`, signIn(app, reader()), method);
    await until(() => received.events > 0);
    app.get(RevocationList, { strict: false }).deny({ sid: 'session' });
    expect(await until(() => received.isOver)).toBe(true);
    expect(await until(() => running === 0)).toBe(true);
  });

  it('has its connection closed within the revocation window when introspection finds the token inactive', async () => {
    const url = await start(adapter());
    const text = signIn(app, reader());
    const { received } = await listen(`${url}/written/news`, text);
    await until(() => received.events > 0);
    signOut(app, text);
    expect(await until(() => received.isOver)).toBe(true);
  });

  it('has its connection closed when the token expires', async () => {
    const url = await start(adapter());
    const options = { permissions: ['news.read'], expiresInSeconds: 2 };
    const { received } = await listen(`${url}/written/news`, signIn(app, testAccessToken(options)));
    await until(() => received.events > 0);
    expect(await until(() => received.isOver)).toBe(true);
  });

  it('sends a short response as any other handler, which is not tracked afterwards', async () => {
    const url = await start(adapter());
    const token = signIn(app, reader());
    for (const path of ['/written/one', '/written/json']) {
      const { status, received } = await listen(`${url}${path}`, token);
      expect([status, await until(() => received.isOver)]).toEqual([200, true]);
      expect(received.events).toBe(1);
    }
    expect(await until(() => held() === 0, 3)).toBe(true);
  });

  it('leaves the connections of unmarked and public handlers open', async () => {
    const url = await start(adapter());
    const token = signIn(app, reader());
    const answers = [await listen(`${url}/mixed/unmarked`, token), await listen(`${url}/written/public`, token)];
    const marked = await listen(`${url}/mixed/marked`, token);
    for (const { received } of [...answers, marked]) await until(() => received.events > 0);
    app.get(RevocationList, { strict: false }).deny({ sid: 'session' });
    expect(await until(() => marked.received.isOver)).toBe(true);
    expect(answers.map(({ received }) => received.isOver)).toEqual([false, false]);
    for (const { stop } of answers) stop();
  });
});
