import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { testAccessToken } from '../testing/test-access-token.js';
import { HeldConnections, type Rejudge } from './held-connections.js';
import { ANY_ANSWER, NO_ANSWER_NEEDED } from './verification.js';

let nowMs: number;
let denied: boolean;
let tellDenied: () => void;
let tellRecheck: () => void;
let connections: HeldConnections;

const lines: object[] = [];
const log = { log: (message: string, fields: object) => void lines.push({ message, ...fields }) };

const clock = { monotonicMs: () => nowMs, epochSeconds: () => nowMs / 1000 };

beforeEach(() => {
  jest.useFakeTimers();
  nowMs = Date.now();
  denied = false;
  lines.length = 0;
  const revocations = {
    denies: () => denied,
    onDenied: (listener: () => void) => {
      tellDenied = listener;
    },
    onRecheck: (listener: () => void) => {
      tellRecheck = listener;
    },
  };
  connections = new HeldConnections({ introspectionTtlSeconds: 10, maxConcurrentCalls: 20 }, clock, revocations, log);
});

afterEach(() => {
  jest.useRealTimers();
});

const token = (expiresInSeconds = 300): VerifiedAccessToken => testAccessToken({ expiresInSeconds });

function connection() {
  const state = { isOpen: true, closed: 0 };
  const close = (): void => {
    state.isOpen = false;
    state.closed += 1;
  };
  return { state, held: { key: state, isOpen: () => state.isOpen, close } };
}

async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    nowMs += 1000;
    await jest.advanceTimersByTimeAsync(1000);
  }
}

const inactive: Rejudge = async () => {
  throw new BearerError('invalid_token', { reason: 'inactive' });
};

const noAnswer: Rejudge = async () => {
  throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' });
};

describe('HeldConnections', () => {
  it('keeps one whose token stays good', async () => {
    const { held, state } = connection();
    connections.hold(held, token(), () => token());
    await pass(100);
    expect(state.closed).toBe(0);
    expect(connections.size).toBe(1);
  });

  it('closes one when its token expires, and not before', async () => {
    const { held, state } = connection();
    const ending = token(30);
    connections.hold(held, ending, () => ending);
    await pass(29);
    expect(state.closed).toBe(0);
    await pass(2);
    expect(state.closed).toBe(1);
    expect(connections.size).toBe(0);
  });

  it('closes one at once when its token is denied', async () => {
    const { held, state } = connection();
    connections.hold(held, token(), () => token());
    denied = true;
    tellDenied();
    await jest.advanceTimersByTimeAsync(0);
    expect(state.closed).toBe(1);
    expect(lines).toMatchObject([
      { message: 'Connection closed: its token is good no more', reason: 'revoked', sub: 'test-subject' },
    ]);
  });

  it('closes one whose token is judged good no more', async () => {
    const { held, state } = connection();
    connections.hold(held, token(), inactive);
    await pass(6);
    expect(state.closed).toBe(1);
  });

  describe('while this process was stopped for a minute', () => {
    /** The timers fire late, and only once. */
    async function stop(judge: Rejudge) {
      const { held, state } = connection();
      let current: Rejudge = () => token();
      connections.hold(held, token(), async (maxStaleness) => current(maxStaleness));
      await pass(5);
      current = judge;
      nowMs += 60_000;
      await pass(1);
      return state;
    }

    it('keeps one whose token stays good, and has it judged at once', async () => {
      let judged = 0;
      const state = await stop(async () => {
        judged += 1;
        return token();
      });
      expect([state.closed, judged]).toEqual([0, 1]);
      await pass(100);
      expect(state.closed).toBe(0);
    });

    it('closes one at once whose token has ended meanwhile', async () => {
      expect((await stop(inactive)).closed).toBe(1);
    });

    it('closes one for which there comes no answer, in its time', async () => {
      const state = await stop(noAnswer);
      await pass(15);
      expect(state.closed).toBe(1);
    });
  });

  describe('that was admitted by an answer which is nearly as old as an answer may be', () => {
    /**
     * Like `CachedIntrospection`: reuses one result for all calls that accept its age. The token becomes inactive right
     * after the first introspection.
     */
    function cachedAnswer() {
      const endedMs = nowMs + 1;
      let askedMs = nowMs;
      const judge: Rejudge = async (maxStaleness) => {
        if (nowMs - askedMs >= Math.min(maxStaleness, 10) * 1000) askedMs = nowMs;
        if (askedMs > endedMs) throw new BearerError('invalid_token', { reason: 'inactive' });
        return token();
      };
      return judge;
    }

    it('is closed within the window and a second', async () => {
      const judge = cachedAnswer();
      await pass(9);
      const { held, state } = connection();
      connections.hold(held, await judge(10), judge);
      await pass(2);
      expect(state.closed).toBe(1);
    });

    it('is closed so, too, when a message came by that answer', async () => {
      const judge = cachedAnswer();
      const same = token();
      const { held, state } = connection();
      connections.hold(held, same, judge);
      for (let second = 0; second < 9; second += 1) {
        await pass(1);
        if (state.isOpen) connections.hold(held, same, judge);
      }
      await pass(2);
      expect(state.closed).toBe(1);
    });

    it('is closed after twice the window when there comes no other', async () => {
      const { held, state } = connection();
      await pass(9);
      connections.hold(held, token(), noAnswer);
      await pass(12);
      expect(state.closed).toBe(1);
    });
  });

  it('judges one by its signature that was admitted by that, and asks nobody', async () => {
    const { held } = connection();
    const asked: number[] = [];
    connections.hold(held, token(), async (staleness) => (asked.push(staleness), token()), NO_ANSWER_NEEDED);
    await pass(30);
    expect(asked.length).toBeGreaterThan(4);
    expect(new Set(asked)).toEqual(new Set([NO_ANSWER_NEEDED]));
  });

  it('goes on asking for one that was admitted by an answer, whatever is admitted over it by a signature', async () => {
    const { held } = connection();
    const its = token();
    const asked: number[] = [];
    const rejudge: Rejudge = async (staleness) => (asked.push(staleness), its);
    connections.hold(held, its, rejudge, ANY_ANSWER);
    for (let second = 0; second < 30; second += 1) {
      await pass(1);
      connections.hold(held, its, rejudge, NO_ANSWER_NEEDED);
    }
    expect(asked.length).toBeGreaterThan(4);
    expect(new Set(asked)).toEqual(new Set([5]));
    const other = connection();
    const askedLater: number[] = [];
    const later: Rejudge = async (staleness) => (askedLater.push(staleness), its);
    connections.hold(other.held, its, later, NO_ANSWER_NEEDED);
    connections.hold(other.held, its, later, 0);
    await pass(10);
    expect(new Set(askedLater)).toEqual(new Set([5]));
  });

  it('judges anew at once when there is a recheck', async () => {
    const { held, state } = connection();
    connections.hold(held, token(), inactive);
    tellRecheck();
    await pass(1);
    expect(state.closed).toBe(1);
  });

  it('judges once more when the recheck came while the answer was on its way', async () => {
    const { held, state } = connection();
    let land: (token: VerifiedAccessToken) => void = () => undefined;
    let judged = 0;
    connections.hold(held, token(), () => {
      judged += 1;
      if (judged > 1) return inactive(0);
      return new Promise<VerifiedAccessToken>((resolve) => {
        land = resolve;
      });
    });
    await pass(6);
    tellRecheck();
    land(token());
    await pass(1);
    expect([judged, state.closed]).toEqual([2, 1]);
  });

  it('closes one when there is no answer for one and a half windows after the last one', async () => {
    const { held, state } = connection();
    let rejudge: Rejudge = () => token();
    connections.hold(held, token(), () => rejudge(0));
    await pass(50);
    rejudge = noAnswer;
    await pass(9);
    expect(state.closed).toBe(0);
    await pass(7);
    expect(state.closed).toBe(1);
  });

  it('judges each twice in a window, by an answer of half its age, and half of maxConcurrentCalls at once', async () => {
    const ages: number[] = [];
    let under = 0;
    let most = 0;
    for (let at = 0; at < 50; at += 1) {
      const { held } = connection();
      const own = token();
      connections.hold(held, own, async (maxStaleness) => {
        ages.push(maxStaleness);
        under += 1;
        most = Math.max(most, under);
        await Promise.resolve();
        under -= 1;
        return own;
      });
    }
    await pass(4);
    expect(ages).toEqual(Array.from({ length: 50 }, () => 5));
    expect(most).toBe(10);
    await pass(3);
    expect(ages).toEqual(Array.from({ length: 100 }, () => 5));
  });

  it('looks for the denied ones once, however many are denied at a time, and judges none', async () => {
    const { held } = connection();
    let judged = 0;
    connections.hold(held, token(), () => {
      judged += 1;
      return token();
    });
    for (let at = 0; at < 100; at += 1) tellDenied();
    await jest.advanceTimersByTimeAsync(0);
    expect(judged).toBe(0);
  });

  it('asks about a token one at a time, however long an answer takes', async () => {
    const { held } = connection();
    let asked = 0;
    connections.hold(held, token(), () => {
      asked += 1;
      return new Promise(() => {});
    });
    await pass(15);
    expect(asked).toBe(1);
  });

  it('lets go of those that were closed by others, and then does nothing more', async () => {
    const { held, state } = connection();
    connections.hold(held, token(), () => token());
    state.isOpen = false;
    await pass(1);
    expect(connections.size).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
    const next = connection();
    connections.hold(next.held, token(), inactive);
    await pass(6);
    expect(next.state.closed).toBe(1);
  });

  it('goes by what was said last of a token', async () => {
    const { held, state } = connection();
    let refuse: (error: Error) => void = () => {};
    const same = token();
    connections.hold(held, same, () => new Promise((_, reject) => (refuse = reject)));
    await pass(6);
    connections.hold(held, same, () => same);
    refuse(new BearerError('invalid_token', { reason: 'inactive' }));
    await pass(1);
    expect(state.closed).toBe(0);
  });

  it('closes one over which several tokens came when any of them ends, once', async () => {
    const { held, state } = connection();
    const ending = token(5);
    connections.hold(held, ending, () => ending);
    connections.hold(held, token(), () => token());
    await pass(7);
    expect(state.closed).toBe(1);
    expect(connections.size).toBe(0);
  });

  it('looks at all the others when one throws as it is closed', async () => {
    const [first, second] = [connection(), connection()];
    const throwing = {
      ...first.held,
      close: () => {
        throw new Error('closed already');
      },
    };
    connections.hold(throwing, token(), inactive);
    connections.hold(second.held, token(), inactive);
    await pass(6);
    expect(second.state.closed).toBe(1);
    expect(connections.size).toBe(0);
  });

  it('closes thousands of one token when it is found inactive', async () => {
    const shared = token();
    // The first calls wait for the result. Later calls fail synchronously.
    let isKnown = false;
    const rejudge: Rejudge = () => {
      if (isKnown) throw new BearerError('invalid_token', { reason: 'inactive' });
      isKnown = true;
      return inactive(0);
    };
    const many = Array.from({ length: 10_000 }, connection);
    for (const { held } of many) connections.hold(held, shared, rejudge);
    await pass(1);
    expect([connections.size, many.every(({ state }) => state.closed === 1)]).toEqual([0, true]);
  });
});
