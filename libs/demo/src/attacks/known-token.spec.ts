import { describe, expect, it } from '@jest/globals';
import type { AttackAnswer } from './attempt.js';
import { presentSurely, presentUntilRefused } from './known-token.js';

const ACCEPTED: AttackAnswer = { status: 200 };
const REFUSED: AttackAnswer = { status: 401, code: 'invalid_token' };

function presenting(...answers: readonly AttackAnswer[]) {
  let times = 0;
  return {
    get times() {
      return times;
    },
    present: async (): Promise<AttackAnswer> => {
      times += 1;
      return answers[Math.min(times, answers.length) - 1] ?? ACCEPTED;
    },
  };
}

describe('a token that an attack sends to a service', () => {
  it('counts as accepted after one acceptance, and as refused after four consecutive refusals', async () => {
    const good = presenting(ACCEPTED);
    expect((await presentSurely(good.present)).answer).toEqual(ACCEPTED);
    const bad = presenting(REFUSED);
    expect((await presentSurely(bad.present)).answer).toEqual(REFUSED);
    expect([good.times, bad.times]).toEqual([1, 4]);
  });

  it('counts as accepted if one of several replicas accepts the token', async () => {
    const { present } = presenting(REFUSED, REFUSED, ACCEPTED, REFUSED);
    expect((await presentSurely(present)).answer).toEqual(ACCEPTED);
  });

  it('is sent until the service refuses the token or the time limit has passed', async () => {
    const later = presenting(ACCEPTED, ACCEPTED, REFUSED);
    const { answer, atMs } = await presentUntilRefused(later.present, { everyMs: 1, untilMs: Date.now() + 60_000 });
    expect(answer).toEqual(REFUSED);
    expect(atMs).toBeLessThanOrEqual(Date.now());
    const never = presenting(ACCEPTED);
    const last = await presentUntilRefused(never.present, { everyMs: 1, untilMs: Date.now() - 1 });
    expect([last.answer, never.times]).toEqual([ACCEPTED, 1]);
  });
});
