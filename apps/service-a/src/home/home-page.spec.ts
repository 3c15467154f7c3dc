import { describe, expect, it } from '@jest/globals';
import { ATTACKS } from '../attacks/attack-list.js';
import { home } from '../../spec-support/shown-pages.js';

describe('the start page', () => {
  it('offers login to who is not logged in, and logout to who is', () => {
    const anonymous = home({ demoMode: false, user: undefined, attacks: [] });
    const known = home({ demoMode: false, user: { name: 'alice', csrfToken: 't' }, attacks: ATTACKS });
    expect([anonymous, known].map((html) => html.includes('href="/auth/login"'))).toEqual([true, false]);
    expect([anonymous, known].map((html) => html.includes('action="/auth/logout"'))).toEqual([false, true]);
  });

  it('offers the attacks where there are some, each as a form that works by itself', () => {
    const shown = home({ demoMode: true, user: undefined, attacks: ATTACKS });
    for (const { id } of ATTACKS) expect(shown).toContain(`<form method="post" action="/attacks/${id}">`);
    expect(shown).toContain('<form class="actions" method="post" action="/attacks"');
    expect(home({ demoMode: false, user: undefined, attacks: [] })).not.toContain('/attacks');
  });
});
