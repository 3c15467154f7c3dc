import { Logger, type LoggerService } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom, type Observable } from 'rxjs';
import { ServiceCallError } from '../client/service-call-error.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { BearerError } from '../protocol/bearer-error.js';
import { KeycloakExceptionFilter } from './keycloak-exception.filter.js';

const refusal = new BearerError('route_closed', { reason: 'no_decorator_opens_it' });
const filter = new KeycloakExceptionFilter(
  { realm: 'service-b', exposeRefusalReasons: false, requestAdapters: [] },
  new HttpAdapterHost(),
);

function hostOf(kind: string): ExecutionContextHost {
  const host = new ExecutionContextHost([]);
  host.setType(kind);
  return host;
}

describe('the log line of a failure', () => {
  it('contains a hint that says what to do', () => {
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

describe('KeycloakExceptionFilter outside of HTTP', () => {
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(['error']));

  it('answers a message with the refusal, so that the sender does not wait', async () => {
    const answer = filter.catch(refusal, hostOf('rpc'));
    await expect(firstValueFrom(answer as Observable<never>)).rejects.toEqual({
      error: 'Route closed',
      code: 'route_closed',
    });
  });

  it('throws the refusal in a WebSocket context that has no request adapter', () => {
    expect(() => filter.catch(refusal, hostOf('ws'))).toThrow(refusal);
  });
});

describe('the log of refusals (OP-05)', () => {
  const ISSUER = 'https://keycloak.example/realms/one';
  let lines: Record<string, unknown>[];
  let logged: KeycloakExceptionFilter;
  beforeEach(() => {
    lines = [];
    const write = (line: unknown): void => void lines.push(line as Record<string, unknown>);
    Logger.overrideLogger({ log: write, warn: write, error: write } as LoggerService);
    const options = {
      realm: 'service-b',
      exposeRefusalReasons: false,
      requestAdapters: [],
      issuers: [{ issuer: ISSUER }],
    };
    logged = new KeycloakExceptionFilter(options, new HttpAdapterHost());
  });
  afterEach(() => {
    logged.onApplicationShutdown();
    Logger.overrideLogger(['error']);
  });

  const request = (url: string, more: object = {}): ExecutionContextHost => {
    const host = new ExecutionContextHost([{ method: 'GET', routeOptions: { url }, headers: {}, ...more }]);
    host.setType('http');
    return host;
  };
  const missing = new BearerError('missing_token', { reason: 'no_credentials' });
  const log = (refused: BearerError, host: ExecutionContextHost, times: number): void => {
    for (let time = 0; time < times; time += 1) logged.log(refused, host);
  };

  it('has 20 lines and a final count for 10,000 anonymous requests to one route', () => {
    for (let time = 0; time < 10_000; time += 1) {
      logged.log(missing, request('/api/orders/:id', { headers: { 'x-request-id': `request-${time}` } }));
    }
    expect(lines).toHaveLength(20);
    expect(lines[19]).toMatchObject({ message: 'Request refused', requestId: 'request-19' });
    logged.onApplicationShutdown();
    expect(lines.slice(20)).toEqual([
      {
        message: 'Request refused, and others for the same reason',
        code: 'missing_token',
        reason: 'no_credentials',
        method: 'GET',
        route: '/api/orders/:id',
        count: 9980,
        seconds: 10,
      },
    ]);
  });

  it('counts refusals by reason, route and issuer, but not by a text from the caller', () => {
    log(missing, request('/a'), 25);
    log(missing, request('/b'), 25);
    log(new BearerError('invalid_token', { reason: 'inactive', fields: { iss: ISSUER } }), request('/a'), 25);
    for (let time = 0; time < 50; time += 1) {
      const foreign = new BearerError('invalid_token', {
        reason: 'other_issuer',
        fields: { iss: `https://${time}.example` },
      });
      logged.log(foreign, request('/a', { method: `M${time}`, baseUrl: `/${time}` }));
      logged.log(missing, new ExecutionContextHost([{ method: 'GET', url: `/${time}` }]));
    }
    expect(lines.length).toBe(5 * 20);
    logged.onApplicationShutdown();
    const counts = lines.slice(5 * 20).map(({ reason, route, iss, count }) => [reason, route, iss, count]);
    expect(counts).toEqual([
      ['no_credentials', '/a', undefined, 5],
      ['no_credentials', '/b', undefined, 5],
      ['inactive', '/a', ISSUER, 5],
      ['other_issuer', '/a', undefined, 30],
      ['no_credentials', undefined, undefined, 30],
    ]);
  });

  it.each([
    new BearerError('insufficient_scope', { reason: 'permission_missing', permission: 'a' }),
    new BearerError('client_not_allowed', { reason: 'client_not_allowed' }),
  ])('has an audit line for every refusal of a verified caller: $code', (denial) => {
    log(denial, request('/a'), 2000);
    expect(lines).toHaveLength(2000);
    expect(lines.every(({ audit }) => audit === 'denial')).toBe(true);
  });

  it.each([
    'no_decorator_opens_it',
    'access_unclear',
    'context_without_carrier',
    'transport_without_headers',
    'context_shared',
  ] as const)('has 20 lines and no audit line for a closed route, where no caller is verified: %s', (reason) => {
    log(new BearerError('route_closed', { reason }), request('/a'), 10_000);
    expect(lines).toHaveLength(20);
    expect(lines.some((line) => 'audit' in line)).toBe(false);
    logged.onApplicationShutdown();
    expect(lines[20]).toMatchObject({ code: 'route_closed', reason, count: 9980 });
  });

  it('contains a later failure of Keycloak even after many refusals', () => {
    for (let route = 0; route < 2001; route += 1) log(missing, request(`/${route}`), 50);
    expect(lines).toHaveLength(1000);
    logged.log(new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' }), request('/a'));
    expect(lines[1000]).toMatchObject({ message: 'Request failed', route: '/a' });
    logged.onApplicationShutdown();
    const mixed = lines.filter(({ isMixed }) => isMixed === true);
    expect(mixed).toEqual([
      { message: 'Request refused, and requests with other reasons or routes', count: 50, seconds: 10, isMixed: true },
    ]);
  });
});
