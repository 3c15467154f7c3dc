import { describe, expect, it } from '@jest/globals';
import { FEED_STATUS, home, watched } from '../../spec-support/shown-pages.js';
import { untried } from '../matrix/matrix-page.js';
import type { FeedStatus } from './watch-page.js';
import { storyOf } from './watch-story.js';

const ACCEPTED = storyOf([{ service: 'Service A', state: 'accepted' }], []);
const refusedAt = (service: string) => ({ service, state: 'refused', refusedAtMs: 1_800_000_000_000 }) as const;

describe('a page that reports token refusals', () => {
  it.each<[Partial<FeedStatus>, string]>([
    [{}, 'all services refuse within a second or so'],
    [{ isShared: false }, 'Service A, which refuses within a second or so. The others refuse within 10 s'],
    [{ state: 'silent' }, 'The signal feed receives nothing now: a service refuses within 10 s.'],
    [{ state: 'none' }, 'No signal feed runs here: a service refuses within 10 s.'],
    [{ state: 'none', asksKeycloak: false }, 'a service refuses when the token expires'],
  ])('shows how soon the services refuse a token: %j', (feedStatus, words) => {
    const html = watched(ACCEPTED, 'alice', { ...FEED_STATUS, ...feedStatus });
    expect(html).toContain(words);
    expect(html).toContain('end your session or disable you: this page updates by itself.');
    expect(html).toContain('<title></title>');
    expect(html).not.toContain('id="session"');
  });

  it('names the refusing service in the title, and offers a login if Service A refuses', () => {
    const html = watched(storyOf([refusedAt('Service A')], []));
    expect(html).toContain('<title>Refused at A</title>');
    expect(html).toContain('data-watch="refused"');
    expect(html).toMatch(/<div id="session">[^]*href="\/auth\/login"/);
    const elsewhere = watched(storyOf([{ service: 'Service A', state: 'accepted' }, refusedAt('Service B')], []));
    expect(elsewhere).not.toContain('id="session"');
  });

  it('does not call the expiry of a token a refusal', () => {
    const html = watched(storyOf([{ service: 'Service A', state: 'expired' }], []));
    expect(html).toContain('Expiry is not a refusal. Reload the page');
    expect(html).not.toContain('Refused');
  });
});

describe('the start page', () => {
  it('contains the watch section only for a logged-in user, if watching is enabled', () => {
    const common = { demoMode: true, attacks: [], matrix: untried(undefined), isWatched: true };
    const known = home({ ...common, user: { name: 'alice', csrfToken: 't' } });
    expect(known).toMatch(/<section class="watch" id="watch" data-events="\/watch" [^>]*>/);
    expect(home({ ...common, user: undefined })).not.toContain('id="watch"');
    expect(home({ ...common, user: { name: 'alice', csrfToken: 't' }, isWatched: false })).not.toContain('id="watch"');
  });
});
