import { describe, expect, it } from '@jest/globals';
import { readAttempt } from './attempt-form.js';

const SENT = { what: 'a token', answer: { status: 401, code: 'invalid_token', reason: 'inactive' } };
const GOOD = {
  attack: SENT,
  control: { what: 'the same', answer: { status: 200 } },
  token: { aud: 'service-c', acr: '2' },
};

describe('a report of another service about an attack', () => {
  it('is accepted if it has the expected format', () => {
    expect(readAttempt(GOOD)).toEqual(GOOD);
    expect(readAttempt({ notRun: 'Because.' })).toEqual({ notRun: 'Because.' });
    const { token: _, ...without } = GOOD;
    expect(readAttempt(without)).toEqual(without);
  });

  it('counts as a completed attack, even if the report also contains notRun', () => {
    const accepted = { ...GOOD, attack: { what: 'a token', answer: { status: 201 } } };
    expect(readAttempt({ ...accepted, notRun: 'Because.' })).toEqual(accepted);
  });

  it('loses unknown fields, and fields whose value is not a string', () => {
    const more = { ...SENT, token: 'x', answer: { ...SENT.answer, permission: 1, access_token: 'x' } };
    expect(readAttempt({ ...GOOD, attack: more, token: { ...GOOD.token, sub: 'x', azp: ['x'] }, id: 'x' })).toEqual(
      GOOD,
    );
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['text', 'x'],
    ['a list', [GOOD]],
    ['without control', { attack: SENT }],
    ['without a status', { ...GOOD, attack: { what: 'x', answer: {} } }],
    ['with a status as text', { ...GOOD, attack: { what: 'x', answer: { status: '401' } } }],
    ['with a fractional status', { ...GOOD, control: { what: 'x', answer: { status: 200.5 } } }],
    ['without words', { ...GOOD, control: { answer: { status: 200 } } }],
    ['with a notRun that is not text', { notRun: 1 }],
    ['with a notRun that is too long', { notRun: 'x'.repeat(301) }],
  ])('is rejected when it is %s', (_, answer) => {
    expect(readAttempt(answer)).toBeUndefined();
  });
});
