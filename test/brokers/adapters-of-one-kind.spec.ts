import { headers as natsHeaders } from '@nats-io/transport-node';
import { ConsoleLogger, Controller, type INestApplication } from '@nestjs/common';
import {
  BaseRpcContext,
  ClientProxyFactory,
  MessagePattern,
  NatsRecordBuilder,
  RpcException,
  Server,
  Transport,
  type NatsOptions,
  type CustomTransportStrategy,
} from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Caller,
  KeycloakStatus,
  RequirePermission,
  type KeycloakModuleOptions,
  type VerifiedAccessToken,
} from 'nestjs-keycloak-s2s';
import type { RequestAdapter } from 'nestjs-keycloak-s2s/extension';
import { microservicesRequestAdapter } from 'nestjs-keycloak-s2s/microservices';
import { KeycloakTestingModule } from 'nestjs-keycloak-s2s/testing';
import { from, isObservable, lastValueFrom, throwError, timeout } from 'rxjs';
import { bearerOf } from '../../libs/keycloak/spec-support/refusal-table.js';
import { natsPath, startNats, type Broker } from '../support/brokers.js';

class ToolContext extends BaseRpcContext<[headers: Readonly<Record<string, string>>]> {
  readonly headers = this.getArgByIndex(0) as Readonly<Record<string, string>>;
}

/** A transport in this process, whose messages have the kind `rpc`, as the messages of NATS have. */
class ToolTransport extends Server implements CustomTransportStrategy {
  listen(done: () => void): void {
    done();
  }
  close(): void {}
  on(): void {}
  unwrap<T>(): T {
    return this as never;
  }

  async call(pattern: string, payload: unknown, headers: Readonly<Record<string, string>>): Promise<unknown> {
    const answer: unknown = await this.getHandlerByPattern(pattern)?.(payload, new ToolContext([headers]));
    return outcomeOf(answer);
  }
}

const outcomeOf = (answer: unknown): Promise<unknown> =>
  lastValueFrom((isObservable(answer) ? answer : from([answer])).pipe(timeout(120_000))).then(
    (value: unknown) => ({ answer: value }),
    (refused: unknown) => ({ refused }),
  );

const tools: RequestAdapter = {
  kind: 'rpc',
  isOwn: (context) => context.getArgByIndex<unknown>(1) instanceof ToolContext,
  callOf: (context) => context.getArgByIndex<ToolContext>(1),
  requestOf: (context) => context.getArgByIndex<ToolContext>(1),
  toException: ({ body }) => new RpcException({ tool: body.code }),
  answer: (exception) => throwError(() => (exception as RpcException).getError()),
};

@Controller()
class Orders {
  @MessagePattern('read')
  @RequirePermission('orders.read')
  read(@Caller() caller: VerifiedAccessToken | undefined): string {
    return `read by ${caller?.subject ?? 'nobody'}`;
  }
}

const describeWithNats = natsPath === undefined ? describe.skip : describe;

describeWithNats('two request adapters of one kind', () => {
  let broker: Broker;
  let app: INestApplication;
  let undone: (() => unknown)[] = [];
  beforeAll(async () => {
    broker = await startNats(natsPath ?? '');
  });
  afterAll(() => broker.stop());
  afterEach(async () => {
    for (const undo of undone.toReversed()) await undo();
    undone = [];
  });

  async function start(requestAdapters: readonly RequestAdapter[], options: Partial<KeycloakModuleOptions> = {}) {
    const imports = [KeycloakTestingModule.forRoot({ requestAdapters, ...options })];
    const module = await Test.createTestingModule({ imports, controllers: [Orders] })
      .setLogger(new ConsoleLogger({ logLevels: [] }))
      .compile();
    app = module.createNestApplication(new ExpressAdapter());
    undone.push(() => app.close());
    const transport = new ToolTransport();
    app.connectMicroservice({ strategy: transport });
    const nats: NatsOptions = { transport: Transport.NATS, options: { servers: [broker.url] } };
    app.connectMicroservice(nats);
    await app.startAllMicroservices();
    await app.init();
    const proxy = ClientProxyFactory.create(nats);
    undone.push(() => proxy.close());
    return {
      byTool: (authorization?: string, payload: unknown = {}) =>
        transport.call('read', payload, authorization === undefined ? {} : { authorization }),
      byNats: (authorization?: string, payload: unknown = {}) => {
        const headers = natsHeaders();
        if (authorization !== undefined) headers.set('authorization', authorization);
        return outcomeOf(proxy.send('read', new NatsRecordBuilder(payload).setHeaders(headers).build()));
      },
    };
  }

  it.each([
    ['first', [tools, microservicesRequestAdapter()]],
    ['last', [microservicesRequestAdapter(), tools]],
  ])('protect the messages of both transports if the adapter with isOwn is the %s', async (_, adapters) => {
    const { byTool, byNats } = await start(adapters);
    for (const send of [byTool, byNats]) {
      const alice = bearerOf(app, { permissions: ['orders.read'], subject: 'alice' });
      const bob = bearerOf(app, { permissions: ['orders.read'], subject: 'bob' });
      expect(await Promise.all([send(alice), send(bob)])).toEqual([
        { answer: 'read by alice' },
        { answer: 'read by bob' },
      ]);
    }
  });

  it('refuse a message in the format of its own transport (RS-20)', async () => {
    const { byTool, byNats } = await start([tools, microservicesRequestAdapter()]);
    const weak = bearerOf(app, { permissions: ['orders.write'] });
    expect(await byTool()).toEqual({ refused: { tool: 'missing_token' } });
    expect(await byTool(weak)).toEqual({ refused: { tool: 'insufficient_scope' } });
    expect(await byNats()).toEqual({ refused: { error: 'Missing token', code: 'missing_token' } });
    expect(await byNats(weak)).toEqual({
      refused: { error: 'Insufficient permission', code: 'insufficient_scope', permission: 'orders.read' },
    });
  });

  it('read no token from the payload of a message (RS-28)', async () => {
    const { byTool, byNats } = await start([tools, microservicesRequestAdapter()]);
    const authorization = bearerOf(app, { permissions: ['orders.read'] });
    const payload = { headers: { authorization }, args: [{ authorization }], constructor: 'ToolContext' };
    expect(await byTool(undefined, payload)).toEqual({ refused: { tool: 'missing_token' } });
    expect(await byNats(undefined, payload)).toMatchObject({ refused: { code: 'missing_token' } });
  });

  it('leave the messages that belong to no adapter closed (RS-20)', async () => {
    const { byTool, byNats } = await start([tools]);
    const bearer = bearerOf(app, { permissions: ['orders.read'], subject: 'alice' });
    expect(await byTool(bearer)).toEqual({ answer: 'read by alice' });
    expect(await byNats(bearer)).toEqual({ refused: { error: 'Route closed', code: 'route_closed' } });
  });

  it('fail the call if isOwn throws', async () => {
    const throwing: RequestAdapter = {
      ...tools,
      isOwn: () => {
        throw new TypeError('no context');
      },
    };
    const { byNats } = await start([throwing, microservicesRequestAdapter()]);
    expect(await byNats(bearerOf(app, { permissions: ['orders.read'] }))).toEqual({
      refused: { status: 'error', message: 'Internal server error' },
    });
  });

  it('observe the messages of both transports, and fail no call', async () => {
    const observeUntil = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    let isThrowing = false;
    const own: RequestAdapter = {
      ...tools,
      isOwn(context) {
        if (isThrowing) throw new TypeError('no context');
        return tools.isOwn?.(context) === true;
      },
    };
    const observing = { enforcement: 'observe', observeUntil } as const;
    const { byTool, byNats } = await start([own, microservicesRequestAdapter()], observing);
    const weak = bearerOf(app, { permissions: ['orders.write'] });
    expect(await byTool(weak)).toEqual({ answer: 'read by nobody' });
    expect(await byNats()).toEqual({ answer: 'read by nobody' });
    const { enforcement } = app.get(KeycloakStatus).read();
    const refusals = 'refusals' in enforcement ? enforcement.refusals : [];
    expect(refusals.map(({ reason }) => reason).toSorted()).toEqual(['no_credentials', 'permission_missing']);
    isThrowing = true;
    expect(await byNats()).toEqual({ answer: 'read by nobody' });
  });
});
