import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { testAccessToken } from '../testing/test-access-token.js';
import { HeldConnections, type Reverify } from './held-connections.js';
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

const inactive: Reverify = async () => {
  throw new BearerError('invalid_token', { reason: 'inactive' });
};

const noAnswer: Reverify = async () => {
  throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' });
};

describe('HeldConnections', () => {
  it('keeps a connection open while its token is valid', async () => {
    const { held, state } = connection();
    connections.hold(held, token(), () => token());
    await pass(100);
    expect(state.closed).toBe(0);
    expect(connections.size).toBe(1);
  });

  it('closes and logs no connection that has ended before the denial', async () => {
    const { held, state } = connection();
    connections.hold(held, token(), () => token());
    state.isOpen = false;
    denied = true;
    tellDenied();
    await pass(1);
    expect([state.closed, lines, connections.size]).toEqual([0, [], 0]);
  });

  it('releases a connection before the next periodic check, and ignores a pending refusal of its token', async () => {
    const { held, state } = connection();
    let refuse: (error: Error) => void = () => {};
    connections.hold(held, token(), () => new Promise((_, reject) => (refuse = reject)));
    await pass(1);
    connections.release(state);
    expect(connections.size).toBe(0);
    refuse(new BearerError('invalid_token', { reason: 'inactive' }));
    await pass(1);
    expect([state.closed, lines]).toEqual([0, []]);
  });

  it('closes a connection when its token expires', async () => {
    const { held, state } = connection();
    const ending = token(30);
    connections.hold(held, ending, () => ending);
    await pass(29);
    expect(state.closed).toBe(0);
    await pass(2);
    expect(state.closed).toBe(1);
    expect(connections.size).toBe(0);
  });

  it('closes a connection immediately when its token is denied', async () => {
    const { held, state } = connection();
    connections.hold(held, token(), () => token());
    denied = true;
    tellDenied();
    await jest.advanceTimersByTimeAsync(0);
    expect(state.closed).toBe(1);
    expect(lines).toMatchObject([
      { message: 'Connection closed: its token is no longer valid', reason: 'revoked', sub: 'test-subject' },
    ]);
  });

  it('closes a connection if introspection finds its token inactive', async () => {
    const { held, state } = connection();
    connections.hold(held, token(), inactive);
    await pass(6);
    expect(state.closed).toBe(1);
  });

  describe('HeldConnections after the process was stopped for a minute', () => {
    async function stop(reverify: Reverify) {
      const { held, state } = connection();
      let current: Reverify = () => token();
      connections.hold(held, token(), async (maxStaleness) => current(maxStaleness));
      await pass(5);
      current = reverify;
      nowMs += 60_000;
      await pass(1);
      return state;
    }

    it('verifies a token immediately, and keeps its connection open if the token is valid', async () => {
      let verified = 0;
      const state = await stop(async () => {
        verified += 1;
        return token();
      });
      expect([state.closed, verified]).toEqual([0, 1]);
      await pass(100);
      expect(state.closed).toBe(0);
    });

    it('closes a connection immediately if its token is now inactive', async () => {
      expect((await stop(inactive)).closed).toBe(1);
    });

    it('closes a connection in time if the authorization server does not answer', async () => {
      const state = await stop(noAnswer);
      await pass(15);
      expect(state.closed).toBe(1);
    });
  });

  describe('HeldConnections for a connection that was admitted with a nearly expired result', () => {
    function cachedAnswer() {
      const endedMs = nowMs + 1;
      let askedMs = nowMs;
      const reverify: Reverify = async (maxStaleness) => {
        if (nowMs - askedMs >= Math.min(maxStaleness, 10) * 1000) askedMs = nowMs;
        if (askedMs > endedMs) throw new BearerError('invalid_token', { reason: 'inactive' });
        return token();
      };
      return reverify;
    }

    it('closes the connection within the TTL plus a second', async () => {
      const reverify = cachedAnswer();
      await pass(9);
      const { held, state } = connection();
      connections.hold(held, await reverify(10), reverify);
      await pass(2);
      expect(state.closed).toBe(1);
    });

    it('closes the connection within the TTL plus a second, despite messages with the same token', async () => {
      const reverify = cachedAnswer();
      const same = token();
      const { held, state } = connection();
      connections.hold(held, same, reverify);
      for (let second = 0; second < 9; second += 1) {
        await pass(1);
        if (state.isOpen) connections.hold(held, same, reverify);
      }
      await pass(2);
      expect(state.closed).toBe(1);
    });

    it('closes the connection within twice the TTL if the authorization server does not answer', async () => {
      const { held, state } = connection();
      await pass(9);
      connections.hold(held, token(), noAnswer);
      await pass(12);
      expect(state.closed).toBe(1);
    });
  });

  it('does not introspect a token if a signature check opened the connection', async () => {
    const { held } = connection();
    const asked: number[] = [];
    connections.hold(held, token(), async (staleness) => (asked.push(staleness), token()), NO_ANSWER_NEEDED);
    await pass(30);
    expect(asked.length).toBeGreaterThan(4);
    expect(new Set(asked)).toEqual(new Set([NO_ANSWER_NEEDED]));
  });

  it('introspects a token that once needed introspection, even if later messages need only a signature', async () => {
    const { held } = connection();
    const its = token();
    const asked: number[] = [];
    const reverify: Reverify = async (staleness) => (asked.push(staleness), its);
    connections.hold(held, its, reverify, ANY_ANSWER);
    for (let second = 0; second < 30; second += 1) {
      await pass(1);
      connections.hold(held, its, reverify, NO_ANSWER_NEEDED);
    }
    expect(asked.length).toBeGreaterThan(4);
    expect(new Set(asked)).toEqual(new Set([5]));
    const other = connection();
    const askedLater: number[] = [];
    const later: Reverify = async (staleness) => (askedLater.push(staleness), its);
    connections.hold(other.held, its, later, NO_ANSWER_NEEDED);
    connections.hold(other.held, its, later, 0);
    await pass(10);
    expect(new Set(askedLater)).toEqual(new Set([5]));
  });

  it('verifies a token again immediately after a recheck', async () => {
    const { held, state } = connection();
    connections.hold(held, token(), inactive);
    tellRecheck();
    await pass(1);
    expect(state.closed).toBe(1);
  });

  it('verifies a token once more if a recheck arrives while a verification is pending', async () => {
    const { held, state } = connection();
    let land: (token: VerifiedAccessToken) => void = () => undefined;
    let verified = 0;
    connections.hold(held, token(), () => {
      verified += 1;
      if (verified > 1) return inactive(0);
      return new Promise<VerifiedAccessToken>((resolve) => {
        land = resolve;
      });
    });
    await pass(6);
    tellRecheck();
    land(token());
    await pass(1);
    expect([verified, state.closed]).toEqual([2, 1]);
  });

  it('closes a connection if its token has no result for one and a half TTLs', async () => {
    const { held, state } = connection();
    let reverify: Reverify = () => token();
    connections.hold(held, token(), () => reverify(0));
    await pass(50);
    reverify = noAnswer;
    await pass(9);
    expect(state.closed).toBe(0);
    await pass(7);
    expect(state.closed).toBe(1);
  });

  it('verifies each token twice per TTL, with few concurrent calls', async () => {
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

  it('verifies no token again after many simultaneous denials', async () => {
    const { held } = connection();
    let verified = 0;
    connections.hold(held, token(), () => {
      verified += 1;
      return token();
    });
    for (let at = 0; at < 100; at += 1) tellDenied();
    await jest.advanceTimersByTimeAsync(0);
    expect(verified).toBe(0);
  });

  it('has at most one pending verification per token', async () => {
    const { held } = connection();
    let asked = 0;
    connections.hold(held, token(), () => {
      asked += 1;
      return new Promise(() => {});
    });
    await pass(15);
    expect(asked).toBe(1);
  });

  it('forgets connections that are already closed, and then stops its timer', async () => {
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

  it('ignores the refusal of a token if a newer verification has accepted the token', async () => {
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

  it('closes a connection with several tokens once, when the first token expires', async () => {
    const { held, state } = connection();
    const ending = token(5);
    connections.hold(held, ending, () => ending);
    connections.hold(held, token(), () => token());
    await pass(7);
    expect(state.closed).toBe(1);
    expect(connections.size).toBe(0);
  });

  it('closes all connections even if the close of one connection throws an error', async () => {
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

  it('closes thousands of connections of one token when introspection finds the token inactive', async () => {
    const shared = token();
    let isKnown = false;
    const reverify: Reverify = () => {
      if (isKnown) throw new BearerError('invalid_token', { reason: 'inactive' });
      isKnown = true;
      return inactive(0);
    };
    const many = Array.from({ length: 10_000 }, connection);
    for (const { held } of many) connections.hold(held, shared, reverify);
    await pass(1);
    expect([connections.size, many.every(({ state }) => state.closed === 1)]).toEqual([0, true]);
  });
});
