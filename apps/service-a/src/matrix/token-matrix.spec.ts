import { describe, expect, it } from '@jest/globals';
import type { AttackAnswer } from 'demo';
import { matrixRun, shownAgain } from '../../spec-support/shown-pages.js';
import { evaluateAnswer, evaluateAnswers, SERVICES, type StolenToken } from './evaluate-answers.js';
import { EXCHANGED, PASSED_ON, type MatrixRow } from './token-matrix.js';

const ACCEPTED: AttackAnswer = { status: 200 };
const INACTIVE: AttackAnswer = { status: 401, code: 'invalid_token', reason: 'inactive' };
const FOR_B: StolenToken = { holder: 'service-a', meantFor: ['service-b'] };
const LATER = 1_800_000_000;

const row = (
  answers: readonly AttackAnswer[],
  stolen = FOR_B,
  aud = stolen.meantFor.join(' '),
  expiresAt = LATER,
): MatrixRow => ({
  ...stolen,
  id: '5f0f8f4e-8d3c-4f8e-9c57-0d8f6b1f1f11',
  token: { aud, azp: 'service-a', scope: 'orders.approve' },
  expiresAt,
  cells: evaluateAnswers(
    { ...stolen, expiresAt },
    SERVICES.map((service, at) => ({ service, answer: answers[at] ?? ACCEPTED })),
  ),
});

const verdicts = ({ cells }: MatrixRow): readonly string[] => cells.map(({ verdict }) => verdict);

describe('the verdict of a service on a stolen token', () => {
  it('is "opens" for the intended service of the token, and "closed" for other services', () => {
    const { cells } = row([INACTIVE, ACCEPTED, { ...INACTIVE, reason: 'other_audience' }]);
    expect(cells).toMatchObject([
      { verdict: 'closed', why: 'Made for Service B, and this is Service A: Keycloak called it inactive.' },
      { verdict: 'opens', why: 'It was made for Service B.' },
      { verdict: 'closed', why: 'Made for Service B, and this is Service C: Service C saw that by itself.' },
    ]);
  });

  it('is "leak" if the service accepts a token that was made for another service', () => {
    expect(row([ACCEPTED, ACCEPTED, INACTIVE]).cells[0]).toMatchObject({
      verdict: 'leak',
      why: 'It was made for Service B, and opens Service A all the same.',
    });
  });

  it('depends on the audience of the token request, not on the claim aud of the token', () => {
    // The claim `aud` has another value than the requested audience, as if an audience mapper had changed the claim.
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
  ])('is "unclear" if the answer is %j', (answer) => {
    expect(verdicts(row([answer, ACCEPTED, INACTIVE]))).toEqual(['unclear', 'opens', 'closed']);
  });

  it('is "unclear" if every service refuses the token, because the token may be invalid', () => {
    expect(verdicts(row([INACTIVE, INACTIVE, INACTIVE]))).toEqual(['unclear', 'unclear', 'unclear']);
  });

  it('is "exposed" if the service accepts a token that was made for several services', () => {
    const { cells } = row([ACCEPTED, ACCEPTED, ACCEPTED], PASSED_ON[2]);
    expect(cells.map(({ verdict }) => verdict)).toEqual(['exposed', 'exposed', 'exposed']);
    expect(cells[0]?.why).toBe(
      'It names Service A, Service B, and Service C, so it opens Service A too, wherever it was stolen.',
    );
  });

  it('is "ended" only if the token has expired and the intended service refuses the token', () => {
    const at = (expiresAt: number, answer = INACTIVE) =>
      evaluateAnswer({ ...FOR_B, expiresAt }, { service: 'service-b', answer }).verdict;
    expect(at(1)).toBe('ended');
    expect(at(LATER)).toBe('unclear');
    expect(at(1, ACCEPTED)).toBe('opens');
    expect(at(1, { status: 503 })).toBe('unclear');
    expect(evaluateAnswer({ ...FOR_B, expiresAt: 1 }, { service: 'service-b', answer: INACTIVE }).why).toBe(
      'It was made for Service B, and it has expired: Keycloak called it inactive.',
    );
  });

  it('is "ended" if the intended service refuses the expired token without asking Keycloak', () => {
    const answer = { ...INACTIVE, reason: 'expired' };
    expect(evaluateAnswer({ ...FOR_B, expiresAt: 1 }, { service: 'service-b', answer })).toMatchObject({
      verdict: 'ended',
      why: 'It was made for Service B, and it has expired: Service B saw that by itself.',
    });
  });
});

describe('the page with the matrix of stolen tokens', () => {
  const good = EXCHANGED.map((stolen, own) =>
    row(
      [0, 1, 2].map((at) => (at === own ? ACCEPTED : INACTIVE)),
      stolen,
    ),
  );

  it('shows with symbols and text that only the intended service accepts each token', () => {
    const html = matrixRun(good);
    expect(html).toContain('Each token opens the one service that it was made for: 3 of 9 tries.');
    expect(html.match(/<\/span> Opens <time/g)).toHaveLength(3);
    expect(html.match(/<\/span> Refused/g)).toHaveLength(6);
    expect(html).toContain('datetime="2027-01-15T08:00:00.000Z"');
    expect(html).toContain('<code>401 invalid_token, inactive</code>');
  });

  it('reports the numbers of wrongly accepted tokens and of unclear answers', () => {
    const html = matrixRun([...good.slice(0, 2), row([INACTIVE, ACCEPTED, ACCEPTED], EXCHANGED[2])]);
    expect(html).toContain(
      'Not as expected. Tries that are accepted and must not be: 1. Answers that prove nothing: 0 of 9.',
    );
    expect(html).toContain('OPEN, and must not be');
    const dead = { ...FOR_B, token: {}, expiresAt: 0, cells: [], notRun: 'Service B could not be reached.' };
    const without = matrixRun([...good.slice(0, 2), dead]);
    expect(without).toContain('Tries that are accepted and must not be: 0. Answers that prove nothing: 3 of 9.');
    expect(without).toContain('Could not be tried: Service B could not be reached.');
  });

  it('shows a warning if all services accept one shared token', () => {
    const html = matrixRun(PASSED_ON.map((stolen) => row([ACCEPTED, ACCEPTED, ACCEPTED], stolen)));
    expect(html).toContain(
      '<p class="matrix-summary refused">One token for all: stolen from any service, it works in 9 of 9 tries.',
    );
    expect(html.match(/cell-exposed/g)).toHaveLength(9);
    expect(html.match(/for <strong>all three/g)).toHaveLength(3);
  });

  it('does not show the warning about a shared token if a service refused this token', () => {
    const rows = PASSED_ON.map((stolen, at) =>
      row([ACCEPTED, at === 0 ? { status: 503 } : ACCEPTED, ACCEPTED], stolen),
    );
    expect(matrixRun(rows)).toContain(
      'Tries that are accepted and must not be: 0. Answers that prove nothing: 1 of 9.',
    );
  });

  it('shows the result after a token is sent again, and a form to send the token again', () => {
    const shown = row([INACTIVE, INACTIVE, INACTIVE], FOR_B, 'service-b', 1);
    const cell = evaluateAnswer({ ...FOR_B, expiresAt: 1 }, { service: 'service-b', answer: INACTIVE });
    const html = shownAgain({ row: shown, cell }, { csrfToken: 'the-csrf-token' });
    expect(html).toContain('it has ended');
    expect(html).toContain(`name="id" value="${shown.id}"`);
    expect(html).toContain('name="csrf_token" value="the-csrf-token"');
  });
});
