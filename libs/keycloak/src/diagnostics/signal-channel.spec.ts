import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it } from '@jest/globals';
import { publishSignals, SIGNAL_CHANNEL } from './signal-channel.js';

const ISSUER = 'https://sso.example.com/realms/shop';

describe('the signal channel', () => {
  it('reports the number and the time of events, but no names of users', () => {
    const told: unknown[] = [];
    const listen = (message: unknown): void => void told.push(message);
    subscribe(SIGNAL_CHANNEL, listen);
    publishSignals(ISSUER, 'events', { denials: [{ sid: 's1' }], rechecks: [{ sub: 'bob' }, 'everything'] });
    publishSignals(ISSUER, 'events', { denials: [], rechecks: ['everything'], occurredAtMs: 1_800_000_000_123 });
    publishSignals(ISSUER, 'events', { denials: [], rechecks: [], occurredAtMs: 1_800_000_000_123 });
    unsubscribe(SIGNAL_CHANNEL, listen);
    publishSignals(ISSUER, 'events', { denials: [{ sid: 's2' }], rechecks: [] });
    expect(told).toEqual([
      { issuer: ISSUER, source: 'events', denials: 1, rechecks: 2 },
      { issuer: ISSUER, source: 'events', denials: 0, rechecks: 1, occurredAtMs: 1_800_000_000_123 },
    ]);
    expect(told.every((message) => Object.isFrozen(message))).toBe(true);
  });
});
