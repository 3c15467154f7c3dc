import { describe, expect, it } from '@jest/globals';
import { ATTACKS, type Attack } from '../attacks/attack-list.js';
import { parseServerTiming, type SeenToken } from 'demo';
import { answeredDetails, refusedDetails } from '../chain/chain-details.js';
import { Pages } from './pages.js';

const NAME = `<img src=x onerror=alert(1)>"'&`;
const ESCAPED = '&lt;img src=x onerror=alert(1)&gt;';

const ATTACK = ATTACKS[0] as Attack;
const MADE = {
  attack: { what: 'this', answer: { status: 401, code: 'invalid_token', reason: 'inactive' } },
  control: { what: 'the same', answer: { status: 200 } },
};
const ANSWER = { service_b: 'done', service_c: { result: 1, msg: 'done' } };
const METRICS = parseServerTiming(
  'service-a.introspection;desc="cached";dur=0, service-a.token-exchange;desc="requested";dur=3, ' +
    'service-a.call;desc="service-b 200";dur=9, service-b.total;dur=7, service-a.total;dur=12',
  'nobody',
);
const token = (service: string, claims: SeenToken['claims']): SeenToken => ({
  service,
  fingerprint: 'token:1',
  claims,
});

describe('Pages', () => {
  const pages = new Pages();

  it('escape claims, in text and in attributes (BF-11)', () => {
    const answer = { service_b: NAME, service_c: { result: 1, msg: NAME } };
    const shown = [
      pages.home({ demoMode: true, user: { name: NAME, csrfToken: NAME }, attacks: [] }),
      pages.chainSucceeded(answer, NAME),
      pages.chainRefused({ error: NAME, code: 'insufficient_scope', permission: NAME }, 403),
      pages.attacksRefused({ error: NAME, code: 'insufficient_scope', permission: NAME }, 403),
      pages.loginFailed(NAME),
      pages.chainSucceeded(
        answer,
        NAME,
        answeredDetails(METRICS, [token(NAME, { sub: NAME, aud: [NAME], scope: NAME })]),
      ),
    ];
    const sent = { what: NAME, answer: { status: 401, code: NAME, reason: NAME, permission: NAME } };
    const attack = { ...ATTACK, title: NAME, hope: NAME, rule: NAME };
    const attempt = { attack: sent, control: sent, token: { aud: NAME, scope: NAME } };
    shown.push(pages.attacksRun([{ attack, attempt, verdict: 'open', why: NAME }]));
    shown.push(pages.home({ demoMode: true, user: undefined, attacks: [attack] }));
    for (const html of shown) {
      expect(html).not.toContain('<img');
      expect(html).not.toContain('"\'&');
    }
    expect(shown[0]).toContain(`Logged in as <strong>${ESCAPED}`);
    expect(shown[0]).toContain(`value="${ESCAPED}`);
  });

  it('offer login to anonymous visitors, and logout to users', () => {
    const anonymous = pages.home({ demoMode: false, user: undefined, attacks: [] });
    const known = pages.home({ demoMode: false, user: { name: 'alice', csrfToken: 't' }, attacks: ATTACKS });
    expect([anonymous, known].map((html) => html.includes('href="/auth/login"'))).toEqual([true, false]);
    expect([anonymous, known].map((html) => html.includes('action="/auth/logout"'))).toEqual([false, true]);
  });

  it.each([
    ['refused', '✓', 'Refused, for the expected reason'],
    ['open', '✗', 'OPEN: it got through'],
    ['refused_otherwise', '✗', 'Refused, but not for the expected reason'],
    ['not_run', '?', 'Could not be run'],
  ] as const)('say in a sign and in words that an attack is %s', (verdict, sign, words) => {
    const html = pages.attacksRun([{ attack: ATTACK, attempt: MADE, verdict, why: 'Because of this.' }]);
    expect(html).toContain(`aria-hidden="true">${sign}</span> ${words}`);
    expect(html).toContain(`<h1>${words}</h1>`);
    expect(html.includes('Because of this.')).toBe(verdict !== 'refused');
    expect(html).toContain('<code>401 invalid_token, inactive</code>');
    expect(html).toContain('the same: <code>200</code>');
  });

  it('say how many of how many attacks were refused as expected', () => {
    const report = { attack: ATTACK, attempt: MADE, why: '' };
    const [good, bad] = [{ ...report, verdict: 'refused' } as const, { ...report, verdict: 'open' } as const];
    expect(pages.attacksRun([good, good])).toContain('All 2 attacks were refused, each for the expected reason');
    expect(pages.attacksRun([good, bad])).toContain('1 of 2 attacks were refused for the expected reason');
    expect(
      pages.attacksRun([{ ...report, attempt: { notRun: 'x' }, verdict: 'not_run', why: 'Nobody there.' }]),
    ).toContain('Nobody there.');
  });

  it('offer the attacks if there are any, each as a form that works without a script', () => {
    const shown = pages.home({ demoMode: true, user: undefined, attacks: ATTACKS });
    for (const { id } of ATTACKS) expect(shown).toContain(`<form method="post" action="/attacks/${id}">`);
    expect(shown).toContain('<form class="actions" method="post" action="/attacks"');
    expect(pages.home({ demoMode: false, user: undefined, attacks: [] })).not.toContain('/attacks');
  });

  it('have no inline style, and no script except the one file of the start page (BF-10)', () => {
    const html =
      pages.home({ demoMode: true, user: { name: 'alice', csrfToken: 't' }, attacks: ATTACKS }) +
      pages.attacksRun([{ attack: ATTACK, attempt: MADE, verdict: 'refused', why: '' }]) +
      pages.attacksRefused({ error: 'No', code: 'insufficient_scope' }, 403) +
      pages.loginFailed('x') +
      pages.chainSucceeded(ANSWER, 'alice', answeredDetails(METRICS, [token('service-b', { sub: 's' })])) +
      pages.chainRefused({ error: 'No', code: 'insufficient_scope' }, 403, refusedDetails(METRICS));
    expect(html.match(/<script.*/gi)).toEqual(['<script type="module" src="/page.js"></script>']);
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
  });

  it('have the result of a chain in one article, whose headings continue the one of the page', () => {
    for (const html of [
      pages.chainSucceeded(ANSWER, 'alice', answeredDetails(METRICS, [token('service-b', { sub: 's' })])),
      pages.chainRefused({ error: 'No', code: 'insufficient_scope' }, 403, refusedDetails(METRICS)),
    ]) {
      const [, before = '', article = ''] =
        /^(.*)<article id="chain-result" aria-labelledby="chain-result-heading">(.*)<\/article>/s.exec(html) ?? [];
      expect(before).toContain('<h1>Call Service B</h1>');
      expect(article.match(/<h\d/g)).toEqual(['<h2', ...(article.match(/<h3/g) ?? [])]);
      expect(article).toContain('What just happened');
      expect(article).toContain('Service A asks Keycloak to exchange');
      // The drawing is hidden from screen readers, since the words say the same.
      expect(article.match(/class="lane [^"]*" aria-hidden="true"/g)).toHaveLength(
        article.match(/<li class="step/g)?.length ?? 0,
      );
    }
  });

  it('show a chain without the parts of demo mode', () => {
    const html = pages.chainSucceeded(ANSWER, 'alice');
    expect(html).toContain('id="chain-result"');
    expect(html).not.toMatch(/What just happened|side by side/);
  });

  it('say when there is no token at the first hop, and when the tokens are unavailable', () => {
    const [b, c] = [
      token('service-b', { sub: 's', aud: 'service-b' }),
      token('service-c', { sub: 's', aud: 'service-c' }),
    ];
    const asSelf = pages.chainSucceeded(ANSWER, 'service-a', answeredDetails(METRICS, [b, c]));
    const asUser = pages.chainSucceeded(
      ANSWER,
      'alice',
      answeredDetails(METRICS, [token('service-a', { sub: 's' }), b, c]),
    );
    const none = pages.chainSucceeded(ANSWER, 'alice', answeredDetails(METRICS, undefined));
    expect([asSelf, asUser].map((html) => html.includes('there is no token at the first hop'))).toEqual([true, false]);
    expect([asSelf, asUser].map((html) => html.match(/<th scope="col">At /g)?.length)).toEqual([2, 3]);
    expect(asSelf).toMatch(/<td class="is-changed"><span class="change">changed<\/span><span class="value">service-c/);
    expect(none).toContain('could not report the claims');
    expect(none).toContain('What just happened');
  });
});
