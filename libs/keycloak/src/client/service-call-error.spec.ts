import { describe, expect, it } from '@jest/globals';
import { safeBody, ServiceCallError, type ServiceCallErrorCode } from './service-call-error.js';

describe('ServiceCallError', () => {
  it.each<[ServiceCallErrorCode, number, string, object]>([
    ['service_unavailable', 503, 'Next service unavailable', { 'Retry-After': '5' }],
    ['service_timeout', 504, 'Next service timed out', {}],
    ['service_refused', 502, 'Next service refused this service', {}],
    ['service_failed', 502, 'Next service failed', {}],
  ])('has the status, body and headers of its code %s', (code, status, error, headers) => {
    const refusal = new ServiceCallError(code, 'service-c', 'answered_500', {
      status: 500,
      body: { code: 'their_code' },
    });
    expect(refusal.httpStatus).toBe(status);
    expect(refusal.toBody(false)).toStrictEqual({ error, code });
    expect(refusal.toBody(true)).toStrictEqual({ error, code, reason: 'answered_500' });
    expect(refusal.toHeaders('service-b')).toStrictEqual(headers);
  });

  it('has the called service and its answer in the log fields', () => {
    const refusal = new ServiceCallError('service_failed', 'service-c', 'answered_500', {
      status: 500,
      body: { code: 'broken' },
    });
    expect(refusal.fields).toEqual({ called: 'service-c', answered: 500, answer: { code: 'broken' } });
  });
});

describe('safeBody', () => {
  it.each<[unknown, object]>([
    [undefined, {}],
    [null, {}],
    ['text', {}],
    [['error'], {}],
    [{ error: 1, code: {}, permission: null }, {}],
    [
      { error: 'e', code: 'c', permission: 'orders.read', stack: 's', token: 't' },
      { code: 'c', permission: 'orders.read' },
    ],
    [{ code: 'x'.repeat(65), permission: 'x'.repeat(65) }, {}],
    [{ code: 'two words', permission: 'Prüfer für Aufträge' }, { permission: 'Prüfer für Aufträge' }],
    [{ permission: 'two  blanks' }, {}],
    [{ permission: ' blank' }, {}],
    [{ permission: '<b>' }, {}],
    [{ permission: 'line\nbreak' }, {}],
    [Object.create({ code: 'inherited' }), {}],
  ])('keeps only the known members of %j', (answer, safe) => {
    expect(safeBody(answer, 'eyJhbGciOi.J9.sig')).toStrictEqual(safe);
  });

  it('drops members of the answer that contain a part of the token (RS-23)', () => {
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';
    expect(safeBody({ code: token.slice(0, 64), permission: token.slice(5, 40) }, token)).toStrictEqual({});
  });
});
