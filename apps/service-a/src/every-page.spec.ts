import { describe, expect, it } from '@jest/globals';
import { ATTACKS } from './attacks/attack-list.js';
import { untried } from './matrix/matrix-page.js';
import { answeredDetails, refusedDetails } from './chain/chain-details.js';
import {
  ANSWER,
  ATTACK,
  attacksRefused,
  attacksRun,
  chainRefused,
  chainSucceeded,
  home,
  homeRefused,
  loginFailed,
  MADE,
  matrixRun,
  METRICS,
  refund,
  refunded,
  refundRefused,
  shownAgain,
  token,
  watched,
} from '../spec-support/shown-pages.js';

const NAME = `<img src=x onerror=alert(1)>"'&`;
const ESCAPED = '&lt;img src=x onerror=alert(1)&gt;';

describe('every page of Service A', () => {
  it('escapes claims, in text and in attributes (BF-11)', () => {
    const answer = { service_b: NAME, service_c: { result: 1, msg: NAME } };
    const shown = [
      home({ demoMode: true, user: { name: NAME, csrfToken: NAME }, attacks: [] }),
      home({
        demoMode: true,
        user: { name: NAME, csrfToken: NAME },
        attacks: [],
        matrix: untried({ csrfToken: NAME }),
      }),
      homeRefused({ error: NAME, code: 'authorization_server_unavailable' }),
      chainSucceeded(answer, NAME),
      chainRefused({ error: NAME, code: 'insufficient_scope', permission: NAME }),
      attacksRefused({ error: NAME, code: 'insufficient_scope', permission: NAME }),
      loginFailed(NAME),
      refund({ order: { order_id: 1, amount: 1 }, csrfToken: NAME, wasNotSent: true }),
      refunded(answer),
      refundRefused({ error: NAME, code: 'insufficient_user_authentication' }, `/auth/login?return_to=${NAME}`),
      chainSucceeded(answer, NAME, answeredDetails(METRICS, [token(NAME, { sub: NAME, aud: [NAME], scope: NAME })])),
    ];
    const sent = { what: NAME, answer: { status: 401, code: NAME, reason: NAME, permission: NAME } };
    const attack = { ...ATTACK, title: NAME, hope: NAME, rule: NAME };
    const attempt = { attack: sent, control: sent, token: { aud: NAME, scope: NAME } };
    shown.push(attacksRun([{ attack, attempt, verdict: 'open', why: NAME }]));
    shown.push(home({ demoMode: true, user: undefined, attacks: [attack] }));
    const cell = { service: NAME, verdict: 'unclear', why: NAME, answer: sent.answer } as const;
    shown.push(
      matrixRun([{ holder: NAME, meantFor: [NAME], token: { aud: NAME, scope: NAME }, expiresAt: 0, cells: [cell] }]),
    );
    const services = [{ service: NAME, state: 'refused', words: NAME } as const];
    shown.push(watched({ kind: 'refused', headline: NAME, services, counted: NAME }, NAME));
    shown.push(watched({ kind: 'watching', headline: NAME, services }, NAME));
    for (const html of shown) {
      expect(html).not.toContain('<img');
      expect(html).not.toContain('"\'&');
    }
    expect(shown[0]).toContain(`Logged in as <strong>${ESCAPED}`);
    expect(shown[0]).toContain(`value="${ESCAPED}`);
  });

  it('sets the referrer policy only on a page with a form (BF-06)', () => {
    const cell = { service: 'service-b', verdict: 'opens', why: '', answer: { status: 200 } } as const;
    const row = { holder: 'service-a', meantFor: ['service-b'], token: {}, expiresAt: 0, id: 'x', cells: [cell] };
    const forms = [
      home({ demoMode: false, user: { name: 'alice', csrfToken: 't' }, attacks: [] }),
      refund({ order: { order_id: 1, amount: 1 }, csrfToken: 't', wasNotSent: false }),
      matrixRun([row]),
      shownAgain({ row, cell }),
    ];
    const others = [loginFailed('x'), chainSucceeded(ANSWER, 'alice')];
    for (const html of forms) expect(html).toContain('<form');
    // With only the `Referrer-Policy` header, browsers would send `Origin: null` with a form.
    const says = (html: string): boolean => html.includes('<meta name="referrer" content="same-origin" />');
    expect([...forms, ...others].map(says)).toEqual([true, true, true, true, false, false]);
  });

  it('has no inline style, and loads a script only on the start page (BF-10)', () => {
    const html =
      home({ demoMode: true, user: { name: 'alice', csrfToken: 't' }, attacks: ATTACKS, isWatched: true }) +
      watched({ kind: 'refused', headline: 'x', services: [], counted: 'y' }) +
      attacksRun([{ attack: ATTACK, attempt: MADE, verdict: 'refused', why: '' }]) +
      attacksRefused({ error: 'No', code: 'insufficient_scope' }) +
      loginFailed('x') +
      refund({ order: { order_id: 1, amount: 1 }, csrfToken: 't', wasNotSent: true }) +
      refunded(ANSWER) +
      refundRefused({ error: 'No', code: 'insufficient_user_authentication' }, '/auth/login') +
      chainSucceeded(ANSWER, 'alice', answeredDetails(METRICS, [token('service-b', { sub: 's' })])) +
      chainRefused({ error: 'No', code: 'insufficient_scope' }, refusedDetails(METRICS));
    expect(html.match(/<script.*/gi)).toEqual(['<script type="module" src="/page.js"></script>']);
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
  });
});
