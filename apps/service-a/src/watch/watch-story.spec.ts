import { describe, expect, it } from '@jest/globals';
import { causeOf, storyOf, type WatchedService } from './watch-story.js';
import type { TokenState } from './watched-token.js';

const NOW = 1_800_000_000_000;

const at = (letter: string, state: TokenState, refusedAtMs?: number): WatchedService => ({
  service: `Service ${letter}`,
  state,
  refusedAtMs,
});
const refusedAt = (letter: string, ms: number): WatchedService => at(letter, 'refused', NOW + ms);

describe('the report about the tokens of a session', () => {
  it('begins with the services that accept the tokens of the session', () => {
    expect(storyOf([at('A', 'unknown')], [])).toMatchObject({
      kind: 'watching',
      headline: 'Service A tries the token of your session',
      services: [{ words: 'has not answered yet' }],
    });
    expect(storyOf([at('A', 'accepted')], []).headline).toBe('Your session is active: Service A accepts its token');
    const all = storyOf([at('A', 'accepted'), at('B', 'accepted'), at('C', 'accepted')], []);
    expect([all.headline, all.counted]).toEqual([
      'Your session is active: Services A, B and C accept its tokens',
      undefined,
    ]);
  });

  it('measures the delay from the time of the event if a signal reported the event', () => {
    const received = [{ receivedAtMs: NOW + 500, occurredAtMs: NOW }];
    const story = storyOf([refusedAt('A', 560), refusedAt('B', 700), refusedAt('C', 680)], received);
    expect(story).toEqual({
      kind: 'refused',
      headline: 'Refused 0.7 s later, at A, B and C',
      services: [
        { service: 'Service A', state: 'refused', words: 'refused after 0.6 s' },
        { service: 'Service B', state: 'refused', words: 'refused after 0.7 s' },
        { service: 'Service C', state: 'refused', words: 'refused after 0.7 s' },
      ],
      counted: "Counted from the time of the event in Keycloak's log.",
    });
  });

  it('measures the delay from the first refusal if no signal arrived earlier', () => {
    const story = storyOf([refusedAt('A', 20), refusedAt('B', 110), refusedAt('C', 0)], []);
    expect(story.headline).toBe('Refused at A and C, and 0.1 s later at B');
    expect(story.services.map(({ words }) => words)).toEqual(['refused first', 'refused 0.1 s later', 'refused first']);
    expect(story.counted).toMatch(/^Counted from the first refusal/);
  });

  it('shows that a service still accepts a token, or that a token has expired', () => {
    const story = storyOf([refusedAt('A', 0), at('B', 'accepted'), at('C', 'expired')], []);
    expect(story.headline).toBe('Refused at A; Service B still accepts the session');
    expect(story.services[2]?.words).toBe('its token has expired');
  });

  it('does not report an expired token as refused', () => {
    expect(storyOf([at('A', 'expired'), at('B', 'accepted')], [])).toMatchObject({
      kind: 'expired',
      headline: 'The token of your session at Service A has expired',
    });
  });
});

describe('the cause of a refusal', () => {
  it.each([
    ['is unknown if no signal was received', [], undefined],
    ['is an event whose signal arrived shortly before the refusal', [[-100, -700]], -700],
    ['is an earlier event whose signal arrived shortly after the refusal', [[900, -40]], -40],
    ['is not an event after the refusal', [[900, 30]], undefined],
    ['is not an event whose signal arrived long before the refusal', [[-5000, -5500]], undefined],
    ['is not an event whose signal arrived long after the refusal', [[5000, -40]], undefined],
  ] as const)('%s', (_, received, cause) => {
    const messages = received.map(([receivedMs, occurredMs]) => ({
      receivedAtMs: NOW + receivedMs,
      occurredAtMs: NOW + occurredMs,
    }));
    expect(causeOf(NOW, messages)).toBe(cause === undefined ? undefined : NOW + cause);
  });

  it('is the latest event before the refusal', () => {
    const received = [-900, -300, 200].map((ms) => ({ receivedAtMs: NOW, occurredAtMs: NOW + ms }));
    expect(causeOf(NOW, received)).toBe(NOW - 300);
  });
});
