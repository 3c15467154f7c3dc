import { channel, type Channel } from 'node:diagnostics_channel';
// This import does not use `createRequire(import.meta.url)`, since test runners that compile this file to CommonJS have
// no `import.meta`.
import * as diagnostics from 'undici/lib/core/diagnostics.js';

type Event = 'create' | 'bodyChunkReceived' | 'trailers';

/**
 * Returns undici's own channel and the named channel, because both may differ in Node 20 after a garbage collection.
 */
export function undiciChannels(event: Event): readonly Channel[] {
  const own = channelsOfUndici()[event];
  const named = channel(`undici:request:${event}`);
  return own === undefined || own === named ? [named] : [own, named];
}

// The channels of undici 7, from an internal file. An ES module gets the exports as `default`; CommonJS without
// `esModuleInterop` gets the exports directly.
const channelsOfUndici = (): Partial<Readonly<Record<Event, Channel>>> =>
  (diagnostics.default ?? diagnostics).channels ?? {};
