/** undiciChannels(): the diagnostics channels of the library's own undici, and of any other copy. */
import { channel, type Channel } from 'node:diagnostics_channel';
// Not by `createRequire(import.meta.url)`: test runners that make CommonJS of this file know no `import.meta`.
import * as diagnostics from 'undici/lib/core/diagnostics.js';

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

// An internal file of undici 7. What it exports is `default` to ES modules, and the module itself in CommonJS without `esModuleInterop`.
const channelsOfUndici = (): Partial<Readonly<Record<Event, Channel>>> =>
  (diagnostics.default ?? diagnostics).channels ?? {};
