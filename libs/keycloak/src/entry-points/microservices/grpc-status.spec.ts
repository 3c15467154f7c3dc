import { describe, expect, it } from '@jest/globals';
import { ServiceCallError } from '../../index.js';
import { grpcStatus } from './grpc-status.js';

describe('grpcStatus', () => {
  it.each([
    [400, 3],
    [401, 16],
    [403, 7],
    [404, 5],
    [409, 10],
    [429, 8],
    [503, 14],
    [504, 4],
    [502, 13],
    [418, 13],
  ])('maps %i to %i', (status, code) => {
    expect(grpcStatus(status)).toBe(code);
  });

  it('maps the status of the called service if the error has isPassedOn', () => {
    const failure = new ServiceCallError('service_failed', 'stock', 'answered_404', { status: 404, isPassedOn: true });
    expect(grpcStatus(failure.httpStatus)).toBe(5);
  });
});
