import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { KeycloakStatus } from 'nestjs-keycloak-s2s';
import { AttackTools } from '../attacks/attack-tools.js';
import { Pages } from '../pages/pages.js';
import { EventStream } from './event-stream.js';
import { SessionWatch, type WatchedSession } from './session-watch.js';
import { watchPage, type FeedStatus } from './watch-page.js';
import type { WatchStory } from './watch-story.js';

export const MAX_WATCHES = 20;
export const MAX_WATCHES_PER_USER = 5;
const MAX_MINUTES = 10;

const FEED_EVERY_MS = 5000;

@Injectable()
export class Watches implements BeforeApplicationShutdown {
  readonly #logger = new Logger('Watches');
  readonly #open = new Map<AbortController, string>();

  constructor(
    private readonly tools: AttackTools,
    private readonly status: KeycloakStatus,
    private readonly pages: Pages,
  ) {}

  open(session: WatchedSession, signal: AbortSignal): EventStream | undefined {
    const { subject } = session.caller;
    const ofUser = [...this.#open.values()].filter((other) => other === subject).length;
    if (this.#open.size >= MAX_WATCHES || ofUser >= MAX_WATCHES_PER_USER) return undefined;
    const [stream, ended] = [new EventStream(), new AbortController()];
    this.#open.set(ended, subject);
    stream.body.once('close', () => ended.abort());
    const tooLong = setTimeout(() => ended.abort(), MAX_MINUTES * 60_000).unref();
    void this.#run(session, stream, AbortSignal.any([signal, ended.signal])).finally(() => {
      clearTimeout(tooLong);
      this.#open.delete(ended);
    });
    return stream;
  }

  beforeApplicationShutdown(): void {
    for (const ended of this.#open.keys()) ended.abort();
  }

  async #run(session: WatchedSession, stream: EventStream, signal: AbortSignal): Promise<void> {
    let [story, last]: [WatchStory | undefined, string] = [undefined, ''];
    const tell = (changed = story): void => {
      story = changed;
      const html = changed === undefined ? last : this.#rendered(changed, session);
      if (html !== last) stream.send('state', html);
      last = html;
    };
    const timer = setInterval(tell, FEED_EVERY_MS).unref();
    try {
      await new SessionWatch(session, this.tools, tell).run(signal);
    } catch (error) {
      this.#logger.error('Watching a page failed', error instanceof Error ? error.stack : '');
    }
    clearInterval(timer);
    stream.send('end', '');
    stream.end();
  }

  /** Channels and timers call this method, so an exception would end the process. */
  #rendered(story: WatchStory, { username }: WatchedSession): string {
    try {
      return this.pages.render(watchPage(story, username, this.#feedStatus()));
    } catch (error) {
      this.#logger.error('A watched page was not rendered', error instanceof Error ? error.stack : '');
      return '';
    }
  }

  #feedStatus(): FeedStatus {
    const { signals, revocationChannel } = this.status.read();
    const { windowSeconds, asksKeycloak } = this.tools;
    return { state: signals.state, isShared: revocationChannel.state !== 'none', windowSeconds, asksKeycloak };
  }
}
