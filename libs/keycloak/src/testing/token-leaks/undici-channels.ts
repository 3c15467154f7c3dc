/** undiciChannels(): the diagnostics channels of the library's own undici, and of any other copy. */
import { channel, type Channel } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';

type Event = 'create' | 'bodyChunkReceived' | 'trailers';

/**
 * The name alone is not enough: once a channel of that name was garbage-collected (those of the previous spec are), Node 20 may
 * return a different channel than the one that undici holds, and its subscribers receive nothing.
 */
export function undiciChannels(event: Event): readonly Channel[] {
  const own = channelsOfUndici()[event];
  const named = channel(`undici:request:${event}`);
  return own === undefined || own === named ? [named] : [own, named];
}

function channelsOfUndici(): Partial<Readonly<Record<Event, Channel>>> {
  try {
    // An internal file of undici. Without it, only the channel by name is watched.
    const { channels } = createRequire(import.meta.url)('undici/lib/core/diagnostics.js') as {
      readonly channels?: Partial<Readonly<Record<Event, Channel>>>;
    };
    return channels ?? {};
  } catch {
    return {};
  }
}
