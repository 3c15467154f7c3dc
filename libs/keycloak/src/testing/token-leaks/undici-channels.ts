import { channel, type Channel } from 'node:diagnostics_channel';
// Not by `createRequire(import.meta.url)`: test runners that compile this file to CommonJS have no `import.meta`.
import * as diagnostics from 'undici/lib/core/diagnostics.js';

type Event = 'create' | 'bodyChunkReceived' | 'trailers';

/** Undici's own channel and the channel with its name, which may differ in Node 20 after garbage collection. */
export function undiciChannels(event: Event): readonly Channel[] {
  const own = channelsOfUndici()[event];
  const named = channel(`undici:request:${event}`);
  return own === undefined || own === named ? [named] : [own, named];
}

// An internal file of undici 7. ES modules import it as `default`, and CommonJS without `esModuleInterop` as the module
// itself.
const channelsOfUndici = (): Partial<Readonly<Record<Event, Channel>>> =>
  (diagnostics.default ?? diagnostics).channels ?? {};
