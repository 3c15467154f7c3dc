import { describe, expect, it } from '@jest/globals';
import type { AttackAnswer } from 'demo';
import { matrixRun } from '../../spec-support/shown-pages.js';
import { rowOf } from './token-matrix.js';

const ACCEPTED: AttackAnswer = { status: 200 };
const INACTIVE: AttackAnswer = { status: 401, code: 'invalid_token', reason: 'inactive' };

const row = (answers: readonly AttackAnswer[]) =>
  rowOf('service-a', {
    token: { aud: 'service-b', azp: 'service-a', scope: 'orders.approve' },
    expiresAt: 1_800_000_000,
    doors: ['service-a', 'service-b', 'service-c'].map((service, at) => ({ service, answer: answers[at] ?? ACCEPTED })),
  });

describe('a cell of the matrix', () => {
  it('opens where the token was made for the service, and is closed elsewhere, in words', () => {
    const { cells } = row([INACTIVE, ACCEPTED, { ...INACTIVE, reason: 'other_audience' }]);
    expect(cells).toMatchObject([
      {
        verdict: 'closed',
        why: 'Made for Service B, and this is Service A: Keycloak told Service A so.',
      },
      { verdict: 'opens', why: 'It was made for Service B.' },
      { verdict: 'closed', why: 'Made for Service B, and this is Service C: Service C saw so by itself.' },
    ]);
  });

  it('is a leak where a token opens what it was not made for', () => {
    expect(row([ACCEPTED, ACCEPTED, INACTIVE]).cells[0]).toMatchObject({
      verdict: 'leak',
      why: 'It was made for Service B, and opens Service A all the same.',
    });
  });

  it.each([
    [{ status: 503, code: 'authorization_server_unavailable' }],
    [{ status: 403, code: 'route_closed' }],
    [{ status: 401, code: 'missing_token' }],
    [{ status: 404 }],
  ])('proves nothing where the answer is %j', (answer) => {
    expect(row([answer, ACCEPTED, INACTIVE]).cells[0]).toMatchObject({ verdict: 'unclear' });
  });

  it('that should open and does not proves nothing, either', () => {
    expect(row([INACTIVE, INACTIVE, INACTIVE]).cells[1]).toMatchObject({ verdict: 'unclear' });
  });
});

describe('the page of the matrix', () => {
  const good = [
    rowOf('service-a', { ...row([]), token: { aud: 'service-a' }, doors: doors(0) }),
    rowOf('service-a', { ...row([]), token: { aud: 'service-b' }, doors: doors(1) }),
    rowOf('service-b', { ...row([]), token: { aud: 'service-c' }, doors: doors(2) }),
  ];

  it('says in signs and words that each token opens its own service alone, and until when', () => {
    const html = matrixRun(good);
    expect(html).toContain('Each token opens the one service that it was made for, and no other.');
    expect(html.match(/<\/span> Opens <time/g)).toHaveLength(3);
    expect(html.match(/<\/span> Refused/g)).toHaveLength(6);
    expect(html).toContain('data-expires-at="1800000000"');
    expect(html).toContain('<code>401 invalid_token, inactive</code>');
  });

  it('says so where a door stands open', () => {
    const html = matrixRun([
      ...good.slice(0, 2),
      rowOf('service-b', { ...row([]), doors: doors(1), token: { aud: 'service-c' } }),
    ]);
    expect(html).toContain('Not as it is due: 1 of 9 doors stand open, 1 are unclear.');
    expect(html).toContain('OPEN, and must not be');
  });
});

function doors(open: number) {
  return ['service-a', 'service-b', 'service-c'].map((service, at) => ({
    service,
    answer: at === open ? ACCEPTED : INACTIVE,
  }));
}
