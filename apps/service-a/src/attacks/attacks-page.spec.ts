import { describe, expect, it } from '@jest/globals';
import { ATTACK, attacksRun, MADE } from '../../spec-support/shown-pages.js';

describe('the page of attacks', () => {
  it.each([
    ['refused', '✓', 'Refused, for the expected reason'],
    ['open', '✗', 'OPEN: it got through'],
    ['refused_otherwise', '✗', 'Refused, but not for the expected reason'],
    ['not_run', '?', 'Could not be run'],
  ] as const)('says in a sign and in words that an attack is %s', (verdict, sign, words) => {
    const html = attacksRun([{ attack: ATTACK, attempt: MADE, verdict, why: 'Because of this.' }]);
    expect(html).toContain(`aria-hidden="true">${sign}</span> ${words}`);
    expect(html).toContain(`<h1>${words}</h1>`);
    expect(html.includes('Because of this.')).toBe(verdict !== 'refused');
    expect(html).toContain('<code>401 invalid_token, inactive</code>');
    expect(html).toContain('the same: <code>200</code>');
  });

  it('says how many of how many attacks were refused as expected', () => {
    const report = { attack: ATTACK, attempt: MADE, why: '' };
    const [good, bad] = [{ ...report, verdict: 'refused' } as const, { ...report, verdict: 'open' } as const];
    expect(attacksRun([good, good])).toContain('All 2 attacks were refused, each for the expected reason');
    expect(attacksRun([good, bad])).toContain('1 of 2 attacks were refused for the expected reason');
    expect(attacksRun([{ ...report, attempt: { notRun: 'x' }, verdict: 'not_run', why: 'Nobody there.' }])).toContain(
      'Nobody there.',
    );
  });
});
