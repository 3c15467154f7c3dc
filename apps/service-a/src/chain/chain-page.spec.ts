import { describe, expect, it } from '@jest/globals';
import { ANSWER, chainRefused, chainSucceeded, METRICS, token } from '../../spec-support/shown-pages.js';
import { answeredDetails, refusedDetails } from './chain-details.js';

describe('the page with the result of the call chain', () => {
  it('shows the result in one article, with headings below the level of the page title', () => {
    for (const html of [
      chainSucceeded(ANSWER, 'alice', answeredDetails(METRICS, [token('service-b', { sub: 's' })])),
      chainRefused({ error: 'No', code: 'insufficient_scope' }, refusedDetails(METRICS)),
    ]) {
      const [, before = '', article = ''] =
        /^(.*)<article id="chain-result" aria-labelledby="chain-result-heading">(.*)<\/article>/s.exec(html) ?? [];
      expect(before).toContain('<h1>Call Service B</h1>');
      expect(article.match(/<h\d/g)).toEqual(['<h2', ...(article.match(/<h3/g) ?? [])]);
      expect(article).toContain('What just happened');
      expect(article).toContain('Service A asks Keycloak to exchange');
      expect(article.match(/class="lane [^"]*" aria-hidden="true"/g)).toHaveLength(
        article.match(/<li class="step/g)?.length ?? 0,
      );
    }
  });

  it('shows the result even if the chain has no details for demo mode', () => {
    const html = chainSucceeded(ANSWER, 'alice');
    expect(html).toContain('id="chain-result"');
    expect(html).not.toMatch(/What just happened|side by side/);
  });

  it('shows that the first call has no token, or that the claims of the tokens are unavailable', () => {
    const [b, c] = [
      token('service-b', { sub: 's', aud: 'service-b' }),
      token('service-c', { sub: 's', aud: 'service-c' }),
    ];
    const asService = chainSucceeded(ANSWER, 'service-a', answeredDetails(METRICS, [b, c]));
    const asUser = chainSucceeded(ANSWER, 'alice', answeredDetails(METRICS, [token('service-a', { sub: 's' }), b, c]));
    const none = chainSucceeded(ANSWER, 'alice', answeredDetails(METRICS, undefined));
    expect([asService, asUser].map((html) => html.includes('there is no token at the first hop'))).toEqual([
      true,
      false,
    ]);
    expect([asService, asUser].map((html) => html.match(/<th scope="col">At /g)?.length)).toEqual([2, 3]);
    expect(asService).toMatch(
      /<td data-label="[^"]*" class="is-changed"><span class="change">changed<\/span><span class="value">service-c/,
    );
    expect(none).toContain('could not report the claims');
    expect(none).toContain('What just happened');
  });
});
