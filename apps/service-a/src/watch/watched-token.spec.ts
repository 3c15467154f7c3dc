import { describe, expect, it } from '@jest/globals';
import type { AttackAnswer, KnownToken } from 'demo';
import { WatchedToken } from './watched-token.js';

const ACCEPTED: AttackAnswer = { status: 200 };
const REFUSED: AttackAnswer = { status: 401, code: 'invalid_token' };
const UNABLE: AttackAnswer = { status: 503 };

const LIVES_LONG = Date.now() / 1000 + 600;

function known(expiresAt: number, ...answers: readonly (AttackAnswer | (() => AttackAnswer))[]): KnownToken {
  let times = 0;
  return {
    service: 'Service C',
    expiresAt,
    present: async () => {
      times += 1;
      const answer = answers[Math.min(times, answers.length) - 1] ?? ACCEPTED;
      return typeof answer === 'function' ? answer() : answer;
    },
  };
}

async function statesOf(token: WatchedToken): Promise<readonly string[]> {
  const states: string[] = [token.state];
  await token.run(new AbortController().signal, () => void states.push(token.state));
  return states;
}

const watched = (token: KnownToken, renew?: () => Promise<KnownToken>): WatchedToken =>
  new WatchedToken(token, { everyMs: 1, ...(renew === undefined ? {} : { renew }) });

describe('a token that is sent until a service refuses it', () => {
  it('counts as accepted until a service refuses the token', async () => {
    const token = watched(known(LIVES_LONG, ACCEPTED, ACCEPTED, REFUSED));
    const before = Date.now();
    expect(await statesOf(token)).toEqual(['unknown', 'accepted', 'refused']);
    expect(token.refusedAtMs).toBeGreaterThanOrEqual(before);
  });

  it('still counts as accepted after a server error or a missing answer', async () => {
    const failing = (): AttackAnswer => {
      throw new Error('nobody there');
    };
    const token = watched(known(LIVES_LONG, UNABLE, failing, ACCEPTED, failing, UNABLE, REFUSED));
    expect(await statesOf(token)).toEqual(['unknown', 'accepted', 'refused']);
  });

  it('counts as expired, not as refused, if the refusal comes at the time of the expiry', async () => {
    const token = watched(known(Date.now() / 1000 + 1, ACCEPTED, REFUSED));
    expect(await statesOf(token)).toEqual(['unknown', 'accepted', 'expired']);
    expect(token.refusedAtMs).toBeUndefined();
  });

  it('is replaced before its expiry if the service accepts a token with a later expiry', async () => {
    const soon = Date.now() / 1000 + 10;
    const renewed = watched(known(soon, REFUSED), async () => known(LIVES_LONG, ACCEPTED, ACCEPTED, REFUSED));
    expect(await statesOf(renewed)).toEqual(['unknown', 'accepted', 'refused']);
    for (const renew of [
      async () => known(soon, ACCEPTED),
      async () => known(LIVES_LONG, REFUSED),
      () => Promise.reject(new Error('none to be had')),
    ]) {
      expect(await statesOf(watched(known(soon, REFUSED), renew))).toEqual(['unknown', 'refused']);
    }
  });

  it('is no longer sent to services after an abort', async () => {
    const ended = new AbortController();
    const token = watched(known(LIVES_LONG, ACCEPTED));
    await token.run(ended.signal, () => ended.abort());
    expect(token.state).toBe('accepted');
  });
});
