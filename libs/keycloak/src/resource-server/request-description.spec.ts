import { describe, expect, it } from '@jest/globals';
import { describeRequest } from './request-description.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

describe('the request description in a log line', () => {
  it.each<[string, object, object]>([
    [
      'Fastify',
      { method: 'GET', routeOptions: { url: '/api/orders/:id' }, headers: {} },
      { method: 'GET', route: '/api/orders/:id' },
    ],
    [
      'Express',
      { method: 'POST', baseUrl: '/api', route: { path: '/orders/:id' } },
      { method: 'POST', route: '/api/orders/:id' },
    ],
    ['an unknown route', { method: 'GET', routeOptions: {}, url: '/secret?x=1' }, { method: 'GET' }],
    [
      'a long route',
      { routeOptions: { url: '/api/v1/administration/users' } },
      { route: '/api/v1/administration/users' },
    ],
    ['no headers', { headers: null }, {}],
    ['nothing', {}, {}],
  ])('is built for %s', (_, request, described) => {
    expect(describeRequest(request)).toEqual(described);
  });

  it('contains the request id and the trace id if they are well-formed', () => {
    const headers = { 'x-request-id': 'r-1.2', traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
    expect(describeRequest({ headers })).toEqual({ requestId: 'r-1.2', traceId: TRACE });
    for (const odd of ['a b', 'x'.repeat(65), 'a\nERROR', ['a', 'b'], undefined]) {
      expect(describeRequest({ headers: { 'x-request-id': odd, traceparent: odd } })).toEqual({});
    }
  });

  it.each([undefined, null, 'text'])('is empty for %p', (request) => {
    expect(describeRequest(request)).toEqual({});
  });
});
