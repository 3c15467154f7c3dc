import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { AttackNotRun, attempt, thenEnd, type AttackAnswer } from './attempt.js';

const ACCEPTED: AttackAnswer = { status: 200 };
const REFUSED: AttackAnswer = { status: 401, code: 'invalid_token' };
const unreachable = (): Promise<AttackAnswer> => Promise.reject(new AttackNotRun('Nobody is there.'));

describe('an attempt', () => {
  it('tells what came back of both', async () => {
    await expect(
      attempt({ attack: ['this', Promise.resolve(REFUSED)], control: ['that', Promise.resolve(ACCEPTED)] }),
    ).resolves.toEqual({ attack: { what: 'this', answer: REFUSED }, control: { what: 'that', answer: ACCEPTED } });
  });

  it('that got through is told of, also when the honest use got no answer', async () => {
    const made = await attempt({ attack: ['this', Promise.resolve(ACCEPTED)], control: ['that', unreachable()] });
    expect(made).toMatchObject({ attack: { answer: ACCEPTED }, control: { answer: { status: 0 } } });
  });

  it('that was refused is none when the honest use got no answer, and none when it got none itself', async () => {
    const refused = attempt({ attack: ['this', Promise.resolve(REFUSED)], control: ['that', unreachable()] });
    await expect(refused).rejects.toThrow('Nobody is there.');
    const lost = attempt({ attack: ['this', unreachable()], control: ['that', Promise.resolve(ACCEPTED)] });
    await expect(lost).rejects.toThrow('Nobody is there.');
  });

  it('stands when what was made for it could not be ended, and the log says so', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const made = attempt({ attack: ['this', Promise.resolve(ACCEPTED)], control: ['that', Promise.resolve(ACCEPTED)] });
    const ended = thenEnd(made, () => Promise.reject(new AttackNotRun('Keycloak did not revoke the token.')));
    await expect(ended).resolves.toMatchObject({ attack: { answer: ACCEPTED } });
    expect(warn.mock.calls).toEqual([[expect.any(String), { why: 'Keycloak did not revoke the token.' }]]);
    warn.mockRestore();
  });
});
