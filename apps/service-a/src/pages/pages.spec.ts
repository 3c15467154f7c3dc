import { describe, expect, it } from '@jest/globals';
import { parseServerTiming, type SeenToken } from 'service-defaults';
import { answeredDetails, refusedDetails } from '../chain/chain-details.js';
import { Pages } from './pages.js';

const NAME = `<img src=x onerror=alert(1)>"'&`;
const ESCAPED = '&lt;img src=x onerror=alert(1)&gt;';

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

  it('escape what a claim says, in text and in attributes (BF-11)', () => {
    const answer = { service_b: NAME, service_c: { result: 1, msg: NAME } };
    const shown = [
      pages.home({ demoMode: true, user: { name: NAME, csrfToken: NAME } }),
      pages.chainSucceeded(answer, NAME),
      pages.chainRefused({ error: NAME, code: 'insufficient_scope', permission: NAME }, 403),
      pages.loginFailed(NAME),
      pages.chainSucceeded(
        answer,
        NAME,
        answeredDetails(METRICS, [token(NAME, { sub: NAME, aud: [NAME], scope: NAME })]),
      ),
    ];
    for (const html of shown) {
      expect(html).not.toContain('<img');
      expect(html).not.toContain('"\'&');
    }
    expect(shown[0]).toContain(`Logged in as <strong>${ESCAPED}`);
    expect(shown[0]).toContain(`value="${ESCAPED}`);
  });

  it('offer login to who is not logged in, and logout to who is', () => {
    const anonymous = pages.home({ demoMode: false, user: undefined });
    const known = pages.home({ demoMode: false, user: { name: 'alice', csrfToken: 't' } });
    expect([anonymous, known].map((html) => html.includes('href="/auth/login"'))).toEqual([true, false]);
    expect([anonymous, known].map((html) => html.includes('action="/auth/logout"'))).toEqual([false, true]);
  });

  it('have no script and no style in them (BF-10)', () => {
    const html =
      pages.home({ demoMode: true, user: { name: 'alice', csrfToken: 't' } }) +
      pages.loginFailed('x') +
      pages.chainSucceeded(ANSWER, 'alice', answeredDetails(METRICS, [token('service-b', { sub: 's' })])) +
      pages.chainRefused({ error: 'No', code: 'insufficient_scope' }, 403, refusedDetails(METRICS));
    expect(html).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i);
  });

  it('have the result of a chain in one article, with headings that go on from the one of the page', () => {
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
      // What only eyes can follow is told in words beside it.
      expect(article.match(/class="lane [^"]*" aria-hidden="true"/g)).toHaveLength(
        article.match(/<li class="step/g)?.length ?? 0,
      );
    }
  });

  it('show a chain without what is told in demo mode only', () => {
    const html = pages.chainSucceeded(ANSWER, 'alice');
    expect(html).toContain('id="chain-result"');
    expect(html).not.toMatch(/What just happened|side by side/);
  });

  it('say when there is no token at the first hop, and when the tokens could not be had', () => {
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
    expect(none).toContain('could not be had');
    expect(none).toContain('What just happened');
  });
});
