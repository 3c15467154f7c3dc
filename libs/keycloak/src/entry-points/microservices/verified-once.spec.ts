import { Metadata } from '@grpc/grpc-js';
import { NatsContext, RmqContext, type RpcException } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { AskedIntrospections } from '../../../spec-support/asked-introspections.js';
import { bearerOf, GOOD } from '../../../spec-support/refusal-table.js';
import { KeycloakGuard, MaxIntrospectionAge, RequirePermission } from '../../index.js';
import { KeycloakTestingModule } from '../../testing/index.js';
import { microservicesRequestAdapter } from './index.js';

class Orders {
  @RequirePermission('orders.read')
  @MaxIntrospectionAge({ seconds: 0 })
  first(): void {}

  @RequirePermission('orders.read')
  @MaxIntrospectionAge({ seconds: 0 })
  second(): void {}

  @RequirePermission('admin')
  @MaxIntrospectionAge({ seconds: 0 })
  admin(): void {}
}

const TRANSPORTS: readonly (readonly [string, (authorization: string) => unknown[]])[] = [
  [
    'NATS',
    (authorization) => [
      {},
      new NatsContext(['placed', { keys: () => ['authorization'], values: () => [authorization] }]),
    ],
  ],
  ['RabbitMQ', (authorization) => [{}, new RmqContext([{ properties: { headers: { authorization } } }, {}, 'placed'])]],
  [
    'gRPC',
    (authorization) => {
      const metadata = new Metadata();
      metadata.set('authorization', authorization);
      return [{}, metadata, Object.assign(new EventEmitter(), { metadata, cancelled: false })];
    },
  ],
];

const undone: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of undone.splice(0).toReversed()) await undo();
});

const refusalOf = (admitted: boolean | Promise<boolean>): Promise<string> =>
  Promise.resolve(admitted).then(
    () => 'admitted',
    (error: RpcException) => JSON.stringify(error.getError()),
  );

describe.each(TRANSPORTS)('a message from %s', (_, argumentsOf) => {
  async function start() {
    const module = await Test.createTestingModule({
      imports: [KeycloakTestingModule.forRoot({ requestAdapters: [microservicesRequestAdapter()] })],
    })
      .setLogger({ log: () => {}, warn: () => {}, error: () => {} })
      .compile();
    const app = await module.init();
    undone.push(() => app.close());
    const asked = new AskedIntrospections();
    undone.push(() => asked.stop());
    const guard = app.get(KeycloakGuard);
    const contextOf = (args: unknown[], name: 'first' | 'second' | 'admin') => {
      const context = new ExecutionContextHost(args, Orders, Orders.prototype[name]);
      context.setType('rpc');
      return context;
    };
    return { module, guard, asked, contextOf };
  }

  it('causes one verification of the token for all handlers and for callerOf()', async () => {
    const { module, guard, asked, contextOf } = await start();
    const args = argumentsOf(bearerOf(module));
    expect(await guard.canActivate(contextOf(args, 'first'))).toBe(true);
    expect(await guard.canActivate(contextOf(args, 'second'))).toBe(true);
    const caller = await guard.callerOf(contextOf(args, 'second'));
    expect(await guard.callerOf(contextOf(args, 'first'))).toBe(caller);
    expect(asked.count).toBe(1);
  });

  it('is checked against the decorators of each handler (RS-20)', async () => {
    const { module, guard, asked, contextOf } = await start();
    const args = argumentsOf(bearerOf(module));
    expect(await guard.canActivate(contextOf(args, 'first'))).toBe(true);
    expect(await refusalOf(guard.canActivate(contextOf(args, 'admin')))).toContain('insufficient_scope');
    expect(asked.count).toBe(1);
  });

  it('is checked with its own token, not with the token of an earlier message', async () => {
    const { module, guard, contextOf } = await start();
    expect(await guard.canActivate(contextOf(argumentsOf(bearerOf(module)), 'first'))).toBe(true);
    const other = argumentsOf(bearerOf(module, { ...GOOD, permissions: ['admin'] }));
    expect(await refusalOf(guard.canActivate(contextOf(other, 'first')))).toContain('insufficient_scope');
    expect(await guard.canActivate(contextOf(other, 'admin'))).toBe(true);
  });
});
