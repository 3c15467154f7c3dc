import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it } from '@jest/globals';
import { BearerError } from '../protocol/bearer-error.js';
import { REFUSAL_CHANNEL, REFUSAL_REASON_CHANNEL, publishRefusal } from './refusal-channel.js';

describe('the refusal channel', () => {
  it('reports the code, the status and the permission, but not the reason', () => {
    const told: unknown[] = [];
    const listen = (message: unknown): void => void told.push(message);
    subscribe(REFUSAL_CHANNEL, listen);
    publishRefusal(
      new BearerError('insufficient_scope', { reason: 'permission_missing', permission: 'orders.approve' }),
    );
    publishRefusal(new BearerError('invalid_token', { reason: 'revoked' }));
    unsubscribe(REFUSAL_CHANNEL, listen);
    publishRefusal(new BearerError('invalid_token', { reason: 'revoked' }));
    expect(told).toEqual([
      { code: 'insufficient_scope', status: 403, permission: 'orders.approve' },
      { code: 'invalid_token', status: 401 },
    ]);
    expect(told.every((message) => Object.isFrozen(message))).toBe(true);
  });

  it('has a second channel for operators that reports the reason, but not the permission', () => {
    const told: unknown[] = [];
    const listen = (message: unknown): void => void told.push(message);
    subscribe(REFUSAL_REASON_CHANNEL, listen);
    const details = {
      reason: 'permission_missing',
      permission: 'orders.approve',
      detail: 'a line for the log',
    } as const;
    publishRefusal(new BearerError('insufficient_scope', details));
    unsubscribe(REFUSAL_REASON_CHANNEL, listen);
    publishRefusal(new BearerError('insufficient_scope', details));
    expect(told).toEqual([{ code: 'insufficient_scope', reason: 'permission_missing', status: 403 }]);
    expect(told.every((message) => Object.isFrozen(message))).toBe(true);
  });
});
