import { describe, expect, it } from '@jest/globals';
import type { AttackAnswer } from 'demo';
import { evaluateAttack } from './evaluate-attack.js';

const EXPECTED: AttackAnswer = {
  status: 403,
  code: 'insufficient_scope',
  reason: 'not_granted',
  permission: 'orders.approve',
};
const ACCEPTED: AttackAnswer = { status: 200 };

const evaluated = (attack: AttackAnswer, control = ACCEPTED) =>
  evaluateAttack([EXPECTED], { attack: { what: 'this', answer: attack }, control: { what: 'that', answer: control } });

describe('the verdict on an attack', () => {
  it('is "refused" if the service refused the attack as expected and accepted the legitimate request', () => {
    expect(evaluated(EXPECTED)).toEqual({
      verdict: 'refused',
      why: 'Refused as expected: 403 insufficient_scope, not_granted, orders.approve.',
    });
  });

  it.each([
    ['status', { ...EXPECTED, status: 401 }],
    ['code', { ...EXPECTED, code: 'client_not_allowed' }],
    ['reason', { ...EXPECTED, reason: 'permission_missing' }],
    ['permission', { ...EXPECTED, permission: 'orders.read' }],
    ['code, since there is none', { status: 403 }],
  ])('is "refused otherwise" if the answer has an unexpected %s', (_, answer) => {
    expect(evaluated(answer)).toMatchObject({
      verdict: 'refused_otherwise',
      why: expect.stringContaining('expected was'),
    });
  });

  it('is "refused otherwise" if the answer has more fields than expected', () => {
    const attempt = { attack: { what: '', answer: EXPECTED }, control: { what: '', answer: ACCEPTED } };
    const { permission: _, ...less } = EXPECTED;
    expect(evaluateAttack([less], attempt).verdict).toBe('refused_otherwise');
  });

  it.each([200, 201, 204])(
    'is "open" if the service answers %d to the attack, even if the legitimate request failed',
    (status) => {
      for (const control of [ACCEPTED, { status: 401 }, { status: 503 }, { status: 0 }]) {
        expect(evaluated({ status }, control).verdict).toBe('open');
      }
    },
  );

  it('is "not_run" if the service also refuses the legitimate request', () => {
    expect(evaluated(EXPECTED, { status: 401, code: 'invalid_token' })).toEqual({
      verdict: 'not_run',
      why: 'The honest use was refused too (401 invalid_token), so this proves nothing.',
    });
  });

  it.each([
    ['the attack', { status: 503 }, ACCEPTED],
    ['the legitimate request', EXPECTED, { status: 502 }],
  ])('is "not_run" if the server fails during %s', (_, attack, control) => {
    expect(evaluated(attack, control)).toMatchObject({
      verdict: 'not_run',
      why: expect.stringContaining('could not decide'),
    });
  });

  it('is "not_run" with the given reason if the attack was not run', () => {
    expect(evaluateAttack([EXPECTED], { notRun: 'Because.' })).toEqual({ verdict: 'not_run', why: 'Because.' });
  });
});
