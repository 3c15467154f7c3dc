import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StillClock } from '../../../spec-support/still-clock.js';
import { SILENT } from '../../resilience/component-log.js';
import { composeKeycloak, type ComposedKeycloak } from '../../module/compose-keycloak.js';
import { SignalFeed } from './signal-feed.js';
import type { Signals, SignalSource } from './signal-source.js';

const QUIET: Signals = { denials: [], rechecks: [], isWhole: true, isHealthy: true };

const AHEAD_MS = 5_000_000_000;

interface Poll {
  readonly fromMs: number;
  readonly atMs: number;
  readonly isWhole: boolean;
}

interface Turn {
  readonly fencing: number;
  readonly leaseSeconds: number;
  readonly pollSeconds: number;
  readonly comesTo: 'everything' | 'a part' | 'no answer';
}

let clock: StillClock;
let keycloak: ComposedKeycloak;
let feed: SignalFeed;
let polls: Poll[];
let claimedMs: number | undefined;
let turn: Turn;
let give: (() => void) | undefined;

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
};

beforeEach(() => {
  clock = new StillClock();
  [polls, give, claimedMs] = [[], undefined, undefined];
  compose();
});
afterEach(async () => {
  const stopping = feed.stop();
  give?.();
  await stopping;
});

function compose(introspectionTtlSeconds = 10): void {
  keycloak = composeKeycloak(
    { issuer: 'https://sso.example.com/realms/shop', clientId: 'shop', clientSecret: 'hush', introspectionTtlSeconds },
    { clock, loggers: () => SILENT },
  );
  keycloak.issuers[0].feed.prove = async (_, { sinceMs }) => {
    claimedMs = sinceMs - AHEAD_MS;
    return 'taken';
  };
}

const leaseOfNow = (fencing: number) => ({ fencing, grantedAtMs: clock.monotonicMs() + AHEAD_MS });

function follow(...sources: readonly SignalSource[]): void {
  feed = new SignalFeed(keycloak.issuers[0], keycloak.revocations, { sources, pollMs: 1 });
  feed.start();
}

function followByTurns(): void {
  keycloak.issuers[0].feed.lease = async () => {
    await new Promise<void>((resolve) => (give = resolve));
    const lease = leaseOfNow(turn.fencing);
    clock.advance(turn.leaseSeconds);
    return lease;
  };
  const poll = async (sinceMs: number): Promise<Signals> => {
    const isWhole = turn.comesTo === 'everything';
    const atMs = clock.monotonicMs();
    polls.push({ fromMs: atMs - sinceMs, atMs, isWhole });
    clock.advance(turn.pollSeconds);
    if (turn.comesTo === 'no answer') throw new Error('away');
    return { ...QUIET, isWhole };
  };
  follow({ name: 'events', connect: () => ({ poll }) });
}

async function take(changed: Partial<Turn> = {}): Promise<void> {
  await until(() => give !== undefined);
  turn = { fencing: 1, leaseSeconds: 0, pollSeconds: 1, comesTo: 'everything', ...changed };
  clock.advance(1);
  claimedMs = undefined;
  const go = give;
  give = undefined;
  go?.();
  await until(() => give !== undefined);
}

function receivedSinceMs(): number {
  const [last, ...before] = polls.filter(({ isWhole }) => isWhole).toReversed();
  let sinceMs = last?.fromMs ?? Infinity;
  for (const { fromMs, atMs } of before) {
    if (atMs < sinceMs) break;
    sinceMs = Math.min(sinceMs, fromMs);
  }
  return sinceMs;
}

describe('SignalFeed', () => {
  it('sends a proof for the time since the first poll if the polls leave no gap', async () => {
    followByTurns();
    for (let turns = 0; turns < 3; turns += 1) await take();
    expect(claimedMs).toBeGreaterThanOrEqual(receivedSinceMs());
    expect(claimedMs).toBe(polls[0]?.atMs ?? 0);
  });

  it.each<[string, readonly Partial<Turn>[]]>([
    ['the lease request is slow', [{ leaseSeconds: 2 }]],
    ['the lease request is slow, and another replica had the lease', [{}, { fencing: 3, leaseSeconds: 2 }]],
    ['polls are slow', [{ pollSeconds: 3 }, { pollSeconds: 3 }, {}]],
    ['a poll was incomplete', [{}, {}, { comesTo: 'a part' }, {}]],
    ['a slow poll was incomplete', [{}, { comesTo: 'a part', pollSeconds: 3 }, { leaseSeconds: 2 }, {}]],
    ['two polls got no answer', [{}, { comesTo: 'no answer', pollSeconds: 3 }, { comesTo: 'no answer' }, {}]],
    ['a poll got no answer for more than ten minutes', [{}, { comesTo: 'no answer', pollSeconds: 700 }, {}]],
    ['another replica had the lease for a minute', [{}, { comesTo: 'no answer', pollSeconds: 60 }, { fencing: 5 }]],
    [
      'another replica had the lease for more than ten minutes',
      [{}, { comesTo: 'no answer', pollSeconds: 700 }, { fencing: 5 }, { fencing: 5 }],
    ],
  ])('sends a proof only for the time that its polls cover: %s', async (_, turns) => {
    followByTurns();
    for (const one of turns) await take(one);
    expect(claimedMs).toBeGreaterThanOrEqual(receivedSinceMs());
  });

  it.each<[string, number, number, number?]>([
    ['since the first poll if a poll got no answer for five seconds', 5, 0],
    ['since the next answered poll if a poll got no answer for twelve seconds', 12, 2],
    [
      'since the next answered poll if a poll got no answer for twelve seconds and results are cached for a minute',
      12,
      2,
      60,
    ],
  ])('sends a proof for the time %s', async (_, seconds, poll, introspectionTtlSeconds = 10) => {
    compose(introspectionTtlSeconds);
    followByTurns();
    for (const one of [{}, { comesTo: 'no answer', pollSeconds: seconds }, {}, {}] as const) await take(one);
    expect(polls[2]?.fromMs).toBeLessThanOrEqual(polls[0]?.atMs ?? 0);
    expect(claimedMs).toBe(polls[poll]?.atMs);
  });

  it.each<[string, number, boolean]>([
    ["since the start of another replica's healthy time if that time ended two seconds ago", 2000, true],
    ['since its own first poll if the healthy time of another replica ended a minute ago', 60_000, false],
  ])('sends a proof for the time %s', async (_, agoMs, isCarriedOn) => {
    clock.advance(1000);
    const nowMs = clock.monotonicMs();
    const sinceMs = nowMs - 600_000;
    keycloak.issuers[0].signals.prove({ sinceMs, untilMs: nowMs - agoMs });
    followByTurns();
    await take();
    await take();
    const from = isCarriedOn ? sinceMs : (polls[0]?.atMs ?? 0);
    expect(claimedMs).toBeGreaterThanOrEqual(from);
    expect(claimedMs).toBeLessThanOrEqual(from + 1000);
  });

  it('sends a proof only for the time since all its sources have answered', async () => {
    let isAway = true;
    let beganMs = Infinity;
    keycloak.issuers[0].feed.lease = async () => {
      clock.advance(1);
      return leaseOfNow(1);
    };
    const of = (name: string, poll: (sinceMs: number) => Promise<Signals>): SignalSource => ({
      name,
      connect: () => ({ poll }),
    });
    let asked = 0;
    follow(
      of('events', async () => {
        asked += 1;
        return QUIET;
      }),
      of('other', async (sinceMs) => {
        if (isAway) throw new Error('away');
        beganMs = Math.min(beganMs, clock.monotonicMs() - sinceMs);
        return QUIET;
      }),
    );
    await until(() => asked > 5);
    isAway = false;
    await until(() => claimedMs !== undefined);
    expect(claimedMs).toBeGreaterThanOrEqual(beganMs);
  });
});
