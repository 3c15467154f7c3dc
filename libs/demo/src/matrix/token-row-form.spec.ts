import { describe, expect, it } from '@jest/globals';
import { readTokenRow } from './token-row-form.js';

describe('a row that another service sends for the token matrix', () => {
  const row = {
    id: 'an id',
    token: { aud: 'service-c', azp: 'service-b' },
    expiresAt: 1_800_000_000,
    tries: [{ service: 'service-a', answer: { status: 401, code: 'invalid_token', reason: 'inactive' } }],
  };

  it('is accepted if it has the expected format, and loses unknown fields', () => {
    expect(readTokenRow({ ...row, more: 1, token: { ...row.token, sub: 'x' } }, ['service-a'])).toEqual(row);
  });

  it.each([
    ['not an object', undefined],
    ['without an id', { ...row, id: undefined }],
    ['with an expiry that is not a number', { ...row, expiresAt: '1' }],
    ['with an expiry that is not a date', { ...row, expiresAt: 1e300 }],
    ['without answers', { ...row, tries: {} }],
    ['with an empty list of answers', { ...row, tries: [] }],
    ['with an answer of another service', { ...row, tries: [{ ...row.tries[0], service: 'service-x' }] }],
    ['with a service that has no answer', { ...row, tries: [{ service: 'service-a' }] }],
    ['with an answer that has no service', { ...row, tries: [{ answer: { status: 200 } }] }],
  ])('is rejected when it is %s', (_, answer) => {
    expect(readTokenRow(answer, ['service-a'])).toBeUndefined();
  });
});
