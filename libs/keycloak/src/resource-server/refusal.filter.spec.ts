import { Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { firstValueFrom, type Observable } from 'rxjs';
import { ServiceCallError } from '../client/service-call-error.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { BearerError } from '../protocol/bearer-error.js';
import { RefusalFilter } from './refusal.filter.js';

const refusal = new BearerError('route_closed', { reason: 'no_decorator_opens_it' });
const filter = new RefusalFilter(
  { realm: 'service-b', exposeRefusalReasons: false, carriers: [] },
  new HttpAdapterHost(),
);

function hostOf(kind: string): ExecutionContextHost {
  const host = new ExecutionContextHost([]);
  host.setType(kind);
  return host;
}

describe('the log line of a failure', () => {
  it('has a hint', () => {
    const lines: unknown[] = [];
    const write = (line: unknown): void => void lines.push(line);
    Logger.overrideLogger({ log: write, error: write, warn: write });
    filter.log(new ServiceCallError('service_failed', 'service-c', 'answered_404', { status: 404 }));
    filter.log(
      new AuthorizationServerError('authorization_server_refused', {
        reason: 'answered_403_access_denied',
        fields: { description: 'Realm not enabled' },
      }),
    );
    Logger.overrideLogger(['error']);
    expect(lines).toMatchObject([
      {
        message: 'Request failed',
        called: 'service-c',
        hint: expect.stringMatching(/nothing at this path/) as unknown,
      },
      { message: 'Request failed', hint: expect.stringMatching(/^The realm is disabled/) as unknown },
    ]);
  });
});

describe('RefusalFilter outside of HTTP (its answers there are tested with the guard)', () => {
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(['error']));

  it('answers a message of a microservice with the refusal, so that its sender does not wait', async () => {
    const answer = filter.catch(refusal, hostOf('rpc'));
    await expect(firstValueFrom(answer as Observable<never>)).rejects.toEqual({
      error: 'Route closed',
      code: 'route_closed',
    });
  });

  it('throws the refusal where it knows no way to answer', () => {
    expect(() => filter.catch(refusal, hostOf('ws'))).toThrow(refusal);
  });
});
