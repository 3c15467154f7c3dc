import { describe, expect, it } from '@jest/globals';
import { ATTACKS } from '../attacks/attack-list.js';
import { home } from '../../spec-support/shown-pages.js';

describe('the start page', () => {
  it('offers login to anonymous visitors, and logout to users', () => {
    const anonymous = home({ demoMode: false, user: undefined, attacks: [] });
    const known = home({ demoMode: false, user: { name: 'alice', csrfToken: 't' }, attacks: ATTACKS });
    expect([anonymous, known].map((html) => html.includes('href="/auth/login"'))).toEqual([true, false]);
    expect([anonymous, known].map((html) => html.includes('action="/auth/logout"'))).toEqual([false, true]);
  });

  it('shows each attack as an HTML form that needs no script', () => {
    const shown = home({ demoMode: true, user: undefined, attacks: ATTACKS });
    for (const { id } of ATTACKS) expect(shown).toContain(`<form method="post" action="/attacks/${id}">`);
    expect(shown).toContain('<form class="actions" method="post" action="/attacks"');
    expect(home({ demoMode: false, user: undefined, attacks: [] })).not.toContain('/attacks');
  });
});
