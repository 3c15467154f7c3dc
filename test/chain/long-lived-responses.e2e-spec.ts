import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { Controller, Get, Module, Res, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { Authenticated, KeycloakModule } from 'nestjs-keycloak-s2s';
import { LongLivedResponse } from 'nestjs-keycloak-s2s/extension';
import { SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { describeOnBothServers } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import { logout } from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { newSession } from '../support/new-session.js';

interface Response extends ServerResponse {
  /** Fastify */
  readonly raw?: ServerResponse;
}

@Controller()
class News {
  @Get('marked')
  @Authenticated()
  @LongLivedResponse()
  marked(@Res() response: Response): void {
    (response.raw ?? response).write('begun');
  }

  @Get('unmarked')
  @Authenticated()
  unmarked(@Res() response: Response): void {
    (response.raw ?? response).write('begun');
  }
}

describeOnBothServers((connect) => {
  let server: ContractServer;
  let app: INestApplication;
  beforeAll(async () => {
    server = await connect();
  });
  afterAll(() => server.stop());
  afterEach(() => app.close());

  async function listen(path: string, token: string): Promise<IncomingMessage> {
    const [answer] = (await once(
      get(`${await app.getUrl()}/${path}`, { headers: { authorization: `Bearer ${token}` } }),
      'response',
    )) as [IncomingMessage];
    answer.on('error', () => {});
    await once(answer, 'data');
    return answer;
  }

  it.each([
    ['Express', () => new ExpressAdapter()],
    ['Fastify', () => new FastifyAdapter()],
  ])('closes a marked response after the logout of its caller, and no other response: %s', async (_, adapter) => {
    @Module({
      imports: [
        KeycloakModule.forRoot({
          issuer: server.issuer,
          internalServerUrl: server.baseUrl,
          clientId: 'service-a',
          clientSecret: SECRETS['service-a'],
          introspectionTtlSeconds: 2,
          allowInsecureRequests: true,
        }),
      ],
      controllers: [News],
    })
    class Service {}
    app = await NestFactory.create(Service, adapter() as ExpressAdapter, {
      logger: false,
      forceCloseConnections: true,
    });
    await app.listen(0, '127.0.0.1');
    const ended = await newSession(server);
    const other = await newSession(server);
    const marked = await listen('marked', ended.atA);
    const open = [await listen('marked', other.atA), await listen('unmarked', ended.atA)];
    const isOver = new Promise((resolve) => marked.once('close', resolve));
    expect(marked.destroyed).toBe(false);
    await logout(server, ended.refreshToken);
    await isOver;
    expect(open.map(({ destroyed }) => destroyed)).toEqual([false, false]);
    for (const answer of open) answer.destroy();
  });
});
