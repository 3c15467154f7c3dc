import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { AttackNotRun, attempt, thenCleanUp, type AttackAnswer } from './attempt.js';

const ACCEPTED: AttackAnswer = { status: 200 };
const REFUSED: AttackAnswer = { status: 401, code: 'invalid_token' };
const unreachable = (): Promise<AttackAnswer> => Promise.reject(new AttackNotRun('The server is unreachable.'));

describe('attempt()', () => {
  it('returns the answers to the attack and to the legitimate request', async () => {
    await expect(
      attempt({ attack: ['this', Promise.resolve(REFUSED)], control: ['that', Promise.resolve(ACCEPTED)] }),
    ).resolves.toEqual({ attack: { what: 'this', answer: REFUSED }, control: { what: 'that', answer: ACCEPTED } });
  });

  it('reports a successful attack even if the legitimate request gets no answer', async () => {
    const made = await attempt({ attack: ['this', Promise.resolve(ACCEPTED)], control: ['that', unreachable()] });
    expect(made).toMatchObject({ attack: { answer: ACCEPTED }, control: { answer: { status: 0 } } });
  });

  it('rejects if an answer is missing, unless the attack succeeded', async () => {
    const refused = attempt({ attack: ['this', Promise.resolve(REFUSED)], control: ['that', unreachable()] });
    await expect(refused).rejects.toThrow('The server is unreachable.');
    const lost = attempt({ attack: ['this', unreachable()], control: ['that', Promise.resolve(ACCEPTED)] });
    await expect(lost).rejects.toThrow('The server is unreachable.');
  });

  it('returns the answers even if the clean-up fails, and logs the failure of the clean-up', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const made = attempt({ attack: ['this', Promise.resolve(ACCEPTED)], control: ['that', Promise.resolve(ACCEPTED)] });
    const ended = thenCleanUp(made, () => Promise.reject(new AttackNotRun('Keycloak did not revoke the token.')));
    await expect(ended).resolves.toMatchObject({ attack: { answer: ACCEPTED } });
    expect(warn.mock.calls).toEqual([[expect.any(String), { why: 'Keycloak did not revoke the token.' }]]);
    warn.mockRestore();
  });
});
