import { describe, expect, it } from '@jest/globals';
import { Pages } from './pages.js';

const NAME = `<img src=x onerror=alert(1)>"'&`;
const ESCAPED = '&lt;img src=x onerror=alert(1)&gt;';

describe('Pages', () => {
  const pages = new Pages();

  it('escape what a claim says, in text and in attributes (BF-11)', () => {
    const answer = { service_b: NAME, service_c: { result: 1, msg: NAME } };
    const shown = [
      pages.home({ demoMode: true, user: { name: NAME, csrfToken: NAME } }),
      pages.chainSucceeded(answer, NAME),
      pages.chainRefused({ error: NAME, code: 'insufficient_scope', permission: NAME }, 403),
      pages.loginFailed(NAME),
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
    const html = pages.home({ demoMode: true, user: { name: 'alice', csrfToken: 't' } }) + pages.loginFailed('x');
    expect(html).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i);
  });
});
