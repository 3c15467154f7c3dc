import { describe, expect, it } from '@jest/globals';
import { attackOf, type Attack } from './attack-list.js';
import { ATTACK, attacksRun, MADE } from '../../spec-support/shown-pages.js';

describe('the attack page', () => {
  it.each([
    ['refused', '✓', 'Refused, for the expected reason', ATTACK.refusals[0].words],
    ['open', '✗', 'OPEN: it got through', undefined],
    ['refused_otherwise', '✗', 'Refused, but not for the expected reason', undefined],
    ['not_run', '?', 'Could not be run', undefined],
  ] as const)('shows the verdict %s of an attack with a symbol and a text', (verdict, sign, words, refusal = words) => {
    const html = attacksRun([{ attack: ATTACK, attempt: MADE, verdict, why: 'Because of this.' }]);
    expect(html).toMatch(new RegExp(`aria-hidden="true">${sign.replace('?', '[?]')}</span>\\s*${refusal}`));
    expect(html).toContain(`<h1>${words}</h1>`);
    expect(html.includes('Because of this.')).toBe(verdict !== 'refused');
    expect(html).toContain('<code>401 invalid_token, inactive</code>');
    expect(html).toContain('the same: <code>200</code>');
  });

  it('shows the number of expected refusals of each group of attacks', () => {
    const report = { attempt: { ...MADE, token: { scope: 'a' }, forged: 'scope … b' }, why: '' };
    const [wrongService, forged] = ['token-at-c', 'alg-none'].map((id) => attackOf(id) as Attack);
    const html = attacksRun([
      { ...report, attack: wrongService as Attack, verdict: 'refused' },
      { ...report, attack: forged as Attack, verdict: 'open' },
    ]);
    expect([...html.matchAll(/<h2>([^<]*) <span class="group-result">([^<]*)/g)].map(([, ...both]) => both)).toEqual([
      ['The wrong service', '1 of 1 refused'],
      ['Forged or misused', '0 of 1 refused'],
    ]);
    expect(html).toContain('<dt>The genuine token says</dt>');
    expect(html).toContain('<code class="forged">scope … b</code>');
  });

  it('shows the number of attacks that were refused as expected, and the total', () => {
    const report = { attack: ATTACK, attempt: MADE, why: '' };
    const [good, bad] = [{ ...report, verdict: 'refused' } as const, { ...report, verdict: 'open' } as const];
    expect(attacksRun([good, good])).toContain('All 2 attacks were refused, each for the expected reason');
    expect(attacksRun([good, bad])).toContain('1 of 2 attacks were refused for the expected reason');
    expect(attacksRun([{ ...report, attempt: { notRun: 'x' }, verdict: 'not_run', why: 'Nobody there.' }])).toContain(
      'Nobody there.',
    );
  });
});
