import { describe, expect, it } from '@jest/globals';
import type { AttackAnswer } from 'demo';
import { judgeAttack } from './judge-attack.js';

const DUE: AttackAnswer = {
  status: 403,
  code: 'insufficient_scope',
  reason: 'not_granted',
  permission: 'orders.approve',
};
const ACCEPTED: AttackAnswer = { status: 200 };

const judged = (attack: AttackAnswer, control = ACCEPTED) =>
  judgeAttack(DUE, { attack: { what: 'this', answer: attack }, control: { what: 'that', answer: control } });

describe('an attack', () => {
  it('is refused when the answer is the one that was due, and the honest use was accepted', () => {
    expect(judged(DUE)).toEqual({
      verdict: 'refused',
      why: 'Refused as it should be: 403 insufficient_scope, not_granted, orders.approve.',
    });
  });

  it.each([
    ['status', { ...DUE, status: 401 }],
    ['code', { ...DUE, code: 'client_not_allowed' }],
    ['reason', { ...DUE, reason: 'permission_missing' }],
    ['permission', { ...DUE, permission: 'orders.read' }],
    ['code, since there is none', { status: 403 }],
  ])('is refused otherwise by another %s', (_, answer) => {
    expect(judged(answer)).toMatchObject({ verdict: 'refused_otherwise', why: expect.stringContaining('but due was') });
  });

  it('is refused otherwise by what is said beyond what was due', () => {
    const attempt = { attack: { what: '', answer: DUE }, control: { what: '', answer: ACCEPTED } };
    const { permission: _, ...less } = DUE;
    expect(judgeAttack(less, attempt).verdict).toBe('refused_otherwise');
  });

  it.each([200, 201, 204])('is open when it is answered %d, whatever became of the honest use', (status) => {
    for (const control of [ACCEPTED, { status: 401 }, { status: 503 }, { status: 0 }]) {
      expect(judged({ status }, control).verdict).toBe('open');
    }
  });

  it('is no proof when the honest use is refused', () => {
    expect(judged(DUE, { status: 401, code: 'invalid_token' })).toEqual({
      verdict: 'not_run',
      why: 'The honest use was refused as well (401 invalid_token): that proves nothing.',
    });
  });

  it.each([
    ['it', { status: 503 }, ACCEPTED],
    ['the honest use', DUE, { status: 502 }],
  ])('is no proof when who is asked about %s fails', (_, attack, control) => {
    expect(judged(attack, control)).toMatchObject({
      verdict: 'not_run',
      why: expect.stringContaining('could not decide'),
    });
  });

  it('is no proof when it was not made, and says why', () => {
    expect(judgeAttack(DUE, { notRun: 'Because.' })).toEqual({ verdict: 'not_run', why: 'Because.' });
  });
});
