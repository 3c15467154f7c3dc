import { describe, expect, it } from '@jest/globals';
import type { AttackAnswer } from 'demo';
import { matrixRun } from '../../spec-support/shown-pages.js';
import { rowOf, STOLEN_TOKENS, type MatrixRow, type StolenToken } from './token-matrix.js';

const ACCEPTED: AttackAnswer = { status: 200 };
const INACTIVE: AttackAnswer = { status: 401, code: 'invalid_token', reason: 'inactive' };
const FOR_B: StolenToken = { holder: 'service-a', meantFor: 'service-b' };

const row = (answers: readonly AttackAnswer[], stolen = FOR_B, aud = stolen.meantFor): MatrixRow =>
  rowOf(stolen, {
    token: { aud, azp: 'service-a', scope: 'orders.approve' },
    expiresAt: 1_800_000_000,
    doors: ['service-a', 'service-b', 'service-c'].map((service, at) => ({ service, answer: answers[at] ?? ACCEPTED })),
  });

const verdicts = ({ cells }: MatrixRow): readonly string[] => cells.map(({ verdict }) => verdict);

describe('a cell of the matrix', () => {
  it('opens where the token was made for the service, and is closed elsewhere, in words', () => {
    const { cells } = row([INACTIVE, ACCEPTED, { ...INACTIVE, reason: 'other_audience' }]);
    expect(cells).toMatchObject([
      { verdict: 'closed', why: 'Made for Service B, and this is Service A: Keycloak told Service A so.' },
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

  it('goes by what the token is made for, and not by what it says of itself', () => {
    // As when the audience mapper of its scope names another service, or two.
    expect(verdicts(row([INACTIVE, INACTIVE, ACCEPTED], FOR_B, 'service-c'))).toEqual(['unclear', 'unclear', 'leak']);
    expect(verdicts(row([INACTIVE, ACCEPTED, ACCEPTED], FOR_B, 'service-b service-c'))).toEqual([
      'closed',
      'opens',
      'leak',
    ]);
  });

  it.each([
    [{ status: 503, code: 'authorization_server_unavailable' }],
    [{ status: 403, code: 'route_closed' }],
    [{ status: 401, code: 'missing_token' }],
    [{ ...INACTIVE, reason: 'expired' }],
    [{ status: 404 }],
    [{ status: 0, reason: 'no answer' }],
  ])('proves nothing where the answer is %j', (answer) => {
    expect(verdicts(row([answer, ACCEPTED, INACTIVE]))).toEqual(['unclear', 'opens', 'closed']);
  });

  it('proves nothing of a token that opens nothing: it may be dead', () => {
    expect(verdicts(row([INACTIVE, INACTIVE, INACTIVE]))).toEqual(['unclear', 'unclear', 'unclear']);
  });
});

describe('the page of the matrix', () => {
  const good = STOLEN_TOKENS.map((stolen, own) =>
    row(
      [0, 1, 2].map((at) => (at === own ? ACCEPTED : INACTIVE)),
      stolen,
    ),
  );

  it('says in signs and words that each token opens its own service alone, and until when', () => {
    const html = matrixRun(good);
    expect(html).toContain('Each token opens the one service that it was made for, and no other.');
    expect(html.match(/<\/span> Opens <time/g)).toHaveLength(3);
    expect(html.match(/<\/span> Refused/g)).toHaveLength(6);
    expect(html).toContain('datetime="2027-01-15T08:00:00.000Z"');
    expect(html).toContain('<code>401 invalid_token, inactive</code>');
  });

  it('says so where a door stands open, and where nothing was proven', () => {
    const html = matrixRun([...good.slice(0, 2), row([INACTIVE, ACCEPTED, ACCEPTED], STOLEN_TOKENS[2])]);
    expect(html).toContain('Not as it is due: 1 doors are open that must not be; 0 of 9 answers prove nothing.');
    expect(html).toContain('OPEN, and must not be');
    const dead = { ...FOR_B, token: {}, expiresAt: 0, cells: [], notRun: 'Service B could not be reached.' };
    const without = matrixRun([...good.slice(0, 2), dead]);
    expect(without).toContain('Not as it is due: 3 of 9 answers prove nothing.');
    expect(without).toContain('Could not be tried: Service B could not be reached.');
  });
});
