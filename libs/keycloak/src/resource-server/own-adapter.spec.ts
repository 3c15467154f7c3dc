import { Test } from '@nestjs/testing';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { Authenticated, KeycloakGuard, RequirePermission } from '../index.js';
import type { CallContext, RequestAdapter, LongLivedConnection } from '../entry-points/extension/index.js';
import { KeycloakTestingModule } from '../testing/index.js';
import { bearerOf } from '../../spec-support/refusal-table.js';

interface Job {
  readonly headers: Readonly<Record<string, string>>;
}

class JobRefused extends Error {}

class Jobs {
  @Authenticated()
  run(): void {}

  @RequirePermission('jobs.admin')
  purge(): void {}
}

const seen: Record<string, unknown[]> = {};

const saw = (method: string, context: CallContext): void => {
  (seen[method] ??= []).push(context.getHandler?.()?.name);
};

const adapter: RequestAdapter = {
  kind: 'jobs',
  callOf: (context) => context.getArgByIndex<Job>(0),
  begin: (context) => saw('begin', context),
  requestOf(context) {
    saw('requestOf', context);
    return { headers: context.getArgByIndex<Job>(0).headers };
  },
  connectionOf(context): LongLivedConnection | undefined {
    saw('connectionOf', context);
    return undefined;
  },
  refused: (_, context) => saw('refused', context),
  toException(refusal, context) {
    saw('toException', context);
    return new JobRefused(refusal.body.code);
  },
};

let app: INestApplicationContext | undefined;
afterEach(async () => {
  for (const method of Object.keys(seen)) delete seen[method];
  await app?.close();
});

describe('a request adapter of an application', () => {
  it.each([
    ['admitted', 'run', undefined],
    ['refused', 'purge', 'insufficient_scope'],
  ] as const)('receives the context and the handler of a call that is %s (RS-28)', async (_, name, code) => {
    const module = await Test.createTestingModule({
      imports: [KeycloakTestingModule.forRoot({ requestAdapters: [adapter] })],
    })
      .setLogger({ log: () => {}, warn: () => {}, error: () => {} })
      .compile();
    app = await module.init();
    const job: Job = { headers: { authorization: bearerOf(module) } };
    const context = new ExecutionContextHost([job], Jobs, Jobs.prototype[name]);
    context.setType('jobs');
    const outcome = await Promise.resolve(app.get(KeycloakGuard).canActivate(context)).catch((error: Error) => error);
    expect(outcome).toEqual(code === undefined ? true : new JobRefused(code));
    const called = ['begin', 'requestOf', ...(code === undefined ? [] : ['refused', 'toException'])];
    for (const method of called) expect([method, new Set(seen[method])]).toEqual([method, new Set([name])]);
    expect(seen['connectionOf']).toContain(name);
  });
});
