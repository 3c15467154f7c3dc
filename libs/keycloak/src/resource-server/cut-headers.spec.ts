import type { Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeycloakModule } from '../module/keycloak.module.js';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { connectionTo } from '../../spec-support/test-realm.js';
import { loginTo, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { OptionalToken } from './access.decorators.js';
import { isCut } from './bearer-token.js';

@Controller()
class Routes {
  @Get()
  @OptionalToken()
  read(): string {
    return 'ok';
  }
}

const ADAPTERS: readonly (readonly [string, () => AbstractHttpAdapter])[] = [
  ['Fastify', () => new FastifyAdapter()],
  ['Express', () => new ExpressAdapter()],
];
/** Node's header parser reads headers in batches of 31. */
const LIMITS = [null, 0, 1, 2, 5, 30, 31, 32, 62, 33, 64, 100, 2000] as const;

/** Node 24 answers 431 to a request that has more headers than the limit. */
const REFUSED = [400, 431];

const JUNK = 'Authorization: Bearer junk';
const others = (count: number): string[] => Array.from({ length: count }, () => 'a:');

describe.each(ADAPTERS)('a request with many headers, on %s', (_, adapter) => {
  let realm: RunningAuthorizationServer;
  let app: INestApplication;
  let server: Server;
  let good: string;

  beforeAll(async () => {
    realm = await startTestRealm();
    good = `Authorization: Bearer ${await loginTo(realm, 'alice')}`;
    const { realmUrl: _realmUrl, ...connection } = connectionTo(realm, 'service-a');
    const module = await Test.createTestingModule({
      imports: [KeycloakModule.forRoot(connection)],
      controllers: [Routes],
    })
      .setLogger({ log: () => undefined, warn: () => undefined, error: () => undefined })
      .compile();
    app = module.createNestApplication(adapter());
    await app.listen(0, '127.0.0.1');
    server = app.getHttpServer() as Server;
  });
  afterAll(async () => {
    await app.close();
    await realm.stop();
  });

  /** Opens a new connection, since Node reads the limit for each connection. */
  async function statusOf(lines: readonly string[], limit: number | null): Promise<number> {
    server.maxHeadersCount = limit;
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay();
    const answer = text(socket);
    const request = ['GET / HTTP/1.1', 'Host: localhost', 'Connection: close', ...lines, '', ''].join('\r\n');
    socket.write(request);
    return Number((await answer).slice('HTTP/1.1 '.length).slice(0, 3));
  }

  it('is refused if Node may have dropped its token, although it looks anonymous (RS-03)', async () => {
    expect(await statusOf([...others(900), JUNK], null)).toBe(401);
    expect(REFUSED).toContain(await statusOf([...others(2005), JUNK], null));
    expect(REFUSED).toContain(await statusOf([good, ...others(2005), JUNK], null));
    expect(await statusOf([...others(2005), JUNK], 0)).toBe(401);
    expect(await statusOf([good, ...others(2005), JUNK], 0)).toBe(400);
  });

  it('is accepted with its token if the number of headers is below the limit', async () => {
    expect(await statusOf([...others(900), good], null)).toBe(200);
    expect(await statusOf([...others(3000), good], 0)).toBe(200);
    expect(await statusOf(others(900), null)).toBe(200);
  });

  it('is refused if its token is invalid, at any header limit and any position of the token (RS-03)', async () => {
    const limit = fc.constantFrom(...LIMITS);
    const count = fc.oneof(fc.nat(140), fc.integer({ min: 960, max: 1060 }), fc.nat(3000));
    await fc.assert(
      fc.asyncProperty(limit, count, count, async (most, before, after) => {
        const lines = [...others(before), JUNK, ...others(Math.min(after, 3000 - before))];
        expect([401, ...REFUSED]).toContain(await statusOf(lines, most));
      }),
      { numRuns: 150 },
    );
  });
});

describe('isCut', () => {
  const from = (maxHeadersCount?: number | null) => ({
    socket: { server: { maxHeadersCount: maxHeadersCount ?? null } },
  });

  it("uses the server's limit, or Node's default if the server sets none", () => {
    expect([isCut(from(), 1998), isCut(from(), 2000)]).toEqual([false, true]);
    expect([isCut({}, 1998), isCut({}, 2000)]).toEqual([false, true]);
    expect([isCut(from(100), 198), isCut(from(100), 200)]).toEqual([false, true]);
    expect([isCut(from(5), 8), isCut(from(5), 10)]).toEqual([false, true]);
    expect(isCut(from(0), 1e6)).toBe(false);
  });

  it('returns false for HTTP/2 without reading the socket, because HTTP/2 has no limit', () => {
    const gone = {
      httpVersionMajor: 2,
      get socket(): never {
        throw new Error('unbound');
      },
    };
    expect(isCut(gone, 1e6)).toBe(false);
  });
});
