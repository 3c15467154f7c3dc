import type { SignalFeedState } from 'nestjs-keycloak-s2s';
import type { Page } from '../pages/pages.js';
import type { TokenState } from './watched-token.js';
import type { WatchStory } from './watch-story.js';

export interface FeedStatus {
  readonly state: SignalFeedState;
  readonly isShared: boolean;
  readonly windowSeconds: number;
  readonly asksKeycloak: boolean;
}

const SIGNS: Readonly<Record<TokenState, string>> = { unknown: '…', accepted: '●', refused: '✓', expired: '○' };

export function watchPage(story: WatchStory, username: string, feedStatus: FeedStatus): Page {
  const { kind, headline, services, counted } = story;
  const isOver = services.some(({ service, state }) => service === 'Service A' && state === 'refused');
  return {
    template: 'watch',
    model: {
      kind,
      headline,
      title: kind === 'refused' ? headline : '',
      services: services.map((one) => ({ ...one, sign: SIGNS[one.state] })),
      notes: notesOf(kind, feedStatus, counted),
      username,
      isOver,
    },
  };
}

function notesOf(kind: WatchStory['kind'], feedStatus: FeedStatus, counted: string | undefined): readonly string[] {
  if (kind === 'expired') return ['Expiry is not a refusal. Reload the page to watch a new token.'];
  if (kind === 'refused') return [counted ?? ''];
  return [
    'Log out in another tab, or have an administrator end your session or disable you: this page updates by itself.',
    feedWords(feedStatus),
  ];
}

function feedWords({ state, isShared, windowSeconds, asksKeycloak }: FeedStatus): string {
  const within = asksKeycloak ? `within ${windowSeconds} s` : 'when the token expires';
  if (state === 'none') return `No signal feed runs here: a service refuses ${within}.`;
  if (state === 'silent') return `The signal feed receives nothing now: a service refuses ${within}.`;
  return isShared
    ? 'A signal feed runs and shares its events: all services refuse within a second or so.'
    : `A signal feed runs at Service A, which refuses within a second or so. The others refuse ${within}.`;
}
