/** undiciChannels(): where the library's own undici tells of its requests, and any other copy of it. */
import { channel, type Channel } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';

type Event = 'create' | 'bodyChunkReceived' | 'trailers';

/**
 * By name alone, Node 20 may give another channel than the one that undici has held since it was loaded, when one of that name
 * was collected meanwhile, as those of the spec before this one are; and who listens there hears nothing, forever.
 */
export function undiciChannels(event: Event): readonly Channel[] {
  const own = channelsOfUndici()[event];
  const named = channel(`undici:request:${event}`);
  return own === undefined || own === named ? [named] : [own, named];
}

function channelsOfUndici(): Partial<Readonly<Record<Event, Channel>>> {
  try {
    // No door of undici leads there; without it, the name has to do.
    const { channels } = createRequire(import.meta.url)('undici/lib/core/diagnostics.js') as {
      readonly channels?: Partial<Readonly<Record<Event, Channel>>>;
    };
    return channels ?? {};
  } catch {
    return {};
  }
}
